"""Who speaks: recordings to voiceprints, utterances to people. Whatever goes wrong makes a stranger."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from hardware.audio import AudioClip
from voice.calibration import Calibration
from voice.clip_quality import measure_clip, require_good_clip
from voice.errors import CalibrationOfOtherModel, ClipRepeated, EmbeddingFailed, EnrolmentRefused, VoiceError
from voice.heard import SpeakerMatch
from voice.replay import SAME_SOUND, ReplayGuard, difference, fingerprint
from voice.voiceprint import Embedder, Enrolment, Level, Probe, enrol, verify

_log = logging.getLogger(__name__)


class SpeakerCheck:
    """Enrols people, and tells whose voice an utterance is.

    Args:
        embedder: the speaker model.
        calibration: of that model.
        replays: what was heard before.

    Raises:
        CalibrationOfOtherModel: the calibration is not that of the embedder.
    """

    def __init__(self, embedder: Embedder, calibration: Calibration, replays: ReplayGuard) -> None:
        if embedder.model != calibration.model:
            raise CalibrationOfOtherModel(
                f"the calibration belongs to {calibration.model}, in use is {embedder.model}"
            )
        self._embedder = embedder
        self._calibration = calibration
        self._replays = replays

    @property
    def model(self) -> str:
        """The speaker model in use."""
        return self._embedder.model

    def enrol(self, person: str, clips: Sequence[AudioClip]) -> Enrolment:
        """Make a voiceprint of five or more recordings of one person.

        Raises:
            EnrolmentRefused: one of its kinds, which says what is wrong with which clip.
            EmbeddingFailed: the speaker model failed.
        """
        qualities = [
            require_good_clip(clip.as_float, rate_hz=clip.rate_hz, clip=at) for at, clip in enumerate(clips)
        ]
        _refuse_repeated(clips)
        embeddings = [self._embedder.embed(clip.as_float) for clip in clips]
        return enrol(
            person, embeddings, speech_s=[one.speech_s for one in qualities], calibration=self._calibration
        )

    def identify(
        self,
        audio: AudioClip,
        enrolments: Sequence[Enrolment],
        level: Level,
        *,
        speech_s: float | None = None,
    ) -> SpeakerMatch:
        """Tell whose voice it is. Never raises a voice error: what cannot be judged is a stranger's.

        An accepted utterance is remembered: the same sound again is refused as a replay.

        Args:
            audio: the wake phrase, or wake phrase and question together.
            enrolments: everybody known.
            level: what the match is wanted for.
            speech_s: how much of it is voice, where that was measured; else it is measured here.
        """
        return self.judge(audio, enrolments, level, speech_s=speech_s)[0]

    def judge(
        self,
        audio: AudioClip,
        enrolments: Sequence[Enrolment],
        level: Level,
        *,
        speech_s: float | None = None,
    ) -> tuple[SpeakerMatch, Probe | None]:
        """Tell whose voice it is, as `identify` does, and what was compared; None where nothing could be."""
        try:
            probe = self.probe(audio, speech_s=speech_s)
            return self._match(probe, audio, enrolments, level), probe
        except VoiceError as error:
            _log.warning("a voice could not be judged, so it is a stranger's: %s", error)
            return SpeakerMatch.stranger(str(error)), None

    def probe(self, audio: AudioClip, *, speech_s: float | None = None) -> Probe:
        """Return an utterance as it is compared, for learning from it later.

        Raises:
            EmbeddingFailed: nothing can be made of the sound.
        """
        try:
            seconds = (
                measure_clip(audio.as_float, rate_hz=audio.rate_hz).speech_s if speech_s is None else speech_s
            )
        except EnrolmentRefused as error:
            raise EmbeddingFailed(str(error)) from error
        return Probe(embedding=self._embedder.embed(audio.as_float), speech_s=seconds, model=self.model)

    def _match(
        self, probe: Probe, audio: AudioClip, enrolments: Sequence[Enrolment], level: Level
    ) -> SpeakerMatch:
        match = verify(probe, enrolments, self._calibration, level)
        if not match.accepted or match.person is None:
            return match
        heard = fingerprint(audio.as_float)
        if self._replays.is_replay(match.person, heard):
            return SpeakerMatch(
                person=match.person,
                score=match.score,
                threshold=match.threshold,
                runner_up=match.runner_up,
                accepted=False,
                why="this very sound was heard before: a replay",
            )
        self._replays.remember(match.person, heard)
        return match


def _refuse_repeated(clips: Sequence[AudioClip]) -> None:
    prints = [fingerprint(clip.as_float) for clip in clips]
    for at, one in enumerate(prints):
        for earlier in range(at):
            if difference(one, prints[earlier]) < SAME_SOUND / 2:
                raise ClipRepeated(f"it is the same recording as clip {earlier + 1}", clip=at)
