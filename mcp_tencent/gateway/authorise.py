"""Who may call what."""

from __future__ import annotations

from mcp_tencent.gateway.call import Caller, CallerKind, Permission, Proceed, Result, ToolCall
from mcp_tencent.gateway.errors import CallerUnknown, NamespaceNotPermitted, NotPermitted

NOBODY = Caller(name="", kind=CallerKind.PERSON, permissions=frozenset())
"""Somebody who was not recognised: is refused everything, and the refusal is on record."""


async def authorise(call: ToolCall, proceed: Proceed) -> Result:
    """Let the caller through who has the tool's permission, in the namespace that the call means.

    Raises:
        CallerUnknown: Nobody was recognised.
        NotPermitted: The permission is missing.
        NamespaceNotPermitted: It holds elsewhere, or nobody can tell which namespace is meant.
    """
    if not call.caller.name:
        raise CallerUnknown("the caller was not recognised")
    if not call.caller.may(call.tool.permission):
        raise NotPermitted(f"{call.tool.name} needs the permission {call.tool.permission.value}")
    await _check_namespace(call)
    return await proceed(call)


async def _check_namespace(call: ToolCall) -> None:
    limited_to = call.caller.namespaces
    if limited_to is None or call.tool.permission is not Permission.ROLLBACK or not call.tool.risk.acts:
        return
    meant = await _namespace(call)
    if meant not in limited_to:
        raise NamespaceNotPermitted(f"{call.tool.name} is not allowed in that namespace, or none was named")


async def _namespace(call: ToolCall) -> str | None:
    """Ask the tool which namespace is meant; without an answer only an explicit one counts."""
    if call.tool.namespace_of is not None:
        return await call.tool.namespace_of(call.arguments)
    named = call.arguments.get("namespace")
    return named if isinstance(named, str) else None
