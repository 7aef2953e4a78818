"""Tools about the people that the appliance knows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from assistant.device.answers import PersonChanged
from assistant.device.desk import PERMISSION_WORDS, DeviceDesk
from assistant.people import Grant, Person
from mcp_tencent.gateway.call import Arguments, Permission
from mcp_tencent.serving.declare import DeclaredTool, DryRun, ToolSet

PersonName = Annotated[str, Field(min_length=1, max_length=64, description="Name or id.")]


def people_tools(desk: DeviceDesk) -> Sequence[DeclaredTool]:
    """Return the declared tools."""
    tools = ToolSet()
    admin = Permission.ADMIN

    @tools.dangerous("登记声纹", read_back="给{name}登记声纹，登记后可以查询", permission=admin)
    async def enrol_person(name: PersonName, dry_run: DryRun = False) -> PersonChanged:
        """Learn somebody's voice: they are asked for some sentences next. For “给张敏录一下声纹”.

        A new person may read; other permissions are granted one by one.
        """
        if dry_run:
            return PersonChanged(summary=f"试运行：会给{name}登记声纹。", dry_run=True, person=name)
        person = await asyncio.to_thread(_found_or_added, desk, name)
        await desk.controls.begin_enrolment(person)
        return PersonChanged(
            summary=f"请{person.name}对着我说五句话，每句三秒以上，我说好再说下一句。",
            person=person.name,
            permissions=_permissions(person),
        )

    @tools.dangerous(
        "删除人员",
        read_back="删除{person}，包括声纹和所有个人数据",
        permission=admin,
        naturally_idempotent=True,
    )
    async def remove_person(person: PersonName, dry_run: DryRun = False) -> PersonChanged:
        """Forget somebody: voiceprint, permissions, preferences and turns. For “把李工删掉”."""
        found = await asyncio.to_thread(desk.people.get, person)
        if not dry_run:
            await asyncio.to_thread(desk.people.remove, found.id)
        done = f"试运行：会删除{found.name}。" if dry_run else f"{found.name}和相关的个人数据都删掉了。"
        return PersonChanged(summary=done, dry_run=dry_run, person=found.name)

    @tools.dangerous("授予权限", read_back=_grant_read_back, permission=admin, naturally_idempotent=True)
    async def grant(
        person: PersonName,
        permission: Annotated[Permission, Field(description="What they may do from now on.")],
        dry_run: DryRun = False,
    ) -> PersonChanged:
        """Give somebody a permission. For “给李工开回滚权限”."""
        found = await asyncio.to_thread(desk.people.get, person)
        if not dry_run:
            found = await asyncio.to_thread(desk.people.grant, found.id, Grant(permission=permission))
        done = "试运行：会" if dry_run else "好的，已经"
        return PersonChanged(
            summary=f"{done}给{found.name}{PERMISSION_WORDS[permission]}权限。",
            dry_run=dry_run,
            person=found.name,
            permissions=_permissions(found),
        )

    return tools.tools


def _found_or_added(desk: DeviceDesk, name: str) -> Person:
    known = next((one for one in desk.people.everybody() if name in {one.name, one.id}), None)
    if known is not None:
        return known
    added = desk.people.add(name, now=desk.now())
    return desk.people.grant(added.id, Grant(permission=Permission.READ))


def _grant_read_back(arguments: Arguments) -> str:
    permission = str(arguments["permission"])
    known = {one.value for one in Permission}
    words = PERMISSION_WORDS[Permission(permission)] if permission in known else permission
    return f"给{arguments['person']}{words}权限"


def _permissions(person: Person) -> list[str]:
    return [grant.permission.value for grant in person.grants]
