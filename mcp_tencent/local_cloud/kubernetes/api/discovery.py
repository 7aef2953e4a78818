"""What the API says of itself: versions, groups, resources. Pure."""

from __future__ import annotations

from mcp_tencent.local_cloud.conditions import KubernetesObject
from mcp_tencent.local_cloud.kubernetes.cluster import VERSION
from mcp_tencent.local_cloud.kubernetes.kinds import GROUPS, KINDS, ResourceKind

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def version() -> KubernetesObject:
    """Return what GET /version answers."""
    return {
        "major": "1",
        "minor": "32",
        "gitVersion": VERSION,
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2025-03-20T00:00:00Z",
        "goVersion": "go1.23.6",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def core_versions() -> KubernetesObject:
    """Return what GET /api answers."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group(name: str) -> KubernetesObject | None:
    """Return what GET /apis/<name> answers, or None for an unknown group."""
    versions = dict(GROUPS).get(name)
    if versions is None:
        return None
    listed = [{"groupVersion": f"{name}/{item}", "version": item} for item in versions]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": listed,
        "preferredVersion": listed[0],
    }


def groups() -> KubernetesObject:
    """Return what GET /apis answers."""
    found = []
    for name, _ in GROUPS:
        entry = group(name) or {}
        found.append({key: entry[key] for key in ("name", "versions", "preferredVersion")})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def resources(group_name: str, version_name: str) -> KubernetesObject | None:
    """Return what GET /apis/<group>/<version> answers, or None for an unknown one."""
    if group_name and version_name not in dict(GROUPS).get(group_name, ()):
        return None
    if not group_name and version_name != "v1":
        return None
    listed: list[KubernetesObject] = []
    for item in KINDS:
        if (item.group, item.version) == (group_name, version_name):
            listed += _entries(item)
    listed += _WITHOUT_STORAGE.get((group_name, version_name), [])
    api_version = f"{group_name}/{version_name}" if group_name else version_name
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": listed}


def _entries(item: ResourceKind) -> list[KubernetesObject]:
    main: KubernetesObject = {
        "name": item.plural,
        "singularName": item.singular,
        "namespaced": item.namespaced,
        "kind": item.kind,
        "verbs": list(item.verbs),
    }
    if item.short_names:
        main["shortNames"] = list(item.short_names)
    if item.categories:
        main["categories"] = list(item.categories)
    entries = [main]
    if item.status:
        entries.append(_sub(item, "status", item.kind, ["get", "patch", "update"]))
    if item.scale:
        scale = _sub(item, "scale", "Scale", ["get", "patch", "update"])
        entries.append({**scale, "group": "autoscaling", "version": "v1"})
    if item.kind == "Pod":
        entries.append(_sub(item, "log", "Pod", ["get"]))
        entries.append(_sub(item, "binding", "Binding", ["create"]))
        entries.append({**_sub(item, "eviction", "Eviction", ["create"]), "group": "policy", "version": "v1"})
    return entries


def _sub(item: ResourceKind, name: str, kind: str, verbs: list[str]) -> KubernetesObject:
    return {
        "name": f"{item.plural}/{name}",
        "singularName": "",
        "namespaced": item.namespaced,
        "kind": kind,
        "verbs": verbs,
    }


def _virtual(name: str, kind: str, verbs: list[str], *, namespaced: bool = False) -> KubernetesObject:
    return {"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": verbs}


_WITHOUT_STORAGE: dict[tuple[str, str], list[KubernetesObject]] = {
    ("authorization.k8s.io", "v1"): [
        _virtual("selfsubjectaccessreviews", "SelfSubjectAccessReview", ["create"]),
        _virtual("selfsubjectrulesreviews", "SelfSubjectRulesReview", ["create"]),
    ],
    ("authentication.k8s.io", "v1"): [_virtual("selfsubjectreviews", "SelfSubjectReview", ["create"])],
    ("metrics.k8s.io", "v1beta1"): [
        _virtual("nodes", "NodeMetrics", ["get", "list"]),
        _virtual("pods", "PodMetrics", ["get", "list"], namespaced=True),
    ],
}


def aggregated(*, core: bool) -> KubernetesObject:
    """Return the aggregated discovery of the core group or of the named ones (kubectl 1.26 and later)."""
    names = [("", ("v1",))] if core else list(GROUPS)
    items = []
    for name, versions in names:
        listed = []
        for item in versions:
            found = (resources(name, item) or {})["resources"]
            listed.append({"version": item, "freshness": "Current", "resources": _nested(name, item, found)})
        items.append({"metadata": {"name": name} if name else {}, "versions": listed})
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def _nested(group_name: str, version_name: str, flat: list[KubernetesObject]) -> list[KubernetesObject]:
    found: dict[str, KubernetesObject] = {}
    for item in flat:
        plural, _, sub = item["name"].partition("/")
        kind = {
            "group": item.get("group", group_name),
            "version": item.get("version", version_name),
            "kind": item["kind"],
        }
        if sub:
            entry = {"subresource": sub, "responseKind": kind, "verbs": item["verbs"]}
            found[plural].setdefault("subresources", []).append(entry)
            continue
        found[plural] = {
            "resource": plural,
            "responseKind": kind,
            "scope": "Namespaced" if item["namespaced"] else "Cluster",
            "singularResource": item["singularName"],
            "verbs": item["verbs"],
        }
        for key in ("shortNames", "categories"):
            if key in item:
                found[plural][key] = item[key]
    return list(found.values())
