"""The appliance: events of the ear become turns, turns become speech; lamp and tones follow.

One turn after the other: what is heard while tools are at work waits in the queue. While it speaks, the wake
phrase and the stop word silence it at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from assistant.appliance.learning_voice import LearningVoice
from assistant.appliance.listening_thread import DeviceChanged, Heard, ListeningThread, SoundEnded
from assistant.appliance.phases import Phase, Signal, after, tone_of
from assistant.appliance.who_speaks import SpeakerSound, WhoSpeaks
from assistant.conversation.answer import Answer, Awaiting, TurnOutcome
from assistant.conversation.answer import Heard as Sentenced
from assistant.conversation.turn import Conversation
from assistant.conversation.words import Steer
from assistant.live_names import spoken_names
from assistant.people import Person
from assistant.planner.inventory import Inventory
from assistant.spoken_sentences import spoken_sentences
from hardware.audio import AudioClip
from hardware.errors import HardwareError
from hardware.lamp import Lamp
from hardware.microphone import DeviceState
from mcp_tencent.gateway.call import Clock
from mcp_tencent.gateway.errors import StoreUnavailable
from mcp_tencent.gateway.stores import in_store
from scheduler.digest_claims import DigestClaim, DigestClaimStore, Ending
from scheduler.errors import DigestClaimLost
from voice.errors import VoiceError
from voice.heard import Hearing, SpeakerMatch, Wake
from voice.listening import Ear, HearingFailed, NothingSaid, PartlyUnderstood, StopHeard, Understood
from voice.speaking import Mouth, Progress, Speaking, SpeakingEnd
from voice.tones import Tone
from voice.voiceprint import Level

_ASK_PATIENCE_AFTER_S = 1.5
_REPORT_EVERY_S = 5.0
_log = logging.getLogger(__name__)


class Voices(Protocol):
    """Knows people by their voice. Calls block; they are made off the event loop."""

    def identify(self, audio: AudioClip, level: Level, *, speech_s: float | None = None) -> SpeakerMatch:
        """Tell whose voice it is; a stranger's when in doubt."""
        ...

    def enrol(self, person: Person, clips: Sequence[AudioClip]) -> None:
        """Learn somebody's voice.

        Raises:
            VoiceError: the clips do not do; EnrolmentRefused knows which one.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnTaken:
    """One turn from the first sound to the answer, for the journal and the console.

    Args:
        heard: What was said, and by whom.
        answer: What it came to.
        began_s: When it was understood, on the stopwatch.
        pause_s: How long the ear waited after the last word.
        speaker_ms: What telling the speaker took, in milliseconds.
        first_word_ms: From understood to the first sound of the answer; None where nothing was said.
    """

    heard: Sentenced
    answer: Answer
    began_s: float
    pause_s: float = 0.0
    speaker_ms: int = 0
    first_word_ms: int | None = None


class Appliance:
    """Listens, answers and speaks until its sound ends.

    Args:
        listening: The ear in its thread.
        mouth: What speaks.
        lamp: Shows what it is doing.
        conversation: Takes the turns.
        voices: Knows people by their voice.
        claims: Who has heard which digest.
        clock: The device's time.
        expecting: Told in the ear's thread, when names have changed, what can be named.
        taken: Told of every turn when its answer has begun.
        stopwatch: Seconds that only go forward.
    """

    def __init__(
        self,
        *,
        listening: ListeningThread,
        mouth: Mouth,
        lamp: Lamp,
        conversation: Conversation,
        voices: Voices,
        claims: DigestClaimStore,
        clock: Clock,
        expecting: Callable[[Inventory], None] = lambda _: None,
        taken: Callable[[TurnTaken], None] = lambda _: None,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._listening = listening
        self._mouth = mouth
        self._lamp = lamp
        self._conversation = conversation
        self._voices = voices
        self._claims = claims
        self._clock = clock
        self._expecting = expecting
        self._taken = taken
        self._stopwatch = stopwatch
        self._phase = Phase.IDLE
        self._who = WhoSpeaks()
        self._enrolling: LearningVoice | None = None
        self._stopped: Speaking | None = None
        self._leaving = False
        self._expected: Inventory | None = None
        self._unmute: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def phase(self) -> Phase:
        """What it is doing."""
        return self._phase

    async def run(self) -> SoundEnded:
        """Work until the sound ends; return why it ended."""
        self._listening.start()
        try:
            while True:
                event = await self._listening.events.get()
                if isinstance(event, SoundEnded):
                    await self.silent()
                    return event
                await self._on(event)
        finally:
            await self.leave()

    async def leave(self) -> None:
        """Fall silent and let ear and mouth go; a digest in mid-speech counts as cut off."""
        self._leaving = True
        await asyncio.to_thread(self._listening.stop)
        await asyncio.to_thread(self._mouth.close)
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def silent(self) -> None:
        """Wait until nothing is being said and everything about it is on record."""
        speaking = self._mouth.speaking
        if speaking is not None:
            await asyncio.to_thread(speaking.wait)
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def mute(self, minutes: int | None) -> None:
        """Hear nothing for some minutes, or until `unmute`; from the event loop."""
        self._listening.order(lambda ear: setattr(ear, "muted", True))
        self._signal(Signal.MUTED)
        if self._unmute is not None:
            self._unmute.cancel()
            self._unmute = None
        if minutes is not None:
            self._unmute = asyncio.get_running_loop().call_later(minutes * 60, self.unmute)

    def unmute(self) -> None:
        """Hear again; from the event loop."""
        self._listening.order(lambda ear: setattr(ear, "muted", False))
        self._signal(Signal.UNMUTED)

    async def call_it(self, phrase: str) -> Sequence[str]:
        """Listen for another wake phrase from now on; return warnings in Chinese.

        Raises:
            WakePhraseError: it cannot be called by that, and goes on as it was.
        """
        done: Future[Sequence[str]] = Future()

        def change(ear: Ear) -> None:
            try:
                done.set_result(ear.call_it(phrase))
            except VoiceError as error:
                done.set_exception(error)

        self._listening.order(change)
        return await asyncio.wrap_future(done)

    def set_volume(self, percent: int) -> None:
        """Speak louder or softer from the next sentence on."""
        self._mouth.set_volume(percent)

    def toggle_mute(self) -> None:
        """Mute, or hear again, as at the press of a button; from the event loop."""
        if self._phase is Phase.MUTED:
            self.unmute()
        else:
            self._hush()
            self.mute(None)

    def talk(self) -> None:
        """Listen for a question without the wake phrase, as at the press of a button; from the event loop."""
        self._hush()
        self._signal(Signal.CALLED)
        self._listening.order(lambda ear: ear.follow_up())

    def learn_voice(self, person: Person) -> None:
        """Take the next sentences as samples of somebody's voice; from the event loop."""
        self._enrolling = LearningVoice(person, self._voices.enrol)

    # --- what the ear reports ---------------------------------------------------------------------------

    async def _on(self, event: Heard) -> None:
        match event:
            case Wake():
                self._called(event)
            case PartlyUnderstood(text=text):
                if text:
                    self._signal(Signal.BEING_SPOKEN_TO)
            case Understood():
                await self._understood(event)
            case NothingSaid(after_wake=True):
                await self._greeted()
            case NothingSaid():
                self._given_up()
            case StopHeard():
                self._signal(Signal.STOPPED)
                self._hush()
            case HearingFailed(error=error):
                _log.warning("a piece of sound was lost: %s", error)
            case DeviceChanged(state=state):
                self._signal(Signal.DEVICE_LOST if state is DeviceState.LOST else Signal.DEVICE_BACK)

    def _called(self, wake: Wake) -> None:
        self._hush()
        self._who.called(wake)
        self._signal(Signal.CALLED)
        self._start(self._prepare())

    async def _prepare(self) -> None:
        """Look names up while the question is still being asked, and have the ear prefer them."""
        known = await self._conversation.prepare()
        if known is not self._expected:
            self._expected = known
            names = spoken_names(known)
            self._listening.order(lambda ear: ear.expect(names))
            self._listening.order(lambda _: self._expecting(known))

    async def _understood(self, event: Understood) -> None:
        if not event.hearing.text:
            self._given_up()
            return
        self._signal(Signal.UNDERSTOOD)
        if self._enrolling is not None:
            learning = self._enrolling
            asked = await learning.take(event.utterance.audio)
            if learning.over:
                self._enrolling = None
            self._say((asked,), Signal.ANSWERING if learning.over else Signal.ASKING_BACK)
            return
        began = self._stopwatch()
        await self._turn(event.hearing, self._who.sentence(event), began, pause_s=event.pause_s)

    async def _greeted(self) -> None:
        """Answer the wake phrase alone."""
        sound = self._who.greeting()
        if sound is None:
            self._given_up()
            return
        await self._turn(Hearing(text=""), sound, self._stopwatch())

    def _given_up(self) -> None:
        """Nobody said anything more: what was waiting for a yes gets a no."""
        learning, self._enrolling = self._enrolling, None
        waited_for = self._conversation.give_up()
        self._signal(Signal.NOTHING_SAID)
        if learning is not None:
            self._say(("没有听到声音，先不登记了。",), Signal.ANSWERING, follow_up=False)
        elif waited_for in (Awaiting.CONFIRMATION, Awaiting.DIGITS):
            self._say(("没有听到确认，什么都没动。",), Signal.ANSWERING, follow_up=False)

    # --- a turn ------------------------------------------------------------------------------------------

    async def _turn(
        self, hearing: Hearing, sound: SpeakerSound, began: float, *, pause_s: float = 0.0
    ) -> None:
        match = await self._identified(sound)
        heard = Sentenced(id=uuid.uuid4().hex, hearing=hearing, speaker=match, speech_s=sound.speech_s)
        speaker_ms = round((self._stopwatch() - began) * 1000)
        answer = await self._answered(heard)
        taken = TurnTaken(heard=heard, answer=answer, began_s=began, pause_s=pause_s, speaker_ms=speaker_ms)
        if answer.outcome is TurnOutcome.STEERED:
            self._steer(answer)
            self._taken(taken)
            return
        signal = Signal.ASKING_BACK if answer.awaiting is not Awaiting.NOTHING else Signal.ANSWERING
        self._say(answer.parts, signal, taken=taken, claim=answer.claim)

    async def _answered(self, heard: Sentenced) -> Answer:
        """Take the turn; say that it goes on when it takes long."""
        turn = asyncio.ensure_future(self._conversation.take_turn(heard))
        done, _ = await asyncio.wait({turn}, timeout=_ASK_PATIENCE_AFTER_S)
        if done:
            return turn.result()
        asking_patience = self._mouth.say(["稍等，我看一下。"])
        answer = await turn
        await asyncio.to_thread(asking_patience.wait)
        return answer

    async def _identified(self, sound: SpeakerSound) -> SpeakerMatch:
        try:
            return await asyncio.to_thread(
                self._voices.identify, sound.audio, sound.level, speech_s=sound.speech_s
            )
        except VoiceError as error:  # nobody's voiceprint can be used: everybody is a stranger
            _log.warning("nobody can be recognised: %s", error)
            return SpeakerMatch.stranger(str(error))

    def _steer(self, answer: Answer) -> None:
        """Stop, go on, or skip what was being said before the wake phrase silenced it."""
        stopped, self._stopped = self._stopped, None
        speaking: Speaking | None = None
        if stopped is not None and answer.steering is not None:
            if answer.steering.steer is Steer.GO_ON:
                speaking = self._mouth.resume(stopped, on_progress=self._progress([]))
            elif answer.steering.steer is Steer.NEXT:
                speaking = self._mouth.next_item(stopped, on_progress=self._progress([]))
        if speaking is not None:
            self._signal(Signal.ANSWERING)
            self._listening.order(lambda ear: ear.stop_waiting())
            self._start(self._until_said(speaking, follow_up=True))
        elif answer.steering is not None and answer.steering.steer is not Steer.STOP:
            self._say(("后面没有了。",), Signal.ANSWERING)
        else:
            self._signal(Signal.NOTHING_SAID)

    # --- speaking ----------------------------------------------------------------------------------------

    def _say(
        self,
        parts: Sequence[str],
        signal: Signal,
        *,
        follow_up: bool = True,
        taken: TurnTaken | None = None,
        claim: DigestClaim | None = None,
    ) -> None:
        sentences = spoken_sentences(parts)
        self._signal(signal)
        # Its own voice must not be taken for the next question.
        self._listening.order(lambda ear: ear.stop_waiting())
        untold = [] if taken is None else [taken]
        speaking = self._mouth.say(sentences, on_progress=self._progress(untold, claim))
        self._start(self._until_said(speaking, follow_up=follow_up, untold=untold, claim=claim))

    def _progress(
        self, untold: list[TurnTaken], claim: DigestClaim | None = None
    ) -> Callable[[Progress], None]:
        """Return what the mouth's thread calls: the first word is timed, the digest's claim is kept alive."""
        loop = asyncio.get_running_loop()
        reported_s = 0.0

        def on_progress(progress: Progress) -> None:
            nonlocal reported_s
            if loop.is_closed():
                return
            if untold and progress.text:
                first = untold.pop()
                ms = round((self._stopwatch() - first.began_s) * 1000)
                loop.call_soon_threadsafe(self._taken, replace(first, first_word_ms=ms))
            if claim is not None and progress.spoken_s - reported_s >= _REPORT_EVERY_S:
                reported_s = progress.spoken_s
                loop.call_soon_threadsafe(self._report_soon, claim, reported_s)

        return on_progress

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _report_soon(self, claim: DigestClaim, spoken_s: float) -> None:
        self._start(self._report(claim, spoken_s))

    async def _until_said(
        self,
        speaking: Speaking,
        *,
        follow_up: bool,
        untold: Sequence[TurnTaken] = (),
        claim: DigestClaim | None = None,
    ) -> None:
        end = await asyncio.to_thread(speaking.wait)
        for taken in untold:  # not a word of it was heard
            self._taken(taken)
        if claim is not None:
            await self._end_claim(claim, speaking, end)
        if end is SpeakingEnd.STOPPED:
            self._stopped = speaking
            return
        if end is SpeakingEnd.FAILED:
            _log.warning("it could not be said: %s", speaking.error)
        if follow_up and end is SpeakingEnd.FINISHED:
            self._signal(Signal.SAID)
            self._listening.order(lambda ear: ear.follow_up())
        else:
            self._signal(Signal.SAID)
            self._signal(Signal.NOTHING_SAID)

    async def _report(self, claim: DigestClaim, spoken_s: float) -> None:
        now = self._clock.now()
        await _on_record(lambda: self._claims.report(claim, spoken_seconds=spoken_s, now=now))

    async def _end_claim(self, claim: DigestClaim, speaking: Speaking, end: SpeakingEnd | None) -> None:
        ending = {
            SpeakingEnd.FINISHED: Ending.FINISHED,
            SpeakingEnd.STOPPED: Ending.CUT_OFF if self._leaving else Ending.STOPPED_BY_LISTENER,
        }.get(end or SpeakingEnd.FAILED, Ending.CUT_OFF)
        now, spoken_s = self._clock.now(), speaking.progress.spoken_s
        await _on_record(lambda: self._claims.end(claim, ending, spoken_seconds=spoken_s, now=now))

    def _hush(self) -> None:
        """Fall silent at once; what was being said may be gone on with."""
        stopped = self._mouth.stop()
        if stopped is not None:
            self._stopped = stopped

    # --- lamp and tones ------------------------------------------------------------------------------------

    def _signal(self, signal: Signal) -> None:
        before, self._phase = self._phase, after(self._phase, signal)
        try:
            self._lamp.show(self._phase)
            tone: Tone | None = tone_of(before, self._phase)
            if tone is not None:
                self._mouth.tone(tone)
        except HardwareError as error:
            _log.warning("lamp or loudspeaker: %s", error)


async def _on_record(write: Callable[[], object]) -> None:
    """Put on record how the telling of a digest goes; what cannot be put there does not end the telling."""
    try:
        await in_store(write)
    except DigestClaimLost as lost:
        _log.warning("the digest is spoken elsewhere: %s", lost)
    except StoreUnavailable as error:
        _log.error("how the digest was told could not be put on record: %s", error)
