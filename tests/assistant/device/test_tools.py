"""The appliance as tools, through its gateway."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from sqlalchemy import Engine

from assistant.database import open_database
from assistant.device.desk import DeviceDesk, HealthNote
from assistant.device.server import device_server
from assistant.errors import NotOnThisDevice
from assistant.people import Grant, Person, caller_of
from assistant.people_records import SqlPeopleStore
from assistant.sealing import Sealer, new_key
from mcp_tencent.gateway.call import Permission
from mcp_tencent.gateway.gateway import Gateway
from mcp_tencent.serving.envelope import confirmed, question_in
from mcp_tencent.serving.identity import acting_as
from mcp_tencent.serving.server import GatewayServer

_NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class _Clock:
    def now(self) -> datetime:
        return _NOW


@dataclass
class FakeControls:
    """Remembers what was turned; satisfies `Controls`."""

    turned: dict[str, object] = field(default_factory=dict)
    listening: bool = True

    async def set_wake_phrase(self, phrase: str) -> Sequence[str]:
        self.turned["wake_phrase"] = phrase
        return ["这个词太短，容易误唤醒"] if len(phrase) < 3 else []

    async def set_name(self, name: str) -> None:
        self.turned["name"] = name

    async def set_volume(self, percent: int) -> None:
        self.turned["volume"] = percent

    async def set_digest_window(self, start: str, end: str) -> None:
        self.turned["window"] = (start, end)

    async def mute(self, minutes: int | None) -> None:
        self.turned["mute"] = minutes

    async def begin_enrolment(self, person: Person) -> None:
        if not self.listening:
            raise NotOnThisDevice("nobody listens")
        self.turned["enrolling"] = person.name

    async def start_night_job(self) -> str:
        return "夜间任务已经跑完了。"


@pytest.fixture
def controls() -> FakeControls:
    return FakeControls()


@pytest.fixture
def engine(migrated_sqlite_file: Path, tmp_path: Path) -> Iterator[Engine]:
    copy = tmp_path / "xiaozhi.db"
    shutil.copy(migrated_sqlite_file, copy)
    with open_database(f"sqlite:///{copy}") as database:
        yield database.engine


@pytest.fixture
def people(engine: Engine) -> SqlPeopleStore:
    return SqlPeopleStore(engine, Sealer([new_key()]))


@pytest.fixture
def health() -> list[HealthNote]:
    return [HealthNote(what="温度", value="52度"), HealthNote(what="磁盘", value="还剩20G")]


@pytest.fixture
def server(
    controls: FakeControls, people: SqlPeopleStore, health: list[HealthNote], engine: Engine, tmp_path: Path
) -> GatewayServer:
    async def digest() -> str | None:
        return "昨天一切正常。"

    desk = DeviceDesk(
        controls=controls,
        people=people,
        digest=digest,
        health=lambda: health,
        robot_name=lambda: "小智",
        now=lambda: _NOW,
    )
    return device_server(desk, Gateway(engine, _Clock(), anchor=tmp_path / "anchor.json"))


@pytest.fixture
def admin(people: SqlPeopleStore) -> Person:
    added = people.add("负责人", now=_NOW)
    return people.grant(added.id, Grant(permission=Permission.ADMIN))


async def _say(server: GatewayServer, speaker: Person, tool: str, **arguments: Any) -> str:
    """Call a tool and confirm what is asked; return the sentence."""
    with acting_as(caller_of(speaker)):
        async with Client(server) as client:
            return await _answered(client, tool, arguments)


async def _answered(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    answer = await client.call_tool(tool, arguments)
    question = question_in(answer)
    if question is not None:
        answer = await client.call_tool(tool, arguments, meta=confirmed(question))
    told = answer.structured_content or {}
    return str(told["error"]["message"] if answer.is_error else told["summary"])


async def test_it_tells_who_speaks_and_what_they_may(server: GatewayServer, people: SqlPeopleStore) -> None:
    reader = people.grant(people.add("值班员", now=_NOW).id, Grant(permission=Permission.READ))
    assert await _say(server, reader, "who_am_i") == "你是值班员，可以：查询。"


async def test_it_tells_what_one_can_ask(server: GatewayServer, admin: Person) -> None:
    assert "查集群" in await _say(server, admin, "capabilities")


async def test_the_digest_comes_again(server: GatewayServer, admin: Person) -> None:
    assert await _say(server, admin, "replay_digest") == "昨天一切正常。"


async def test_a_well_device_says_so(server: GatewayServer, admin: Person) -> None:
    assert await _say(server, admin, "device_health") == "我一切正常，温度52度，磁盘还剩20G。"


async def test_an_unwell_device_says_what_is_the_matter(
    server: GatewayServer, admin: Person, health: list[HealthNote]
) -> None:
    health.append(HealthNote(what="时钟", value="没有同步", well=False))
    assert await _say(server, admin, "device_health") == "要留意：时钟没有同步。"


async def test_a_new_wake_phrase_holds_and_its_weakness_is_said(
    server: GatewayServer, admin: Person, controls: FakeControls
) -> None:
    assert await _say(server, admin, "set_wake_word", phrase="小蓝小蓝") == "以后叫我“小蓝小蓝”就行。"
    assert controls.turned["wake_phrase"] == "小蓝小蓝"
    assert "不过这个词太短" in await _say(server, admin, "set_wake_word", phrase="小蓝")


@pytest.mark.parametrize(
    ("tool", "arguments", "turned"),
    [
        ("set_name", {"name": "小蓝"}, {"name": "小蓝"}),
        ("set_volume", {"percent": 60}, {"volume": 60}),
        ("set_digest_window", {"start": "07:30", "end": "09:00"}, {"window": ("07:30", "09:00")}),
        ("mute", {"minutes": 30}, {"mute": 30}),
    ],
)
async def test_what_is_set_is_turned_and_a_rehearsal_turns_nothing(
    server: GatewayServer,
    admin: Person,
    controls: FakeControls,
    tool: str,
    arguments: dict[str, object],
    turned: dict[str, object],
) -> None:
    assert "试运行" in await _say(server, admin, tool, **arguments, dry_run=True)
    assert controls.turned == {}
    await _say(server, admin, tool, **arguments)
    assert controls.turned == turned


async def test_a_window_that_is_no_time_is_refused(
    server: GatewayServer, admin: Person, controls: FakeControls
) -> None:
    await _say(server, admin, "set_digest_window", start="25:00", end="9")
    assert controls.turned == {}


async def test_who_may_only_read_cannot_rename_it(
    server: GatewayServer, people: SqlPeopleStore, controls: FakeControls
) -> None:
    reader = people.grant(people.add("值班员", now=_NOW).id, Grant(permission=Permission.READ))
    await _say(server, reader, "set_name", name="小蓝")
    assert controls.turned == {}


async def test_somebody_new_may_read_and_is_asked_for_their_voice(
    server: GatewayServer, admin: Person, people: SqlPeopleStore, controls: FakeControls
) -> None:
    assert "请新同事对着我说五句话" in await _say(server, admin, "enrol_person", name="新同事")
    assert people.get("新同事").may(Permission.READ)
    assert controls.turned["enrolling"] == "新同事"


async def test_where_nobody_listens_enrolment_says_so(
    server: GatewayServer, admin: Person, controls: FakeControls
) -> None:
    controls.listening = False
    assert "设备上" in await _say(server, admin, "enrol_person", name="新同事")


async def test_a_permission_is_granted_after_a_yes(
    server: GatewayServer, admin: Person, people: SqlPeopleStore
) -> None:
    people.add("值班员", now=_NOW)
    said = await _say(server, admin, "grant", person="值班员", permission="rollback")
    assert said == "好的，已经给值班员改动工作负载权限。"
    assert people.get("值班员").may(Permission.ROLLBACK)


async def test_somebody_removed_is_gone(server: GatewayServer, admin: Person, people: SqlPeopleStore) -> None:
    people.add("值班员", now=_NOW)
    await _say(server, admin, "remove_person", person="值班员")
    assert [one.name for one in people.everybody()] == ["负责人"]


async def test_somebody_unknown_cannot_be_removed(server: GatewayServer, admin: Person) -> None:
    assert await _say(server, admin, "remove_person", person="没这个人") != ""


async def test_the_night_job_starts_on_word(server: GatewayServer, admin: Person) -> None:
    assert await _say(server, admin, "run_night_job") == "夜间任务已经跑完了。"
