"""What scores of strangers look like with one speaker model: the thresholds follow from it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from voice.errors import CalibrationOfOtherModel, CalibrationUnusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores measured with probes of one length.

    Attributes:
        speech_seconds: how much speech each probe held.
        thresholds: the score that the named share of strangers reaches, by that share.
        genuine_mean: mean score of the same person in a quiet room.
        genuine_deviation: standard deviation of the same.
    """

    speech_seconds: float
    thresholds: Mapping[float, float]
    genuine_mean: float
    genuine_deviation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Statistics of one model, over speakers that it was not trained on.

    Attributes:
        model: the embedder they belong to.
        made_from: what they were measured on, for people.
        scores: one entry for each length of speech, shortest first.
    """

    model: str
    made_from: str
    scores: tuple[Scores, ...]

    def threshold(self, *, speech_seconds: float, false_accepts: float) -> float:
        """Return the score that a probe of this length has to reach.

        Linear between the measured lengths. Outside them the nearest holds: a probe shorter than the shortest
        would need more than was measured, so callers refuse it before.

        Args:
            speech_seconds: how much speech the probe holds.
            false_accepts: the share of strangers that may pass, 0.01 for one in a hundred. Between measured
                shares interpolated by logarithm; beyond the strictest one the strictest holds.
        """
        lengths = [one.speech_seconds for one in self.scores]
        levels = [_at_share(one.thresholds, false_accepts) for one in self.scores]
        return _interpolated(lengths, levels, speech_seconds)

    def genuine(self, *, speech_seconds: float) -> tuple[float, float]:
        """Return mean and standard deviation of the same person's scores with this much speech."""
        lengths = [one.speech_seconds for one in self.scores]
        mean = _interpolated(lengths, [one.genuine_mean for one in self.scores], speech_seconds)
        deviation = _interpolated(lengths, [one.genuine_deviation for one in self.scores], speech_seconds)
        return mean, deviation


def _at_share(thresholds: Mapping[float, float], share: float) -> float:
    shares = sorted(thresholds)
    return _interpolated(
        [math.log(one) for one in shares], [thresholds[one] for one in shares], math.log(share)
    )


def _interpolated(places: list[float], values: list[float], place: float) -> float:
    if math.isnan(place):
        raise CalibrationUnusable("a length of speech or a share of strangers is not a number")
    after = bisect_left(places, place)
    if after == 0:
        return values[0]
    if after == len(places):
        return values[-1]
    part = (place - places[after - 1]) / (places[after] - places[after - 1])
    return values[after - 1] + part * (values[after] - values[after - 1])


class _ScoresFile(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    speech_seconds: float = Field(gt=0)
    thresholds: dict[float, float] = Field(min_length=1)
    genuine_mean: float
    genuine_deviation: float = Field(ge=0)

    @model_validator(mode="after")
    def _stricter_needs_more(self) -> Self:
        ordered = [self.thresholds[share] for share in sorted(self.thresholds)]
        if any(not 0 < share < 1 for share in self.thresholds):
            raise ValueError("shares of strangers lie between 0 and 1")
        if ordered != sorted(ordered, reverse=True):
            raise ValueError("fewer strangers need a higher threshold")
        return self


class _CalibrationFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(default=1, ge=1, le=1)
    model: str
    made_from: str
    scores: list[_ScoresFile] = Field(min_length=1)

    @model_validator(mode="after")
    def _shortest_first(self) -> Self:
        lengths = [one.speech_seconds for one in self.scores]
        if lengths != sorted(set(lengths)):
            raise ValueError("each length of speech once, the shortest first")
        return self


def read_calibration(file: Path, *, model: str) -> Calibration:
    """Read the calibration that stands beside a model.

    Args:
        file: `calibration.json`.
        model: the model that is in use.

    Raises:
        CalibrationUnusable: it is missing or damaged.
        CalibrationOfOtherModel: it was made with another model.
    """
    try:
        content = _CalibrationFile.model_validate_json(file.read_bytes())
    except OSError as error:
        raise CalibrationUnusable(f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise CalibrationUnusable(f"{file} is no calibration: {first['msg']}") from error
    if content.model != model:
        raise CalibrationOfOtherModel(f"{file} belongs to {content.model}, in use is {model}")
    return Calibration(
        model=content.model,
        made_from=content.made_from,
        scores=tuple(
            Scores(
                speech_seconds=one.speech_seconds,
                thresholds=dict(one.thresholds),
                genuine_mean=one.genuine_mean,
                genuine_deviation=one.genuine_deviation,
            )
            for one in content.scores
        ),
    )


def calibration_json(calibration: Calibration) -> str:
    """Return the calibration as the text of its file."""
    content = _CalibrationFile(
        model=calibration.model,
        made_from=calibration.made_from,
        scores=[
            _ScoresFile(
                speech_seconds=one.speech_seconds,
                thresholds={share: round(level, 4) for share, level in sorted(one.thresholds.items())},
                genuine_mean=round(one.genuine_mean, 4),
                genuine_deviation=round(one.genuine_deviation, 4),
            )
            for one in calibration.scores
        ],
    )
    return content.model_dump_json(indent=2) + "\n"
