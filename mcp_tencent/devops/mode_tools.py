"""The tool that says how far the device may go by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from pydantic import Field

from mcp_tencent.basic.cluster_answers import Answer
from mcp_tencent.basic.errors import ProtectedNamespace
from mcp_tencent.basic.lookup import in_clusters
from mcp_tencent.basic.parameters import ClusterName
from mcp_tencent.devops.alerts.desk import AlertDesk
from mcp_tencent.devops.policy.model import HealingMode
from mcp_tencent.devops.policy.modes import EVERYWHERE, ModeChoice
from mcp_tencent.errors import InvalidRequest
from mcp_tencent.gateway.call import Arguments, Permission
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.serving.declare import DeclaredTool, DryRun, ToolSet
from mcp_tencent.serving.identity import caller_of

_WORDS = {
    HealingMode.OBSERVE: "只观察",
    HealingMode.PROPOSE: "先提议再处理",
    HealingMode.ACT: "自动处理",
}


class ModeAnswer(Answer):
    """The mode that holds now, or would."""

    dry_run: bool
    mode: HealingMode
    before: HealingMode = Field(description="What held there until now.")
    namespace: str | None = Field(description="null: everywhere.")
    cluster: str | None = Field(description="null: in every cluster.")
    ends_fall_back: bool = Field(
        description="The device had fallen back to observing after failures; this choice ends that."
    )


class NamespaceNeeded(InvalidRequest):
    """`act` is chosen for a namespace, never for all at once."""

    sentence = "自动处理要按命名空间一个一个打开，请说是哪个命名空间"
    hint = "Name the namespace."


def mode_tools(desk: AlertDesk) -> Sequence[DeclaredTool]:
    """Return the declared tool."""
    tools = ToolSet()

    @tools.dangerous(
        "设置自愈模式", read_back=_read_back, permission=Permission.CONFIGURE, naturally_idempotent=True
    )
    async def set_healing_mode(
        context: Context[Any, Any],
        mode: Annotated[
            Literal["observe", "propose", "act"],
            Field(description="observe: only report; propose: ask in the morning; act: heal by itself."),
        ],
        namespace: Annotated[
            str | None,
            Field(
                description="Name or alias of the namespace. Left out: everywhere, which `act` refuses.",
                min_length=1,
                max_length=200,
            ),
        ] = None,
        cluster: ClusterName = None,
        dry_run: DryRun = False,
    ) -> ModeAnswer:
        """Choose how far the device may go by itself in a namespace: observe, propose or act.

        For “交易命名空间可以自动处理”, “先别自动处理了，只观察”. Without a namespace it holds everywhere and
        replaces what was chosen for single ones. Protected namespaces refuse `act`.

        Example: set_healing_mode(mode="propose", namespace="trade").
        """
        place = await _place(desk, namespace, cluster)
        wanted = HealingMode(mode)
        if wanted is HealingMode.ACT:
            if place.namespace == EVERYWHERE:
                raise NamespaceNeeded("act must be chosen for a namespace")
            if desk.policy.current().policy.is_protected(place.namespace):
                raise ProtectedNamespace(place.namespace)
        book = await in_store(desk.modes.book)
        choice = ModeChoice(
            cluster_id=place.cluster_id,
            namespace=place.namespace,
            mode=wanted,
            chosen_by=caller_of(context.request_context, desk.otherwise).name,
            chosen_at=desk.basic.now(),
        )
        if not dry_run:
            await in_store(lambda: desk.modes.choose(choice))
        return ModeAnswer(
            summary=f"{'试运行，会改成：' if dry_run else '好的，'}{place.words}{_WORDS[wanted]}。",
            dry_run=dry_run,
            mode=wanted,
            before=book.mode_of(place.cluster_id, place.namespace),
            namespace=place.namespace or None,
            cluster=place.cluster_id or None,
            ends_fall_back=book.fallen_back is not None,
        )

    return tools.tools


class _Place:
    def __init__(self, cluster_id: str, namespace: str, words: str) -> None:
        self.cluster_id = cluster_id
        self.namespace = namespace
        self.words = words


async def _place(desk: AlertDesk, namespace: str | None, cluster: str | None) -> _Place:
    """Return what is meant; nothing is guessed.

    Raises:
        NotFound: There is no such cluster or namespace.
        Ambiguous: It sounds like several.
        InvalidRequest: A cluster without a namespace.
    """
    if namespace is None:
        if cluster is not None:
            raise InvalidRequest("name the namespace of the cluster, or leave the cluster out too")
        return _Place(EVERYWHERE, EVERYWHERE, "所有命名空间")
    scopes = await in_clusters(desk.basic, cluster, namespace)
    # What was only heard alike is refused here: the name must be exact, or an alias.
    names = set(
        await asyncio.gather(
            *(desk.basic.naming.namespace(namespace, one, certain=True) for one, _ in scopes)
        )
    )
    if len(names) != 1:
        raise InvalidRequest("the name means different namespaces in different clusters: name the cluster")
    name = names.pop()
    if cluster is None:
        return _Place(EVERYWHERE, name, f"所有集群的{name}命名空间")
    found = scopes[0][0]
    return _Place(found.cluster_id, name, f"{found.name}的{name}命名空间")


def _read_back(arguments: Arguments) -> str:
    try:
        words = _WORDS[HealingMode(str(arguments.get("mode")))]
    except ValueError:
        words = str(arguments.get("mode"))
    where = f"{arguments['namespace']}命名空间" if arguments.get("namespace") else "所有命名空间"
    cluster = f"{arguments['cluster']}的" if arguments.get("cluster") else ""
    return f"把{cluster}{where}的自愈模式改成{words}"
