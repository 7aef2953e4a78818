"""Who may do what with a cluster's objects, in the manner of RBAC. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """Grants verbs on resources in namespaces; "*" stands for all."""

    namespaces: tuple[str, ...] = ("*",)
    """With "*", cluster-scoped resources and lists over all namespaces are meant too."""
    verbs: tuple[str, ...] = ("*",)
    """get, list, watch, create, update, patch, delete, deletecollection."""
    resources: tuple[str, ...] = ("*",)
    """Plurals, with the subresource where one is meant: pods, pods/log, deployments/scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesUser:
    """Somebody whom a bearer token stands for."""

    name: str
    rules: tuple[AccessRule, ...] = (AccessRule(),)

    def may(self, verb: str, resource: str, namespace: str) -> bool:
        """Tell whether `verb` on `resource` is granted.

        Args:
            verb: as RBAC calls it.
            resource: plural, with subresource: deployments/scale.
            namespace: empty for the cluster as a whole.
        """
        return any(_grants(rule, verb, resource, namespace) for rule in self.rules)


def _grants(rule: AccessRule, verb: str, resource: str, namespace: str) -> bool:
    _, _, subresource = resource.partition("/")
    names = {"*", resource, f"*/{subresource}"} if subresource else {"*", resource}
    return (
        ("*" in rule.verbs or verb in rule.verbs)
        and not names.isdisjoint(rule.resources)
        and ("*" in rule.namespaces or (namespace != "" and namespace in rule.namespaces))
    )


def refusal_sentence(
    user: KubernetesUser, verb: str, resource: str, group: str, namespace: str, name: str
) -> str:
    """Return why the API server refuses, in its own words."""
    plural = resource.partition("/")[0]
    subject = f'{plural} "{name}" is forbidden' if name else f"{plural} is forbidden"
    if group:
        subject = subject.replace(plural, f"{plural}.{group}", 1)
    place = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    return f'{subject}: User "{user.name}" cannot {verb} resource "{resource}" in API group "{group}" {place}'
