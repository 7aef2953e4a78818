"""Which ConfigMaps and Secrets a container needs, and what is missing of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mcp_tencent.local_cloud.conditions import KubernetesObject

Find = Callable[[str, str], KubernetesObject | None]
"""Returns a ConfigMap or Secret by kind and name."""


def references(spec: KubernetesObject) -> Iterator[tuple[str, str, str | None, bool, bool]]:
    """Yield (kind, name, key or None, optional, as a volume) for everything that a pod spec refers to."""
    for container in spec.get("containers") or ():
        for source in container.get("envFrom") or ():
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if field in source:
                    yield (
                        kind,
                        source[field].get("name", ""),
                        None,
                        bool(source[field].get("optional")),
                        False,
                    )
        for variable in container.get("env") or ():
            origin = variable.get("valueFrom") or {}
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if field in origin:
                    reference = origin[field]
                    yield (
                        kind,
                        reference.get("name", ""),
                        reference.get("key"),
                        bool(reference.get("optional")),
                        False,
                    )
    for volume in spec.get("volumes") or ():
        if "configMap" in volume:
            yield (
                "ConfigMap",
                volume["configMap"].get("name", ""),
                None,
                bool(volume["configMap"].get("optional")),
                True,
            )
        if "secret" in volume:
            yield (
                "Secret",
                volume["secret"].get("secretName", ""),
                None,
                bool(volume["secret"].get("optional")),
                True,
            )


def missing_volume(spec: KubernetesObject, find: Find) -> str | None:
    """Return why a volume cannot be mounted, in the kubelet's words, or None."""
    for kind, name, _, optional, is_volume in references(spec):
        if is_volume and not optional and find(kind, name) is None:
            return f'MountVolume.SetUp failed for volume "{name}" : {kind.lower()} "{name}" not found'
    return None


def missing_configuration(spec: KubernetesObject, namespace: str, find: Find) -> str | None:
    """Return why a container cannot be created, in the kubelet's words, or None."""
    for kind, name, key, optional, is_volume in references(spec):
        if optional or is_volume:
            continue
        found = find(kind, name)
        if found is None:
            return f'{kind.lower()} "{name}" not found'
        if key is not None and key not in {**(found.get("data") or {}), **(found.get("binaryData") or {})}:
            return f"couldn't find key {key} in {kind} {namespace}/{name}"
    return None
