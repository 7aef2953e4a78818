"""Learning somebody's voice from the sentences that they speak after having been asked for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from assistant.people import Person
from hardware.audio import AudioClip
from voice.errors import EnrolmentRefused, VoiceError

ENOUGH_CLIPS = 5
"""Sentences that somebody is asked for."""


class LearningVoice:
    """Collects sentences until there are enough.

    Args:
        person: Whose voice it is.
        enrol: Learns a voice from clips; blocks, and raises VoiceError.
    """

    def __init__(self, person: Person, enrol: Callable[[Person, Sequence[AudioClip]], None]) -> None:
        self._person = person
        self._enrol = enrol
        self._clips: list[AudioClip] = []
        self.over = False

    async def take(self, clip: AudioClip) -> str:
        """Take one more sentence; return what to say to it. `over` tells whether more are wanted."""
        self._clips.append(clip)
        missing = ENOUGH_CLIPS - len(self._clips)
        if missing > 0:
            return f"好，还有{missing}句。"
        try:
            await asyncio.to_thread(self._enrol, self._person, tuple(self._clips))
        except EnrolmentRefused as refused:
            # One that does not do is asked for again; where none can be named, all are.
            self._clips = [
                one for at, one in enumerate(self._clips) if refused.clip is not None and at != refused.clip
            ]
            return f"{refused.spoken}。"
        except VoiceError as error:
            self.over = True
            return f"{error.spoken}。"
        self.over = True
        return f"{self._person.name}的声纹登记好了。"
