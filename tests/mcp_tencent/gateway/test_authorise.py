from __future__ import annotations

from dataclasses import replace

import pytest

from mcp_tencent.gateway.authorise import NOBODY, authorise
from mcp_tencent.gateway.call import Arguments, Caller, CallerKind, Permission
from mcp_tencent.gateway.errors import CallerUnknown, NamespaceNotPermitted, NotPermitted
from tests.mcp_tencent.gateway.calls import DANGER, OWNER, READ, WATCH, WRITE, Tool, a_call, with_policy

LIMITED = Caller(
    name="值班员",
    kind=CallerKind.PERSON,
    permissions=frozenset({Permission.READ, Permission.ROLLBACK}),
    namespaces=frozenset({"shop"}),
)


async def test_whoever_has_the_permission_gets_through():
    tool = Tool()
    await authorise(a_call(READ, caller=WATCH), tool)
    assert len(tool.calls) == 1


@pytest.mark.parametrize("policy", [WRITE, DANGER])
async def test_whoever_may_only_read_changes_nothing(policy):
    tool = Tool()
    with pytest.raises(NotPermitted):
        await authorise(a_call(policy, caller=WATCH), tool)
    assert tool.calls == []


@pytest.mark.parametrize("policy", [READ, WRITE, DANGER])
async def test_who_was_not_recognised_may_do_nothing(policy):
    with pytest.raises(CallerUnknown):
        await authorise(a_call(policy, caller=NOBODY), Tool())


@pytest.mark.parametrize("permission", list(Permission))
async def test_an_administrator_may_do_everything(permission):
    admin = replace(OWNER, permissions=frozenset({Permission.ADMIN}))
    await authorise(a_call(with_policy(DANGER, permission=permission), caller=admin), Tool())


async def test_a_limited_rollback_holds_in_its_namespace():
    await authorise(a_call(DANGER, caller=LIMITED, workload="orders", namespace="shop"), Tool())


@pytest.mark.parametrize(
    "arguments", [{"namespace": "payments"}, {}, {"namespace": None}, {"namespace": ["shop"]}]
)
async def test_a_limited_rollback_holds_nowhere_else_and_not_where_nothing_is_named(arguments):
    with pytest.raises(NamespaceNotPermitted):
        await authorise(a_call(DANGER, caller=LIMITED, workload="orders", **arguments), Tool())


async def test_the_tool_knows_best_which_namespace_is_meant():
    async def in_the_manifest(arguments: Arguments) -> str | None:
        return "payments"

    policy = with_policy(DANGER, namespace_of=in_the_manifest)
    with pytest.raises(NamespaceNotPermitted):
        await authorise(a_call(policy, caller=LIMITED, namespace="shop"), Tool())


async def test_a_limit_on_rollback_does_not_narrow_what_may_be_read():
    await authorise(a_call(READ, caller=LIMITED, namespace="payments"), Tool())
