"""Faults that come with a change: an image that is not there, a revision that fails, a wrong configuration.

They hold for the pods that run the image or have read the value; rolling back (or restoring the value and
restarting) cures them, and nothing else does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from mcp_tencent.local_cloud.conditions import Condition, ContainerExit, PodBehaviour
from mcp_tencent.local_cloud.faults.fault import Fault, PodFacts, Scene, WorkloadFacts, afflicted, lines_or
from mcp_tencent.local_cloud.scenario.fields import LogLineTemplate, Rung, WorkloadRef, WorkloadRefField
from mcp_tencent.local_cloud.scenario.moments import Ratio

_REVISION_LINES = (
    LogLineTemplate(
        template=(
            "订单状态更新失败 order={order_id} user={user_id}: 空指针异常\n"
            'java.lang.NullPointerException: Cannot invoke "Coupon.getAmount()" because it is null\n'
            "\tat com.shop.trade.PriceCalculator.discount(PriceCalculator.java:88)\n"
            "\tat com.shop.trade.OrderService.confirm(OrderService.java:214)\n"
            "\tat com.shop.trade.OrderController.confirm(OrderController.java:57)"
        ),
        per_minute=4.8,
        fields={"status": "500"},
    ),
    LogLineTemplate(
        template="request failed path=/api/confirm status=500 cost={latency_ms}ms",
        per_minute=8,
        fields={"status": "500"},
    ),
)
_CONFIG_LINES = (
    LogLineTemplate(
        template="failed to initialise connection pool: invalid value in {config}: {key}={value}",
        per_minute=4,
    ),
    LogLineTemplate(template="配置项 {key} 的值无效: {value}，请检查配置 {config}", per_minute=2.4),
)


class _OfImage(Fault):
    """A fault of the pods that run one image."""

    workload: WorkloadRefField
    image: str = Field(min_length=1)
    """The image, with its tag, that one of the workload's revisions brings."""

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the workload."""
        return (self.workload,)


class BadImage(_OfImage):
    """The image cannot be pulled: new pods hang, the rollout never completes, old pods serve on."""

    CURES: ClassVar[frozenset[Rung]] = frozenset({Rung.ROLL_BACK})

    kind: Literal["bad_image"]
    message: str = "manifest unknown: manifest unknown"

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Let the pull of the image fail."""
        if self.image not in pod.images:
            return behaviour
        reference = f'failed to pull and unpack image "{self.image}"'
        return replace(
            behaviour, image_error=f"rpc error: code = NotFound desc = {reference}: {self.message}"
        )


class BadRevision(_OfImage):
    """A release with a bug: its pods fail part of their requests, or crash soon after they start."""

    CURES: ClassVar[frozenset[Rung]] = frozenset({Rung.ROLL_BACK})

    kind: Literal["bad_revision"]
    error_ratio: Ratio = 0.35
    latency: float = Field(default=1.6, ge=1)
    crashes_after_seconds: float | None = Field(default=None, gt=0)
    """Set: its containers exit with code 1 that long after their start, again and again."""
    lines: tuple[LogLineTemplate, ...] = ()

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Let the release's containers crash, if they do."""
        if self.image not in pod.images or self.crashes_after_seconds is None:
            return behaviour
        crash = ContainerExit(after_seconds=self.crashes_after_seconds, code=1, reason="Error")
        return replace(behaviour, exit=crash)

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Let the share of pods with the bug fail its share of requests."""
        affected = [pod for pod in workload.pods if self.image in pod.images and pod.started_at is not None]
        share = workload.share(sum(pod.ready for pod in affected))
        if self.crashes_after_seconds is not None and affected:
            share = max(share, len(affected) / len(workload.pods))
        return afflicted(
            condition,
            error_ratio=self.error_ratio * share,
            latency=1 + (self.latency - 1) * share,
            patterns=lines_or(self.lines, _REVISION_LINES, share),
        )


class BadConfig(Fault):
    """A wrong value in a ConfigMap: it hurts the pods that have read it, which they do when they start.

    Putting the value right helps only after a restart; when it was put right already, a restart is enough.
    """

    CURES: ClassVar[frozenset[Rung]] = frozenset({Rung.RESTORE, Rung.RESTART, Rung.REFRESH})

    kind: Literal["bad_config"]
    workload: WorkloadRefField
    config: str
    """Name of the ConfigMap, in the workload's namespace."""
    key: str
    value: str
    """The wrong value."""
    crashes: bool = False
    """The container exits at start-up, rather than failing requests."""
    error_ratio: Ratio = 0.5
    lines: tuple[LogLineTemplate, ...] = ()

    def concerns(self) -> tuple[WorkloadRef, ...]:
        """Return the workload."""
        return (self.workload,)

    def _has_read_it(self, pod: PodFacts) -> bool:
        return pod.config.get(self.config, {}).get(self.key) == self.value

    def behave(
        self, pod: PodFacts, workload: WorkloadFacts, behaviour: PodBehaviour, scene: Scene
    ) -> PodBehaviour:
        """Let containers that read the value exit, if they do."""
        if not self.crashes or not self._has_read_it(pod):
            return behaviour
        return replace(
            behaviour,
            ready_after_seconds=None,
            exit=ContainerExit(after_seconds=4.0, code=1, reason="Error"),
        )

    def fare(self, workload: WorkloadFacts, condition: Condition, scene: Scene) -> Condition:
        """Let the share of pods that read the value fail."""
        affected = [pod for pod in workload.pods if self._has_read_it(pod)]
        if not affected:
            return condition
        ready = workload.share(sum(pod.ready for pod in affected))
        share = len(affected) / len(workload.pods)
        words = {"{config}": self.config, "{key}": self.key, "{value}": self.value}
        usual = tuple(
            line.model_copy(update={"template": _with_words(line.template, words)}) for line in _CONFIG_LINES
        )
        return afflicted(
            condition,
            error_ratio=self.error_ratio * ready,
            patterns=lines_or(self.lines, usual, share),
        )


def _with_words(template: str, words: dict[str, str]) -> str:
    for slot, word in words.items():
        # Braces in a configuration value would read as slots of the log generator.
        template = template.replace(slot, word.replace("{", "(").replace("}", ")"))
    return template
