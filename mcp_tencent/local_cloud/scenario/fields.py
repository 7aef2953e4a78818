"""What scenario sections share: their strict model, workload references, log line templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, WithJsonSchema

from mcp_tencent.local_cloud.conditions import LogPattern

_REFERENCE = re.compile(r"([a-z0-9][a-z0-9-]*)/([a-z0-9][a-z0-9-]*)/([a-z0-9][a-z0-9.-]*)")


class ScenarioModel(BaseModel):
    """A section of a scenario: no unknown keys, no silent conversions, never changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Rung(StrEnum):
    """A kind of healing step, as the remediation ladder names them."""

    RESTART = "restart"
    REFRESH = "refresh"
    """Restart so that a configuration that was already put right is read."""
    SCALE = "scale"
    ROLL_BACK = "roll_back"
    ISOLATE = "isolate"
    RESTORE = "restore"
    """Put a changed object (a ConfigMap, a template) back to what it was."""


@dataclass(frozen=True, slots=True, order=True)
class WorkloadRef:
    """Names one workload of one cluster."""

    cluster: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}/{self.name}"


def parse_workload_ref(text: object) -> WorkloadRef:
    """Read `cluster-id/namespace/name`.

    Raises:
        ValueError: `text` is not of that form.
    """
    if isinstance(text, WorkloadRef):
        return text
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("expected cluster-id/namespace/workload")
    return WorkloadRef(*found.groups())


WorkloadRefField = Annotated[
    WorkloadRef,
    PlainValidator(parse_workload_ref),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_REFERENCE.pattern}$"}),
]
"""A workload as a field of a scenario."""

KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
"""A name that the Kubernetes API accepts for namespaces, workloads and configuration."""


class LogLineTemplate(ScenarioModel):
    """One kind of log line."""

    template: str = Field(min_length=1, max_length=8_000)
    """Text with {slots}; several lines make a stack trace."""
    level: str = Field(default="ERROR", pattern="^(DEBUG|INFO|WARN|ERROR)$")
    per_minute: float = Field(default=6.0, gt=0, le=1_000_000)
    """Mean lines a minute of the whole workload at season factor 1."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Further indexed fields and their templates."""

    def pattern(self, factor: float = 1.0) -> LogPattern:
        """Return it as the log generator reads it, `factor` times as often."""
        return LogPattern(
            template=self.template,
            level=self.level,
            per_minute=self.per_minute * factor,
            fields=tuple(self.fields.items()),
        )
