"""What the parts of the policy share: their strict model, and how a workload is named in it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Score = Annotated[float, Field(ge=0, le=100)]
Pattern = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9*?\[\]!._-]+$")]
"""A name with wildcards * ? [ ]."""
WorkloadPattern = Annotated[
    str, Field(min_length=1, max_length=512, pattern=r"^[a-z0-9*?\[\]!._-]+(/[a-z0-9*?\[\]!._-]+){0,2}$")
]
"""`name`, `namespace/name` or `cluster-id/namespace/name`; each part may hold wildcards."""


class PolicySection(BaseModel):
    """A part of the policy: no unknown keys, never changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def names_workload(pattern: str, cluster_id: str, namespace: str, workload: str) -> bool:
    """Tell whether `name`, `namespace/name` or `cluster-id/namespace/name` means this workload."""
    wanted = pattern.split("/")
    whole = (cluster_id, namespace, workload)
    return all(fnmatchcase(part, one) for part, one in zip(whole[-len(wanted) :], wanted, strict=True))
