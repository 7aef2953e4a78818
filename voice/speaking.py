"""The mouth: speaks one sentence after the other, the next being prepared meanwhile; can be stopped.

Two threads: one synthesises ahead, one waits for the loudspeaker. What is said belongs to a `Speaking`, which
tells what was really heard; whoever stops it may go on from the sentence where it was stopped, or skip an
item.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hardware.audio import AudioClip, Samples
from hardware.errors import HardwareError
from hardware.loudspeaker import Loudspeaker, Playback, PlaybackState
from voice.errors import SynthesisError
from voice.synthesizer import NORMAL_SPEED_PERCENT, Synthesizer
from voice.tones import Tone, earcon

AHEAD = 2
"""How many sentences are prepared while one is heard."""
REPORT_EVERY_S = 1.0
_MARGIN_S = 5.0
logger = logging.getLogger(__name__)


class SpeakingEnd(StrEnum):
    """How speaking ended."""

    FINISHED = "finished"
    STOPPED = "stopped"
    """By the listener."""
    FAILED = "failed"
    """The voice or the loudspeaker failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of what is said.

    Args:
        text: What is said.
        item: Which item of a list it belongs to (a digest's third incident, say), counted from 0.
    """

    text: str
    item: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far speaking has come.

    Args:
        sentence: Which sentence is heard, counted from 0; the number of sentences when all were heard.
        item: Which item it belongs to.
        text: What is said in it; empty before the first and after the last.
        spoken_s: How much was heard in all, pauses between sentences left out.
    """

    sentence: int
    item: int
    text: str
    spoken_s: float


class Speaking:
    """Something that is being said. Made by `Mouth.say`; whoever said it adds to it and looks."""

    def __init__(self, *, speed_percent: int, on_progress: Callable[[Progress], None] | None) -> None:
        self.speed_percent = speed_percent
        self.error: SynthesisError | HardwareError | None = None
        self._on_progress = on_progress
        self._changed = threading.Condition()
        self._sentences: list[Sentence] = []
        self._complete = False
        self._end: SpeakingEnd | None = None
        self._at = 0
        self._heard_before_s = 0.0
        self._playback: Playback | None = None

    def add(self, *sentences: Sentence) -> None:
        """Say more; what comes after `complete` or after the end is left out."""
        with self._changed:
            if not self._complete:
                self._sentences += sentences
                self._changed.notify_all()

    def complete(self) -> None:
        """Tell that nothing more will be added."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        with self._changed:
            return self._progress()

    @property
    def end(self) -> SpeakingEnd | None:
        """How it ended; None while it goes on."""
        with self._changed:
            return self._end

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.end is not None

    def wait(self, timeout_s: float | None = None) -> SpeakingEnd | None:
        """Wait until it is over; return how it ended, or None when it still goes on after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: self._end is not None, timeout_s)
            return self._end

    def remaining(self) -> tuple[Sentence, ...]:
        """Return what was not heard to its end, from the beginning of the sentence that was cut off."""
        with self._changed:
            return tuple(self._sentences[self._at :])

    def remaining_after_item(self) -> tuple[Sentence, ...]:
        """Return what follows the item that is, or was last, heard."""
        with self._changed:
            item = self._item()
            return tuple(one for one in self._sentences[self._at :] if one.item > item)

    def _item(self) -> int:
        if not self._sentences:
            return 0
        return self._sentences[min(self._at, len(self._sentences) - 1)].item

    def _progress(self) -> Progress:
        heard_s = self._heard_before_s + (self._playback.played_s if self._playback else 0.0)
        now = self._sentences[self._at].text if self._playback and self._at < len(self._sentences) else ""
        return Progress(sentence=self._at, item=self._item(), text=now, spoken_s=heard_s)

    # What follows is called by the mouth.

    def sentence_at(self, number: int) -> Sentence | None:
        """Wait for a sentence; None when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: number < len(self._sentences) or self._complete or self._end)
            if self._end is None and number < len(self._sentences):
                return self._sentences[number]
            return None

    def begin(self, number: int, playback: Playback) -> None:
        """Note that a sentence is on its way out."""
        with self._changed:
            self._at, self._playback = number, playback

    def heard(self) -> None:
        """Note that the sentence was heard to its end."""
        with self._changed:
            self._settle_playback()
            self._at += 1

    def finish(self, end: SpeakingEnd, error: SynthesisError | HardwareError | None = None) -> bool:
        """Note how it ended; the first end counts. Return whether this was the first."""
        with self._changed:
            if self._end is not None:
                return False
            self._settle_playback()
            self._end, self.error, self._complete = end, error, True
            self._changed.notify_all()
            return True

    def tell(self) -> None:
        """Report the progress to whoever asked for it."""
        if self._on_progress is not None:
            self._on_progress(self.progress)

    def _settle_playback(self) -> None:
        if self._playback is not None:
            self._heard_before_s += self._playback.played_s
            self._playback = None


class Mouth:
    """Speaks over one loudspeaker; one thing at a time, a new one stops the old. Threads may share it.

    Args:
        synthesizer: The voice. It belongs to whoever made it.
        loudspeaker: Where it is heard; the same.
        volume_percent: Loudness, 0 to 100.
        speed_percent: 100 is the voice's own speed.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        loudspeaker: Loudspeaker,
        *,
        volume_percent: int = 80,
        speed_percent: int = NORMAL_SPEED_PERCENT,
    ) -> None:
        self._synthesizer = synthesizer
        self._loudspeaker = loudspeaker
        self._volume_percent = volume_percent
        self._speed_percent = speed_percent
        self._lock = threading.RLock()
        self._speaking: Speaking | None = None
        self._threads: list[threading.Thread] = []

    def say(
        self,
        sentences: Iterable[Sentence | str] = (),
        *,
        more_follows: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Speaking:
        """Begin to say something, in place of whatever is being said; returns at once.

        Args:
            sentences: What to say first.
            more_follows: The caller will `add` sentences and then call `complete`.
            on_progress: Called from a thread of the mouth when a sentence begins or ends, about every second
                in between, and at the very end; must return quickly and must not raise.
        """
        self.stop()
        speaking = Speaking(speed_percent=self._speed_percent, on_progress=on_progress)
        speaking.add(*(one if isinstance(one, Sentence) else Sentence(text=one) for one in sentences))
        if not more_follows:
            speaking.complete()
        ready: _Ready = _Ready()
        with self._lock:
            self._speaking = speaking
            self._threads = [
                threading.Thread(
                    target=self._prepare, args=(speaking, ready), name="mouth-prepare", daemon=True
                ),
                threading.Thread(target=self._speak, args=(speaking, ready), name="mouth-speak", daemon=True),
            ]
            for thread in self._threads:
                thread.start()
        return speaking

    def stop(self) -> Speaking | None:
        """Fall silent now, waiting for nobody; return what was being said, which knows what remains."""
        with self._lock:
            speaking = self._speaking
            self._speaking = None
            # The end is noted first, so that nothing new is begun behind the silence.
            if speaking is not None and speaking.finish(SpeakingEnd.STOPPED):
                self._loudspeaker.stop()
                return speaking
            return None

    def resume(
        self, stopped: Speaking, *, on_progress: Callable[[Progress], None] | None = None
    ) -> Speaking | None:
        """Go on with what was stopped, from the sentence in which it was; None if nothing is left."""
        left = stopped.remaining()
        return self.say(left, on_progress=on_progress) if left else None

    def next_item(
        self, of: Speaking, *, on_progress: Callable[[Progress], None] | None = None
    ) -> Speaking | None:
        """Go on with the item behind the one that is, or was last, heard; None if it was the last.

        In that case what is being said goes on.
        """
        left = of.remaining_after_item()
        return self.say(left, on_progress=on_progress) if left else None

    def tone(self, tone: Tone) -> Playback:
        """Play a tone, behind what is being heard.

        Raises:
            HardwareError: the loudspeaker cannot be used.
        """
        return self._loudspeaker.play(self._at_volume(earcon(tone)))

    def set_volume(self, percent: int) -> None:
        """Change the loudness, from the next sentence on."""
        self._volume_percent = min(max(percent, 0), 100)

    def set_speed(self, percent: int) -> None:
        """Change the speed of what is said from now on."""
        self._speed_percent = percent

    @property
    def speaking(self) -> Speaking | None:
        """What is being said; None in silence."""
        with self._lock:
            speaking = self._speaking
        return speaking if speaking is not None and not speaking.over else None

    @property
    def reference(self) -> Playback | None:
        """What comes out of the loudspeaker right now, speech or tone, for the gate that ignores it."""
        return self._loudspeaker.playing

    def close(self) -> None:
        """Fall silent and end the threads; loudspeaker and voice stay open."""
        self.stop()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _prepare(self, speaking: Speaking, ready: _Ready) -> None:
        """Synthesise ahead of the listener."""
        number = 0
        while (sentence := speaking.sentence_at(number)) is not None:
            try:
                clip = self._synthesizer.synthesize(sentence.text, speed_percent=speaking.speed_percent)
            except SynthesisError as error:
                logger.warning("Sentence %d cannot be spoken: %s", number, error)
                ready.close(error)
                return
            if not ready.put(clip, sentence.text):
                return
            number += 1
        ready.close(None)

    def _speak(self, speaking: Speaking, ready: _Ready) -> None:
        """Hand one sentence after the other to the loudspeaker, and wait for each."""
        number = 0
        try:
            while (prepared := ready.get(speaking)) is not None:
                if not self._play(speaking, number, *prepared):
                    return
                number += 1
            end = SpeakingEnd.FAILED if ready.error else SpeakingEnd.FINISHED
            speaking.finish(end, ready.error)
        except HardwareError as error:
            logger.warning("The loudspeaker failed: %s", error)
            speaking.finish(SpeakingEnd.FAILED, error)
        finally:
            ready.abandon()
            speaking.tell()

    def _play(self, speaking: Speaking, number: int, clip: AudioClip, text: str) -> bool:
        with self._lock:
            if speaking.over:
                return False
            if not len(clip.samples):  # a sentence of signs only
                speaking.heard()
                return True
            playback = self._loudspeaker.play(self._at_volume(clip), text)
            speaking.begin(number, playback)
        speaking.tell()
        deadline_s = clip.duration_s + _MARGIN_S
        silent_s, heard_s = 0.0, 0.0
        while not playback.wait(REPORT_EVERY_S):
            if speaking.wait(0) is not None:
                return False
            silent_s = 0.0 if playback.played_s > heard_s else silent_s + REPORT_EVERY_S
            heard_s = playback.played_s
            if silent_s > deadline_s:  # a device that is gone for good never ends anything
                self._loudspeaker.stop()
                speaking.finish(SpeakingEnd.FAILED)
                return False
            speaking.tell()
        if playback.state is PlaybackState.FINISHED:
            speaking.heard()
            speaking.tell()
            return True
        if playback.state is PlaybackState.FAILED:
            speaking.finish(SpeakingEnd.FAILED)
        else:
            speaking.finish(SpeakingEnd.STOPPED)
        return False

    def _at_volume(self, clip: AudioClip) -> AudioClip:
        return AudioClip(samples=louder(clip.samples, self._volume_percent), rate_hz=clip.rate_hz)


class _Ready:
    """Sentences that are ready to be heard, at most `AHEAD`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._clips: deque[tuple[AudioClip, str]] = deque()
        self._closed = False
        self._abandoned = False
        self.error: SynthesisError | None = None

    def put(self, clip: AudioClip, text: str) -> bool:
        """Wait for room and add a sentence; tell whether anybody still wants it."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._clips) < AHEAD or self._abandoned)
            self._clips.append((clip, text))
            self._changed.notify_all()
            return not self._abandoned

    def get(self, speaking: Speaking) -> tuple[AudioClip, str] | None:
        """Wait for the next sentence; None when there is none any more."""
        with self._changed:
            while not (self._clips or self._closed):
                if speaking.over:
                    return None
                self._changed.wait(REPORT_EVERY_S)
            if not self._clips:
                return None
            self._changed.notify_all()
            return self._clips.popleft()

    def close(self, error: SynthesisError | None) -> None:
        """Tell that nothing more comes, and why."""
        with self._changed:
            self._closed, self.error = True, error
            self._changed.notify_all()

    def abandon(self) -> None:
        """Tell that nobody listens any more."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()


def louder(samples: Samples, volume_percent: int) -> Samples:
    """Return samples at a loudness of 0 to 100 per cent (pure).

    Loudness is heard as the logarithm of the amplitude: the square of the percentage comes near enough, so
    that half way up sounds half as loud.
    """
    return (samples * np.float32((volume_percent / 100) ** 2)).astype(np.int16)
