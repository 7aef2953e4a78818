"""The ear: sound in, facts out — called, being said, understood, stop.

    idle ──wake phrase──▶ woken ──voice──▶ collecting ──pause──▶ idle
      └──wake phrase and question in one breath──▶ collecting

While idle only the spotter listens; the recogniser takes over once it was called: chatter costs little.
Everything goes by the microphone's clock, so a recording is heard as it would be live.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from hardware.audio import RATE_HZ, AudioChunk, AudioClip, Samples
from voice.activity import BLOCK_S, BLOCK_SAMPLES, ActivityDetector, VoiceActivity
from voice.endpointing import EndpointSettings, ended_by, needed_pause_s
from voice.errors import VoiceError
from voice.heard import Hearing, Utterance, UtteranceEnd, Wake
from voice.recognizer import Recognizer
from voice.wake import UNKNOWN, WakeDecision, WakeSpotter, stop_word, without_phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyUnderstood:
    """What somebody is saying, as far as it is understood; later sound may change it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """Somebody has finished.

    Args:
        utterance: The sound; with the wake phrase in it when both came in one breath.
        hearing: The words, without the wake phrase.
        pause_s: How long it waited after the last word.
    """

    utterance: Utterance
    hearing: Hearing
    pause_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StopHeard:
    """A stop word was said while the loudspeaker played."""

    word: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingSaid:
    """The time for a question, or for a follow-up question, has passed."""

    after_wake: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingFailed:
    """A piece of sound could not be taken; the ear goes on."""

    error: VoiceError


EarEvent: TypeAlias = Wake | PartlyUnderstood | Understood | StopHeard | NothingSaid | HearingFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class EarSettings:
    """How patient the ear is; all in seconds.

    Args:
        pre_roll_s: Sound kept from before the first voice, so that no first syllable is lost.
        wake_pause_s: After so short a pause it looks whether it was called.
        stop_pause_s: … and while the loudspeaker plays.
        same_stretch_s: A longer pause begins a new stretch of speech.
        longest_stretch_s: Talk without a pause is looked at in pieces of this length; Vosk cuts at 20.
        overlap_s: What is heard again behind a look, so that the phrase is whole in one of them.
        hint_settles_s: A hint of the phrase in mid-speech is looked at after this.
        question_s: How long it waits for the question after the wake phrase.
        follow_up_s: How long it listens for a follow-up question after an answer.
    """

    pre_roll_s: float = 0.5
    wake_pause_s: float = 0.16
    stop_pause_s: float = 0.03
    same_stretch_s: float = 0.7
    longest_stretch_s: float = 16.0
    overlap_s: float = 2.0
    hint_settles_s: float = 0.35
    question_s: float = 8.0
    follow_up_s: float = 8.0


_PIECE_BLOCKS = 8
"""Spotter and recogniser get speech in such pieces: block by block, they and the detector's network would
push each other out of the processor's cache all the time (measured: a tenth of the work). A pause is told
them at once."""


class _State(StrEnum):
    IDLE = "idle"
    WOKEN = "woken"
    COLLECTING = "collecting"


@dataclass(slots=True)
class _Stretch:
    """Speech with no long pause in it."""

    started_at_s: float
    blocks: list[Samples] = field(default_factory=list)
    voice_s: float = 0.0
    pause_s: float = 0.0
    unheard: list[Samples] = field(default_factory=list)
    """The last blocks, which nobody has listened to yet."""
    heard_s: float = 0.0
    """What the spotter has heard of it."""
    looked: bool = False
    """The spotter's result was fetched in this pause."""
    all_unknown: bool = False
    """… and it knew none of the words."""
    hinted_at_s: float | None = None
    called: bool = False
    """The wake phrase is in it, and was told."""

    @property
    def length_s(self) -> float:
        return len(self.blocks) * BLOCK_S

    def add(self, block: Samples, *, voice: bool) -> None:
        self.blocks.append(block)
        self.unheard.append(block)
        self.pause_s = 0.0 if voice else self.pause_s + BLOCK_S
        self.voice_s += BLOCK_S if voice else 0.0

    @property
    def piece_is_due(self) -> bool:
        return self.pause_s > 0 or len(self.unheard) >= _PIECE_BLOCKS

    def piece(self) -> Samples:
        """Return what nobody has listened to yet, once."""
        piece = np.concatenate(self.unheard)
        self.unheard.clear()
        return piece

    def sound(self) -> Samples:
        return np.concatenate(self.blocks)

    def keep_last(self, seconds: float) -> None:
        kept = max(1, round(seconds / BLOCK_S))
        self.started_at_s += max(0, len(self.blocks) - kept) * BLOCK_S
        self.blocks = self.blocks[-kept:]


class Ear:
    """Listens. Used from one thread, but for `mute`, which may come from any.

    Args:
        detector: Tells voice from noise.
        spotter: Listens for the wake phrase.
        recognizer: Understands everything.
        decision: Whether it was called.
        being_said: What its own loudspeaker says at the moment; None when it is silent.
        whole_command: Whether words make a command by themselves, if somebody knows.
        settings: How patient it is.
        endpoints: When an utterance ends.
    """

    def __init__(
        self,
        *,
        detector: ActivityDetector,
        spotter: WakeSpotter,
        recognizer: Recognizer,
        decision: WakeDecision,
        being_said: Callable[[], str | None] = lambda: None,
        whole_command: Callable[[str], bool] | None = None,
        settings: EarSettings | None = None,
        endpoints: EndpointSettings | None = None,
    ) -> None:
        self._activity = VoiceActivity(detector)
        self._spotter = spotter
        self._recognizer = recognizer
        self._decision = decision
        self._being_said = being_said
        self._whole_command = whole_command
        self._settings = settings or EarSettings()
        self._endpoints = endpoints or EndpointSettings()
        self._rest = np.zeros(0, np.int16)
        self._now_s = 0.0
        self._before: deque[Samples] = deque(maxlen=max(1, round(self._settings.pre_roll_s / BLOCK_S)))
        self._state = _State.IDLE
        self._stretch: _Stretch | None = None
        self._deadline_s = 0.0
        self._after_wake = True
        self._partial = ""
        self._events: list[EarEvent] = []
        self.muted = False

    def hear(self, chunk: AudioChunk) -> list[EarEvent]:
        """Take the next sound; return what came of it."""
        samples = np.concatenate([self._rest, chunk.samples])
        self._now_s = chunk.captured_at_s - len(self._rest) / RATE_HZ
        whole = len(samples) - len(samples) % BLOCK_SAMPLES
        self._rest = samples[whole:]
        for start in range(0, whole, BLOCK_SAMPLES):
            self._now_s += BLOCK_S
            self._hear_block(samples[start : start + BLOCK_SAMPLES])
        return self._told()

    def finish(self) -> list[EarEvent]:
        """Take the end of the sound; return what is left to say. A question is waited for as before."""
        stretch = self._stretch
        try:
            if stretch is not None and self._state is _State.IDLE and not stretch.looked:
                self._look(stretch)
            if stretch is not None and self._collecting:
                self._end_utterance(stretch, UtteranceEnd.SOURCE_ENDED)
        except VoiceError as error:
            self._events.append(HearingFailed(error=error))
        if self._state is not _State.WOKEN:
            self._to_idle()
        return self._told()

    def follow_up(self) -> None:
        """Listen for a question without the wake phrase, from now on: an answer has been spoken."""
        if self._state is _State.IDLE and not self.muted:
            self._await_question(self._settings.follow_up_s, after_wake=False)

    def stop_waiting(self) -> None:
        """Go back to waiting for the wake phrase."""
        self._to_idle()

    def call_it(self, phrase: str) -> tuple[str, ...]:
        """Change the wake phrase at once; return warnings about it, in Chinese.

        Raises:
            WakePhraseError: it cannot be called by that.
        """
        planned = self._spotter.listen_for(phrase)
        self._decision.phrase = planned.phrase
        self._to_idle()
        return planned.warnings

    def expect(self, names: Sequence[str]) -> None:
        """Prefer these names from the next utterance on."""
        self._recognizer.expect(names)

    @property
    def _collecting(self) -> bool:
        return self._state is _State.COLLECTING

    def _told(self) -> list[EarEvent]:
        told, self._events = self._events, []
        return told

    def _hear_block(self, block: Samples) -> None:
        if self.muted:
            if self._stretch is not None or self._state is not _State.IDLE:
                self._to_idle()
            self._before.clear()
            return
        voice = self._activity.voice(block)
        try:
            if self._state is _State.IDLE:
                self._while_idle(block, voice=voice)
            elif self._state is _State.WOKEN:
                self._while_woken(block, voice=voice)
            else:
                self._while_collecting(block, voice=voice)
        except VoiceError as error:
            self._to_idle()
            self._events.append(HearingFailed(error=error))
        self._before.append(block)

    def _while_idle(self, block: Samples, *, voice: bool) -> None:
        stretch = self._stretch
        if stretch is None:
            if voice:
                self._stretch = self._begin(block)
                self._listen_again(self._stretch)
            return
        if voice and stretch.looked:
            # Behind nothing but unknown words at most a syllable of the phrase can stand.
            settings = self._settings
            stretch.keep_last(settings.pre_roll_s if stretch.all_unknown else settings.overlap_s)
            self._listen_again(stretch)
        stretch.add(block, voice=voice)
        if stretch.looked:
            if stretch.pause_s >= self._settings.same_stretch_s:
                self._stretch = None
            return
        if not stretch.piece_is_due:
            return
        piece = stretch.piece()
        self._spotter.accept(piece)
        stretch.heard_s += len(piece) / RATE_HZ
        if (
            self._worth_looking(stretch)
            or self._hint_settled(stretch)
            or stretch.heard_s >= self._settings.longest_stretch_s
        ):
            self._look(stretch)

    def _listen_again(self, stretch: _Stretch) -> None:
        self._spotter.reset()
        self._spotter.accept(stretch.sound())
        stretch.unheard.clear()
        stretch.heard_s = stretch.length_s
        stretch.looked = False

    def _worth_looking(self, stretch: _Stretch) -> bool:
        """Return whether this pause may follow the phrase or a stop word.

        A look ends what the spotter hears, and it must hear the end again when speech goes on: as long as
        all was unknown words, a pause in ordinary talk is let pass.
        """
        settings = self._settings
        if self._being_said() is not None:
            return stretch.pause_s >= settings.stop_pause_s
        if settings.wake_pause_s <= stretch.pause_s < settings.same_stretch_s:
            if self._spotter.partial().strip(UNKNOWN):
                return True
            stretch.keep_last(settings.overlap_s)
        return stretch.pause_s >= settings.same_stretch_s

    def _hint_settled(self, stretch: _Stretch) -> bool:
        """Return whether the phrase seems to be there while speech goes on."""
        if not self._decision.hinted(self._spotter.partial()):
            return False
        if stretch.hinted_at_s is None:
            stretch.hinted_at_s = self._now_s
        since_s = self._now_s - stretch.hinted_at_s
        settled = 0 <= since_s - self._settings.hint_settles_s < _PIECE_BLOCKS * BLOCK_S
        return settled and stretch.pause_s == 0

    def _look(self, stretch: _Stretch) -> None:
        """Fetch the spotter's result and act on it."""
        if stretch.unheard:
            self._spotter.accept(stretch.piece())
        spotted = self._spotter.finish()
        stretch.looked, stretch.all_unknown = True, not spotted.strip(UNKNOWN)
        saying = self._being_said()
        if saying is not None and (word := stop_word(spotted, saying)):
            self._events.append(StopHeard(word=word, at_s=self._now_s))
            self._stretch = None
        elif self._decision.hinted(spotted):
            self._confirm(stretch, spotted, saying or "")

    def _confirm(self, stretch: _Stretch, spotted: str, saying: str) -> None:
        sound = stretch.sound()
        self._recognizer.reset()
        self._recognizer.accept(sound)
        understood = self._recognizer.finish().text
        likeness = self._decision.decide(
            spotted=spotted, understood=understood, now_s=self._now_s, being_said=saying
        )
        if likeness is None:
            return
        self._tell_wake(stretch, likeness)
        if stretch.pause_s == 0 or without_phrase(self._decision.phrase, understood):
            self._collect(stretch, after_wake=True)
        else:
            self._stretch = None
            self._forget_before_pause(stretch.pause_s)
            self._await_question(self._settings.question_s, after_wake=True)

    def _tell_wake(self, stretch: _Stretch, likeness: float) -> None:
        stretch.called = True
        clip = AudioClip(samples=stretch.sound())
        self._events.append(
            Wake(phrase=self._decision.phrase, at_s=self._now_s, likeness=likeness, audio=clip)
        )

    def _forget_before_pause(self, pause_s: float) -> None:
        """Keep the wake phrase's end out of the question's pre-roll; the block at hand is added later."""
        kept = max(0, round(pause_s / BLOCK_S) - 1)
        while len(self._before) > kept:
            self._before.popleft()

    def _await_question(self, seconds: float, *, after_wake: bool) -> None:
        self._state = _State.WOKEN
        self._deadline_s = self._now_s + seconds
        self._after_wake = after_wake

    def _while_woken(self, block: Samples, *, voice: bool) -> None:
        if voice:
            self._collect(self._begin(block), after_wake=self._after_wake)
        elif self._now_s >= self._deadline_s:
            self._events.append(NothingSaid(after_wake=self._after_wake))
            self._to_idle()

    def _collect(self, stretch: _Stretch, *, after_wake: bool) -> None:
        self._state = _State.COLLECTING
        self._stretch = stretch
        self._after_wake = after_wake
        self._partial = ""
        self._recognizer.reset()
        self._recognizer.accept(stretch.sound())
        stretch.unheard.clear()

    def _while_collecting(self, block: Samples, *, voice: bool) -> None:
        stretch = self._stretch
        if stretch is None:
            self._to_idle()
            return
        stretch.add(block, voice=voice)
        if stretch.piece_is_due:
            self._recognizer.accept(stretch.piece())
            self._note_partial()
        end = ended_by(
            length_s=stretch.length_s,
            pause_s=stretch.pause_s,
            needed_s=self._needed_pause_s(stretch),
            settings=self._endpoints,
        )
        if end is not None:
            self._end_utterance(stretch, end)

    def _needed_pause_s(self, stretch: _Stretch) -> float:
        """Return how long this pause must be; what it takes to find out is spared while somebody speaks."""
        if stretch.pause_s == 0:
            return math.inf
        return needed_pause_s(self._partial, self._endpoints, self._whole_command)

    def _note_partial(self) -> None:
        partial = without_phrase(self._decision.phrase, self._recognizer.partial())
        if partial != self._partial:
            self._partial = partial
            self._events.append(PartlyUnderstood(text=partial))

    def _end_utterance(self, stretch: _Stretch, end: UtteranceEnd) -> None:
        if stretch.unheard:
            self._recognizer.accept(stretch.piece())
        heard = self._recognizer.finish()
        if not stretch.called and self._decision.begins(heard.text):
            # Called again, while a question was waited for anyway.
            self._tell_wake(stretch, 1.0)
            self._after_wake = True
        hearing = self._plain(heard)
        after_wake = self._after_wake
        waits_on = after_wake and not hearing.text and end is UtteranceEnd.PAUSE
        self._to_idle()
        if waits_on:
            self._await_question(self._settings.question_s, after_wake=True)
            return
        utterance = Utterance(
            audio=AudioClip(samples=stretch.sound()),
            started_at_s=stretch.started_at_s,
            speech_s=stretch.voice_s,
            ended_by=end,
            after_wake=after_wake,
        )
        self._events.append(Understood(utterance=utterance, hearing=hearing, pause_s=stretch.pause_s))

    def _plain(self, hearing: Hearing) -> Hearing:
        """Return what was heard without the wake phrase before it."""
        phrase = self._decision.phrase
        others = tuple(
            type(one)(text=without_phrase(phrase, one.text), confidence=one.confidence)
            for one in hearing.alternatives
        )
        text = without_phrase(phrase, hearing.text)
        return Hearing(text=text, confidence=hearing.confidence if text else 0.0, alternatives=others)

    def _begin(self, block: Samples) -> _Stretch:
        blocks = [*self._before, block]
        started_at_s = self._now_s - len(blocks) * BLOCK_S
        self._before.clear()
        return _Stretch(started_at_s=started_at_s, blocks=blocks, voice_s=BLOCK_S)

    def _to_idle(self) -> None:
        self._state = _State.IDLE
        self._stretch = None
        self._partial = ""
        self._spotter.reset()
        self._recognizer.reset()
