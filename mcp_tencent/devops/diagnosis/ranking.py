"""Evidence to ranked causes (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mcp_tencent.devops.diagnosis import rules_changes, rules_load, rules_surroundings
from mcp_tencent.devops.diagnosis.causes import Cause, CauseKind, Sign, Suspicion
from mcp_tencent.devops.diagnosis.evidence import Evidence
from mcp_tencent.devops.diagnosis.picture import Picture, picture_of
from mcp_tencent.devops.diagnosis.prospects import prospects

WORTH_NAMING = 0.15
"""Causes below this confidence are left out."""

RULES: Sequence[Callable[[Picture], Suspicion]] = (
    rules_changes.bad_image,
    rules_changes.bad_release,
    rules_changes.bad_configuration,
    rules_changes.stale_configuration,
    rules_load.memory_leak,
    rules_load.quota_exhausted,
    rules_load.overload,
    rules_load.no_room,
    rules_load.cold_cache,
    rules_load.stuck,
    rules_load.storage_full,
    rules_surroundings.node_down,
    rules_surroundings.dependency_down,
    rules_surroundings.noisy_neighbour,
    rules_surroundings.flapping,
    rules_surroundings.crashing,
    rules_surroundings.isolated,
    rules_surroundings.unusual_logs,
    rules_surroundings.already_recovered,
    rules_surroundings.nothing_wrong,
)
"""Each looks for one cause; of two that are equally sure the earlier comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is likely the matter with a workload."""

    picture: Picture
    causes: tuple[Cause, ...]
    """Most likely first; never empty."""

    @property
    def first(self) -> Cause:
        """The most likely cause."""
        return self.causes[0]


def diagnose(evidence: Evidence) -> Diagnosis:
    """Return the likely causes of what `evidence` shows."""
    picture = picture_of(evidence)
    found = [
        _cause(suspicion, picture)
        for suspicion in (rule(picture) for rule in RULES)
        if suspicion.confidence >= WORTH_NAMING
    ]
    found.sort(key=lambda cause: -round(cause.confidence, 3))
    return Diagnosis(picture=picture, causes=tuple(found) or (_unknown(picture),))


def _cause(suspicion: Suspicion, picture: Picture) -> Cause:
    culprit = _culprit(suspicion.kind, picture)
    return Cause(
        kind=suspicion.kind,
        confidence=suspicion.confidence,
        signs=suspicion.signs,
        prospects=prospects(suspicion.kind, picture, culprit=culprit),
        culprit=culprit,
    )


def _culprit(kind: CauseKind, picture: Picture) -> str:
    match kind:
        case CauseKind.DEPENDENCY_DOWN:
            return rules_surroundings.dependency_blamed(picture)
        case CauseKind.NODE_DOWN:
            return rules_surroundings.node_blamed(picture)
        case CauseKind.NOISY_NEIGHBOUR:
            loud = rules_surroundings.loudest_neighbour(picture.evidence)
            return loud.workload.name if loud is not None else ""
        case _:
            return ""


def _unknown(picture: Picture) -> Cause:
    if picture.errors.current is not None:
        text = "错误在增加，但是没有找到能解释它的改动或者异常"
    elif picture.troubled:
        text = "有副本不正常，但是没有找到原因"
    else:
        text = "证据不足"
    return Cause(
        kind=CauseKind.UNKNOWN,
        confidence=0.1,
        signs=(Sign(text=text, weight=0.1),),
        prospects=prospects(CauseKind.UNKNOWN, picture),
    )
