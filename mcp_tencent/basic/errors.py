"""What the basic tools refuse by themselves, before anything is asked of a cloud.

RequestRefused (mcp_tencent.errors)
├── ProtectedNamespace       the cluster itself lives there: it is not changed by voice
└── InvalidRequest
    ├── OutOfBounds          less or more than is allowed
    │   └── OverLimit        more than the house allows at once
    ├── Incomplete           it is not said what is meant
    └── ManifestRefused      no manifest, not a single one, or of a kind that is not applied by voice
"""

from __future__ import annotations

from mcp_tencent.errors import InvalidRequest, RequestRefused


class ProtectedNamespace(RequestRefused):
    """The namespace holds what the cluster itself lives on.

    Args:
        namespace: The namespace.
    """

    sentence = "这是受保护的系统命名空间，不能在这里改动"
    hint = "Change system components with the cluster's own tools, or take the namespace off the list."

    def __init__(self, namespace: str) -> None:
        super().__init__(f"the namespace {namespace} is protected: nothing was changed")


class OutOfBounds(InvalidRequest):
    """Less or more than is allowed.

    Args:
        detail: As in CloudError.
        spoken: The bounds, Chinese, fit to be spoken.
    """

    hint = "Ask for a number within the bounds."

    def __init__(self, detail: str, *, spoken: str) -> None:
        super().__init__(detail)
        self._spoken = spoken

    @property
    def spoken(self) -> str:
        """Name the bounds."""
        return self._spoken


class OverLimit(OutOfBounds):
    """More than the house allows at once.

    Args:
        detail: As in CloudError.
        limit: The most that is allowed.
        what: What is counted, Chinese.
    """

    hint = "Ask for less, or have an administrator raise the limit in the settings."

    def __init__(self, detail: str, *, limit: int, what: str) -> None:
        super().__init__(detail, spoken=f"太多了，{what}最多{limit}个，没有执行")


class Incomplete(InvalidRequest):
    """It is not said which pod or workload is meant."""

    sentence = "请说要看哪个服务，或者哪个 Pod"
    hint = "Give workload or pod."


class ManifestRefused(InvalidRequest):
    """The manifest cannot or may not be applied; `detail` says why and where."""

    sentence = "这份清单不能应用，没有执行"
    hint = "Give one YAML or JSON document of an object inside a namespace; see the detail."
