"""All kinds of faults, told apart by the word after `kind:` in a scenario."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mcp_tencent.local_cloud.faults.bad_releases import BadConfig, BadImage, BadRevision
from mcp_tencent.local_cloud.faults.exhaustion import (
    ColdCache,
    Deadlock,
    MemoryLeak,
    Overload,
    QuotaExhausted,
)
from mcp_tencent.local_cloud.faults.surroundings import (
    AlreadyRecovered,
    DependencyDown,
    Flapping,
    LogAnomaly,
    NodeDown,
    NoisyNeighbour,
)

AnyFault = Annotated[
    BadImage
    | BadRevision
    | BadConfig
    | MemoryLeak
    | Overload
    | QuotaExhausted
    | ColdCache
    | Deadlock
    | DependencyDown
    | NoisyNeighbour
    | Flapping
    | AlreadyRecovered
    | LogAnomaly
    | NodeDown,
    Field(discriminator="kind"),
]
"""One fault of a scenario."""
