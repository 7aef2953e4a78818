"""Knowing people by their voice: enrolment, comparison, bounded adaptation. Pure: embeddings in, facts out.

A voice match is a convenience: no dangerous act hangs on it alone. Everything that is not surely one enrolled
person is a stranger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from voice.calibration import Calibration
from voice.errors import CalibrationOfOtherModel, TooFewClips, VoiceprintOfOtherModel, VoicesDiffer
from voice.heard import SpeakerMatch

Sound = NDArray[np.float32]
"""Mono at 16 kHz, between -1 and 1."""
Embedding = NDArray[np.float32]
"""Where a voice lies among all voices: a vector of length 1."""

MIN_CLIPS = 5


class Embedder(Protocol):
    """Turns speech into an embedding."""

    @property
    def model(self) -> str:
        """Name and fingerprint of the model; embeddings of different models cannot be compared."""
        ...

    def embed(self, sound: Sound) -> Embedding:
        """Return the embedding of speech, of length 1.

        Raises:
            EmbeddingFailed: the sound is empty, too short or no sound, or the model gave no usable vector.
        """
        ...


class Level(StrEnum):
    """What a match is wanted for."""

    GREETING = "greeting"
    """The wake phrase alone: enough to be greeted by name."""
    QUESTION = "question"
    """Wake phrase and question together: for everything beyond the greeting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """How sure a match has to be at one level.

    Attributes:
        false_accepts: the share of strangers that may reach the threshold of one person.
        min_speech_s: less speech than this never matches.
        margin: how far the score must lie above that of the next person.
    """

    false_accepts: float
    min_speech_s: float
    margin: float


LEVELS = {
    Level.GREETING: Strictness(false_accepts=0.02, min_speech_s=0.5, margin=0.03),
    Level.QUESTION: Strictness(false_accepts=0.01, min_speech_s=1.0, margin=0.05),
}
"""Thresholds rise where there is less speech: the calibration knows how alike strangers look then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A later utterance that a voiceprint took in.

    Attributes:
        at: when.
        embedding: of the utterance.
        score: what it had reached before it was taken in.
    """

    at: datetime
    embedding: Embedding
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A person's voiceprint.

    Attributes:
        person: whose.
        model: the embedder it was made with.
        clips: one embedding for each enrolment clip; they never change.
        own_scores: how well each clip fits the others.
        learned: what was taken in later, oldest first; each can be undone.
    """

    person: str
    model: str
    clips: tuple[Embedding, ...]
    own_scores: tuple[float, ...]
    learned: tuple[Learned, ...] = ()

    def centre(self) -> Embedding:
        """Return the middle of the voice: what was learned weighs a third at most."""
        enrolled = _middle(self.clips)
        if not self.learned:
            return enrolled
        learned = _middle([one.embedding for one in self.learned])
        weight = min(len(self.learned) / (len(self.clips) + len(self.learned)), 1 / 3)
        return _unit((1 - weight) * enrolled + weight * learned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """An utterance whose speaker is asked for.

    Attributes:
        embedding: of the whole utterance.
        speech_s: how much speech it holds.
        model: the embedder it was made with.
    """

    embedding: Embedding
    speech_s: float
    model: str


SAME_VOICE_DEVIATIONS = 2.5
"""One or two clips that fit the others worse than the same person's speech nearly always does are taken for
somebody else's: this many standard deviations below its mean."""


def enrol(
    person: str, clips: Sequence[Embedding], *, speech_s: Sequence[float], calibration: Calibration
) -> Enrolment:
    """Make a voiceprint of one person's clips.

    Args:
        person: whose it will be.
        clips: an embedding for each clip, all made with the calibration's model.
        speech_s: how much speech each clip holds.
        calibration: of that model.

    Raises:
        TooFewClips: fewer than five.
        VoicesDiffer: they do not sound like one person.
    """
    if len(clips) < MIN_CLIPS:
        raise TooFewClips(f"{len(clips)} clips are given, a voiceprint needs {MIN_CLIPS}")
    own = tuple(_score(clip, _middle([*clips[:at], *clips[at + 1 :]])) for at, clip in enumerate(clips))
    _require_one_voice(clips, speech_s, calibration)
    return Enrolment(person=person, model=calibration.model, clips=tuple(clips), own_scores=own)


def _require_one_voice(
    clips: Sequence[Embedding], speech_s: Sequence[float], calibration: Calibration
) -> None:
    """Compare each clip, and each two together, with all the others; raises VoicesDiffer."""
    everyone = range(len(clips))
    for group in (*combinations(everyone, 1), *combinations(everyone, 2)):
        rest = [clips[at] for at in everyone if at not in group]
        score = _score(_middle([clips[at] for at in group]), _middle(rest))
        mean, deviation = calibration.genuine(speech_seconds=sum(speech_s[at] for at in group))
        needed = mean - SAME_VOICE_DEVIATIONS * deviation
        if not score >= needed:
            raise VoicesDiffer(
                f"it sounds like somebody else than other clips ({score:.2f}, needed {needed:.2f})",
                clip=group[0],
            )


def own_threshold(
    enrolment: Enrolment, calibration: Calibration, *, speech_s: float, false_accepts: float
) -> float:
    """Return the score that a probe must reach to be taken for this person.

    Never below what the wanted share of strangers reaches. Somebody whose clips fit together well is held to
    more: to two deviations below the mean of the own scores, but no more than a tenth of that share reaches.
    """
    least = calibration.threshold(speech_seconds=speech_s, false_accepts=false_accepts)
    most = calibration.threshold(speech_seconds=speech_s, false_accepts=false_accepts / 10)
    own = np.asarray(enrolment.own_scores, dtype=np.float64)
    expected = float(own.mean() - 2 * own.std(ddof=1)) if len(own) > 1 else least
    return min(max(least, expected), most)


def verify(
    probe: Probe, enrolments: Sequence[Enrolment], calibration: Calibration, level: Level
) -> SpeakerMatch:
    """Tell whose voice it is, if it is surely somebody's.

    Raises:
        VoiceprintOfOtherModel: an enrolment or the probe was made with another model than the calibration.
    """
    _require_one_model(probe, enrolments, calibration)
    if not enrolments:
        return SpeakerMatch.stranger("nobody is enrolled")
    if not (np.isfinite(probe.embedding).all() and np.isfinite(probe.speech_s)):
        return SpeakerMatch.stranger("the embedding holds values that are no numbers")
    scored = [(_score(probe.embedding, one.centre()), one) for one in enrolments]
    if not all(np.isfinite(score) for score, _ in scored):
        return SpeakerMatch.stranger("a voiceprint holds values that are no numbers")
    scored.sort(key=lambda pair: pair[0], reverse=True)
    score, nearest = scored[0]
    runner_up = scored[1][0] if len(scored) > 1 else None
    wanted = LEVELS[level]
    threshold = own_threshold(
        nearest, calibration, speech_s=probe.speech_s, false_accepts=wanted.false_accepts
    )
    why = ""
    if not probe.speech_s >= wanted.min_speech_s:
        why = f"{probe.speech_s:.1f} s of speech, needed {wanted.min_speech_s:.1f} s"
    elif not score >= threshold:
        why = f"score {score:.2f} is below {threshold:.2f}"
    elif runner_up is not None and not score - runner_up >= wanted.margin:
        why = f"only {score - runner_up:.2f} above the next person, needed {wanted.margin:.2f}"
    return SpeakerMatch(
        person=nearest.person,
        score=score,
        threshold=threshold,
        runner_up=runner_up,
        accepted=not why,
        why=why,
    )


MAX_LEARNED = 5
LEARN_FROM_S = 3.0
"""How much speech an utterance must hold to be learned from."""
LEARN_ABOVE = 0.08
"""How far above its threshold an utterance must lie to be learned from."""
MAX_DRIFT = 0.1
"""How far, as 1 - cosine, learning may carry a voiceprint away from its enrolment."""


def learn(enrolment: Enrolment, probe: Probe, match: SpeakerMatch, *, now: datetime) -> Enrolment:
    """Take in an utterance that is surely this person's; return the enrolment unchanged when it is not sure.

    Only after a match for a question, well above the threshold, and only as far as the voiceprint stays near
    its enrolment. The oldest learned utterance gives way to the newest.
    """
    sure = (
        match.accepted
        and match.person == enrolment.person
        and probe.model == enrolment.model
        and probe.speech_s >= LEARN_FROM_S
        and match.score >= match.threshold + LEARN_ABOVE
    )
    if not sure:
        return enrolment
    taken = Learned(at=now, embedding=probe.embedding, score=match.score)
    grown = replace(enrolment, learned=(*enrolment.learned, taken)[-MAX_LEARNED:])
    drift = 1 - _score(grown.centre(), _middle(enrolment.clips))
    return grown if drift <= MAX_DRIFT else enrolment


def unlearn(enrolment: Enrolment, *, since: datetime | None = None) -> Enrolment:
    """Undo what was learned since a moment, or everything: the voiceprint is as it was before."""
    kept = () if since is None else tuple(one for one in enrolment.learned if one.at < since)
    return replace(enrolment, learned=kept)


def _require_one_model(probe: Probe, enrolments: Sequence[Enrolment], calibration: Calibration) -> None:
    if probe.model != calibration.model:
        raise CalibrationOfOtherModel(
            f"the calibration belongs to {calibration.model}, heard was with {probe.model}"
        )
    for one in enrolments:
        if one.model != calibration.model:
            raise VoiceprintOfOtherModel(
                f"the voiceprint of {one.person} was made with {one.model}, in use is {calibration.model}"
            )


def _score(left: Embedding, right: Embedding) -> float:
    return float(np.dot(left.astype(np.float64), right.astype(np.float64)))


def _middle(embeddings: Sequence[Embedding]) -> Embedding:
    return _unit(np.mean(np.stack(embeddings), axis=0))


def _unit(vector: NDArray[np.floating]) -> Embedding:
    length = float(np.linalg.norm(vector))
    # Opposite voices cancel out: no direction is left, and nothing may match it.
    return (vector / length if length > 0 else np.full_like(vector, np.nan)).astype(np.float32)
