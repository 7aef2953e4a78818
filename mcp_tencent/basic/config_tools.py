"""Tools for services and configuration: looking at them, and changing configuration."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from mcp_tencent.basic.action_answers import ConfigActionAnswer, field_lines, fields_left_out
from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.lookup import cluster_words, gathered, in_clusters
from mcp_tencent.basic.paging import Cursor, cut, page_of
from mcp_tencent.basic.parameters import ClusterName, NamespaceName
from mcp_tencent.basic.wording import some
from mcp_tencent.basic.workload_answers import ConfigAnswer, ConfigEntryLine, ServiceLine, ServicesAnswer
from mcp_tencent.errors import InvalidRequest, WrongState
from mcp_tencent.gateway.call import Arguments, NamespaceOf
from mcp_tencent.models.changes import ChangeKind
from mcp_tencent.models.clusters import Cluster
from mcp_tencent.models.workloads import Config, ConfigEntry, ConfigKind, Service, Workload
from mcp_tencent.naming.located import LocatedConfig
from mcp_tencent.serving.declare import DryRun, ToolSet

_KINDS = {"configmap": ConfigKind.CONFIG_MAP, "secret": ConfigKind.SECRET}
_KIND_WORDS = {ConfigKind.CONFIG_MAP: "配置", ConfigKind.SECRET: "密钥配置"}
_LONGEST_VALUE = 1000
_MOST_KEYS = 50
_MOST_BYTES = 256 * 1024
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")  # Kubernetes: validation of the keys of a ConfigMap

KindName = Annotated[Literal["configmap", "secret"], Field(description="ConfigMap or Secret.")]
ConfigName = Annotated[
    str,
    Field(description="Name of the ConfigMap or Secret, e.g. order-config.", min_length=1, max_length=253),
]


def config_tools(desk: BasicDesk) -> ToolSet:
    """Declare the tools."""
    tools = ToolSet(outside="kubernetes", namespace_of=_namespace_of(desk))
    _declare_services(tools, desk)
    _declare_get(tools, desk)
    _declare_update(tools, desk)
    return tools


def _declare_services(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("列出服务", cache_s=5.0)
    async def list_services(
        namespace: NamespaceName = None, cluster: ClusterName = None, cursor: Cursor = None
    ) -> ServicesAnswer:
        """List Kubernetes Services: names, addresses and ports behind which pods stand; open ones first.

        For “哪些服务对外开放”. Not for workloads, which people also call services: that is list_workloads.

        Example: list_services(namespace="trade").
        """
        scopes = await in_clusters(desk, cluster, namespace)
        answers = await gathered(scopes, lambda one, place: desk.inside(one).services(namespace=place))
        found = answers.found
        found.sort(key=lambda pair: (not _is_open(pair[1]), pair[1].namespace, pair[1].name))
        page = page_of(found, lambda pair: _service_line(*pair), cursor=cursor)
        return ServicesAnswer(
            summary=answers.told(_services_summary(cluster_words(scopes), [item for _, item in found])),
            silent=answers.silent,
            services=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _declare_get(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.read("查看配置", cache_s=3.0)
    async def get_config(
        kind: KindName,
        name: ConfigName,
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        cursor: Cursor = None,
    ) -> ConfigAnswer:
        """Show the keys and values of a ConfigMap; of a Secret only keys and sizes, never values.

        For “订单配置里连接池是多少”. To change it use update_config.

        Example: get_config(kind="configmap", name="order-config", namespace="trade").
        """
        found = await desk.naming.config(name, _KINDS[kind], namespace=namespace, cluster=cluster)
        inside = desk.inside(found.cluster)
        config, workloads = await asyncio.gather(
            inside.config(found.kind, found.namespace, found.name),
            inside.workloads(namespace=found.namespace),
        )
        page = page_of(config.entries, _entry_line, cursor=cursor, budget_bytes=2800)
        readers = _readers(config.kind, config.name, workloads)
        return ConfigAnswer(
            summary=_config_summary(found, config, readers),
            kind=config.kind.value,
            name=config.name,
            namespace=config.namespace,
            cluster=found.cluster.cluster_id,
            immutable=config.immutable,
            changed_at=desk.told(config.changed_at),
            used_by=readers[:10],
            entries=page.items,
            left_out=page.left_out,
            cursor=page.cursor,
        )


def _declare_update(tools: ToolSet, desk: BasicDesk) -> None:
    @tools.dangerous("修改配置", read_back=_read_back)
    async def update_config(
        kind: KindName,
        name: ConfigName,
        changes: Annotated[
            dict[str, str | None],
            Field(
                description="New values by key; null removes a key. Values are text, as programs read them: "
                'write numbers as "32".',
                min_length=1,
                max_length=_MOST_KEYS,
            ),
        ],
        namespace: NamespaceName = None,
        cluster: ClusterName = None,
        dry_run: DryRun = False,
    ) -> ConfigActionAnswer:
        """Set or remove keys of a ConfigMap or Secret that exists. Programs see it after a restart.

        For “把订单配置的连接池改成 32”. To create one use apply_manifest; to make workloads read the change,
        restart_workload. Values of a Secret are never repeated. Undone by writing the old values, or by
        restoring a checkpoint.

        Example: update_config(kind="configmap", name="order-config", changes={"db.pool.size": "32"}).
        """
        _check_changes(changes)
        found = await desk.naming.config(
            name, _KINDS[kind], namespace=namespace, cluster=cluster, certain=True
        )
        desk.bounds.check_namespace(found.namespace)
        inside = desk.inside(found.cluster)
        config = await inside.config(found.kind, found.namespace, found.name)
        if config.immutable:
            raise WrongState(f"{found.kind} {found.namespace}/{found.name} is immutable")
        _check_present(config, changes)
        readers = _readers(found.kind, found.name, await inside.workloads(namespace=found.namespace))
        change = await inside.update_config(
            found.kind, found.namespace, found.name, changes, dry_run=dry_run, idempotency_key=desk.new_key()
        )
        return ConfigActionAnswer(
            summary=_update_summary(found, list(changes), change.kind, readers, dry_run=dry_run),
            dry_run=dry_run,
            cluster=found.cluster.cluster_id,
            namespace=found.namespace,
            kind=found.kind.value,
            name=found.name,
            change=change.kind.value,
            fields=field_lines(change),
            fields_left_out=fields_left_out(change),
            keys=[cut(key, 80) for key in list(changes)[:20]],
            used_by=readers[:10],
        )


def _namespace_of(desk: BasicDesk) -> NamespaceOf:
    async def namespace_of(arguments: Arguments) -> str | None:
        kind, name = arguments.get("kind"), arguments.get("name")
        namespace, cluster = arguments.get("namespace"), arguments.get("cluster")
        if not isinstance(kind, str) or kind not in _KINDS or not isinstance(name, str):
            return None
        found = await desk.naming.config(
            name,
            _KINDS[kind],
            namespace=namespace if isinstance(namespace, str) else None,
            cluster=cluster if isinstance(cluster, str) else None,
            certain=True,
        )
        return found.namespace

    return namespace_of


def _read_back(arguments: Arguments) -> str:
    """Return what a person confirms: every key, and of a ConfigMap every value; of a Secret none."""
    changes = arguments.get("changes")
    assert isinstance(changes, dict)  # noqa: S101 - the arguments have been checked before
    secret = arguments.get("kind") == "secret"
    parts = [
        f"删除{key}" if value is None else f"设置{key}" if secret else f"{key}改成{cut(str(value), 60)}"
        for key, value in changes.items()
    ]
    places = [str(arguments[key]) for key in ("cluster", "namespace") if arguments.get(key)]
    where = f"{'的'.join(places)}的" if places else ""
    return f"修改{where}{_KIND_WORDS[_KINDS[str(arguments['kind'])]]}{arguments['name']}：{'，'.join(parts)}"


def _check_changes(changes: dict[str, str | None]) -> None:
    for key in changes:
        if not _KEY.fullmatch(key) or key in (".", ".."):
            raise InvalidRequest("a key has 1 to 253 letters, digits, '-', '_' or '.'")
    size = sum(len((value or "").encode("utf-8", "surrogatepass")) for value in changes.values())
    if size > _MOST_BYTES:
        raise InvalidRequest(f"the values have {size} bytes together; {_MOST_BYTES} are the most")


def _check_present(config: Config, changes: dict[str, str | None]) -> None:
    known = {entry.key for entry in config.entries}
    for key, value in changes.items():
        if value is None and key not in known:
            raise InvalidRequest(f"{config.namespace}/{config.name} has no key {key!r} that could be removed")


def _is_open(service: Service) -> bool:
    return service.kind in ("LoadBalancer", "NodePort") or bool(service.external_addresses)


def _service_line(cluster: Cluster, service: Service) -> ServiceLine:
    return ServiceLine(
        name=service.name,
        namespace=service.namespace,
        cluster=cluster.name,
        kind=service.kind,
        cluster_address=service.cluster_address,
        external_addresses=list(service.external_addresses[:5]),
        ports=[f"{port.port}→{port.target}/{port.protocol}" for port in service.ports[:8]],
        selector=dict(list(service.selector.items())[:5]),
    )


def _services_summary(where: str, services: Sequence[Service]) -> str:
    if not services:
        return f"{where}没有Service。"
    open_ones = [service.name for service in services if _is_open(service)]
    state = f"对外开放的有{len(open_ones)}个：{some(open_ones)}" if open_ones else "都不对外开放"
    return f"{where}有{len(services)}个Service，{state}。"


def _entry_line(entry: ConfigEntry) -> ConfigEntryLine:
    value = entry.value
    if value is None:
        return ConfigEntryLine(key=entry.key, size_bytes=entry.size_bytes, value=None)
    return ConfigEntryLine(
        key=entry.key,
        size_bytes=entry.size_bytes,
        value=cut(value, _LONGEST_VALUE),
        shortened=len(value) > _LONGEST_VALUE,
    )


def _readers(kind: ConfigKind, name: str, workloads: Sequence[Workload]) -> list[str]:
    return [
        f"{one.ref.namespace}/{one.ref.name}"
        for one in workloads
        if any(use.kind is kind and use.name == name for use in one.config)
    ]


def _config_summary(found: LocatedConfig, config: Config, readers: Sequence[str]) -> str:
    what = f"{_KIND_WORDS[config.kind]}{config.name}"
    keys = some([entry.key for entry in config.entries], 4)
    values = "，值不能显示" if config.kind is ConfigKind.SECRET else ""
    used = f"，{some([one.rpartition('/')[2] for one in readers])}在用" if readers else "，没有工作负载在用"
    return f"{found.preface}{what}有{len(config.entries)}项：{keys}{values}{used}。"


def _update_summary(
    found: LocatedConfig, keys: Sequence[str], change: ChangeKind, readers: Sequence[str], *, dry_run: bool
) -> str:
    what = f"{_KIND_WORDS[found.kind]}{found.name}的{some(keys)}"
    if change is ChangeKind.UNCHANGED:
        return f"{what}本来就是这样，没有改动。"
    said = f"试运行：会修改{what}，没有改动" if dry_run else f"{what}已经修改"
    used = (
        f"，{some([one.rpartition('/')[2] for one in readers])}重启后生效"
        if readers
        else "，没有工作负载在用"
    )
    return f"{said}{used}。"
