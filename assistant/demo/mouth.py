"""小智's voice in the demo: always recorded; heard over the loudspeaker, too, where one is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assistant.demo.errors import DemoStepFailed
from assistant.spoken_sentences import spoken_sentences
from hardware.audio import AudioClip
from hardware.loudspeaker import Loudspeaker
from hardware.loudspeaker_sounddevice import SounddeviceLoudspeaker
from hardware.recordings import RecordingLoudspeaker, read_recording
from voice.speaking import Mouth, Sentence, SpeakingEnd
from voice.synthesizer_pyttsx3 import Pyttsx3Synthesizer


class DemoMouth:
    """Speaks with the appliance's own voice.

    Args:
        aloud: Whether it is heard, too.
    """

    def __init__(self, *, aloud: bool) -> None:
        self._voice = Pyttsx3Synthesizer()
        self._loudspeaker: Loudspeaker | None = SounddeviceLoudspeaker() if aloud else None

    def say(self, parts: Sequence[str]) -> AudioClip:
        """Say paragraphs and return how it sounded; blocks until all of it was said.

        Raises:
            DemoStepFailed: It could not be said.
        """
        sentences = spoken_sentences(parts)
        recorder = RecordingLoudspeaker()
        try:
            self._through(recorder, sentences)
            if self._loudspeaker is not None:
                self._through(self._loudspeaker, sentences)
            return recorder.recorded
        finally:
            recorder.close()

    def play(self, file: Path) -> None:
        """Let somebody else's sentence be heard, where anything is heard."""
        if self._loudspeaker is not None:
            self._loudspeaker.play(read_recording(file)).wait()

    def close(self) -> None:
        """Let voice and loudspeaker go."""
        if self._loudspeaker is not None:
            self._loudspeaker.close()
        self._voice.close()

    def _through(self, loudspeaker: Loudspeaker, sentences: Sequence[Sentence]) -> None:
        mouth = Mouth(self._voice, loudspeaker)
        try:
            speaking = mouth.say(sentences)
            if speaking.wait() is not SpeakingEnd.FINISHED:
                raise DemoStepFailed(f"the answer could not be spoken: {speaking.error or 'cut off'}")
        finally:
            mouth.close()
