"""Recordings through the whole house as one conversation, as fast as they can be heard."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assistant.appliance.appliance import Voices
from assistant.appliance.who_speaks import SpeakerSound, WhoSpeaks
from assistant.conversation.answer import Answer, Heard
from hardware.recordings import RecordingMicrophone
from voice.heard import Hearing, Wake
from voice.listening import Ear, EarEvent, HearingFailed, NothingSaid, Understood

SILENCE_BEHIND_S = 2.0
"""People stop speaking; files stop with the last word. Longer than any pause that ends a sentence."""

Answering = Callable[[Heard], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTurn:
    """One sentence of a recording, and what it came to.

    Args:
        heard: What was said, and by whom.
        answer: What it came to.
        speaker_ms: What telling the speaker took, in milliseconds.
        answer_ms: What the answer took, in milliseconds.
        endpoint_ms: How long the ear waited after the last word, in milliseconds.
    """

    heard: Heard
    answer: Answer
    speaker_ms: int
    answer_ms: int
    endpoint_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardRecording:
    """What came of one recording.

    Args:
        file: Which.
        wakes: The calls in it.
        turns: The sentences in it; the wake phrase alone is one, too.
        hearing_ms: Work of the ear, in milliseconds.
    """

    file: Path
    wakes: tuple[Wake, ...]
    turns: tuple[RecordedTurn, ...]
    hearing_ms: int


@dataclass(slots=True)
class _Noted:
    wakes: list[Wake] = field(default_factory=list)
    turns: list[RecordedTurn] = field(default_factory=list)
    hearing_s: float = 0.0


class RecordedConversation:
    """Hears recordings one right after the other: a question may follow the wake phrase's file.

    Args:
        ear: What listens.
        voices: Knows people by their voice.
        answering: Answers a sentence.
        given_up: Called when nobody answered a question back in time.
    """

    def __init__(
        self, *, ear: Ear, voices: Voices, answering: Answering, given_up: Callable[[], object]
    ) -> None:
        self._ear = ear
        self._voices = voices
        self._answering = answering
        self._given_up = given_up
        self._who = WhoSpeaks()
        self._now_s = 0.0

    async def hear(self, files: Sequence[Path]) -> AsyncIterator[HeardRecording]:
        """Yield what comes of each recording.

        Raises:
            RecordingError: a file cannot be used.
            VoiceError: the ear or the speaker check failed.
        """
        for file in files:
            yield await self._file(file)

    async def _file(self, file: Path) -> HeardRecording:
        noted = _Noted()
        microphone = RecordingMicrophone(file, silence_after_s=SILENCE_BEHIND_S, starts_at_s=self._now_s)
        for chunk in microphone.chunks():
            self._now_s = chunk.captured_at_s + chunk.duration_s
            began = time.perf_counter()
            events = await asyncio.to_thread(self._ear.hear, chunk)
            noted.hearing_s += time.perf_counter() - began
            for event in events:
                await self._on(event, noted)
        return HeardRecording(
            file=file,
            wakes=tuple(noted.wakes),
            turns=tuple(noted.turns),
            hearing_ms=round(noted.hearing_s * 1000),
        )

    async def _on(self, event: EarEvent, noted: _Noted) -> None:
        match event:
            case Wake():
                noted.wakes.append(event)
                self._who.called(event)
            case Understood() if event.hearing.text:
                sound = self._who.sentence(event)
                noted.turns.append(await self._turn(event.hearing, sound, event.pause_s))
            case NothingSaid(after_wake=True):
                greeting = self._who.greeting()
                if greeting is not None:
                    noted.turns.append(await self._turn(Hearing(text=""), greeting, 0.0))
            case NothingSaid():
                self._given_up()
            case HearingFailed(error=error):
                raise error

    async def _turn(self, hearing: Hearing, sound: SpeakerSound, pause_s: float) -> RecordedTurn:
        began = time.perf_counter()
        match = await asyncio.to_thread(
            self._voices.identify, sound.audio, sound.level, speech_s=sound.speech_s
        )
        known = time.perf_counter()
        heard = Heard(
            id=uuid.uuid4().hex, hearing=hearing, speaker=match, speech_s=sound.speech_s, device="recording"
        )
        answer = await self._answering(heard)
        self._ear.follow_up()
        return RecordedTurn(
            heard=heard,
            answer=answer,
            speaker_ms=round((known - began) * 1000),
            answer_ms=round((time.perf_counter() - known) * 1000),
            endpoint_ms=round(pause_s * 1000),
        )
