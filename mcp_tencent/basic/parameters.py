"""Parameters that many tools share, with the descriptions that a model reads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

_LONGEST = 200

ClusterName = Annotated[
    str | None,
    Field(
        description="Id, name or alias of a cluster, e.g. cls-1a2b3c4d or 生产. Left out: the default one.",
        min_length=1,
        max_length=_LONGEST,
    ),
]
NamespaceName = Annotated[
    str | None,
    Field(
        description="Name or alias of a namespace, e.g. trade or 交易. Left out: all of them.",
        min_length=1,
        max_length=_LONGEST,
    ),
]
WorkloadName = Annotated[
    str,
    Field(
        description="Name or alias of a workload, e.g. order-service, trade/order-service or 订单服务.",
        min_length=1,
        max_length=_LONGEST,
    ),
]
PodName = Annotated[
    str,
    Field(
        description="Full name of a pod, e.g. order-service-7d9f8b6c5d-x2x9z.",
        min_length=1,
        max_length=_LONGEST,
    ),
]
PeriodText = Annotated[
    str,
    Field(
        description='How far back from now ("15m" "1h" "24h" "7d"), "today", "yesterday", a date such as '
        "2026-11-20, or start/end in ISO 8601 with seconds and offset.",
        max_length=80,
    ),
]
