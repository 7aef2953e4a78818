from __future__ import annotations

import asyncio
import json

import pytest
from sqlalchemy import delete, text, update
from sqlmodel import col

from assistant.database import Database, open_database
from mcp_tencent.errors import NotFound
from mcp_tencent.gateway.audit import Audit, AuditStart
from mcp_tencent.gateway.audit_trail import AuditTrail, Entry, FaultKind
from mcp_tencent.gateway.call import Chain, Result, ToolCall
from mcp_tencent.gateway.errors import NotPermitted, StoreUnavailable
from mcp_tencent.gateway.records import AuditHeadRow, AuditRow
from mcp_tencent.gateway.redact import masked_arguments
from mcp_tencent.tables import writing
from tests.mcp_tencent.gateway.calls import DANGER, READ, START, WATCH, HandClock, Tool, a_call
from tests.races import race, race_of_processes


def entry(number: int = 1, outcome: str = "done") -> Entry:
    return Entry(
        at=START,
        trace_id=f"{number:032x}",
        person="负责人",
        kind="person",
        tool="restart_workload",
        risk="D",
        arguments='{"workload":"订单"}',
        outcome=outcome,
    )


@pytest.fixture
def anchor(tmp_path):
    return tmp_path / "audit.anchor"


@pytest.fixture
def trail(database: Database, anchor):
    return AuditTrail(database.engine, anchor)


@pytest.fixture
def ten(trail):
    """A chain of ten lines, anchored."""
    for number in range(1, 11):
        trail.append(entry(number), anchored=True)
    return trail


def kinds(trail: AuditTrail) -> set[FaultKind]:
    return {fault.kind for fault in trail.verify()}


def test_an_untouched_chain_is_whole(ten):
    assert ten.verify() == []
    assert [row.seq for row in ten.lines()] == list(range(1, 11))


def test_an_empty_audit_is_whole(trail):
    assert trail.verify() == []


@pytest.mark.parametrize(
    "change",
    [
        {"person": "别人"},
        {"tool": "list_pods"},
        {"risk": "R"},
        {"arguments": "{}"},
        {"outcome": "refused"},
        {"result_digest": "0"},
        {"duration_ms": 1},
        {"trace_id": "f" * 32},
        {"kind": "service_job"},
        {"origin": "cached"},
        {"hash": "0" * 64},
        {"previous": "0" * 64},
        {"at": START.replace(year=2025)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_altered_field_is_found_where_it_is(ten, database, change):
    with writing(database.engine) as session:
        session.execute(update(AuditRow).where(col(AuditRow.seq) == 4).values(**change))
    faults = ten.verify()
    assert min(fault.seq for fault in faults) == 4
    assert {fault.kind for fault in faults} <= {FaultKind.ALTERED, FaultKind.ANCHOR}


def test_a_missing_line_is_found(ten, database):
    with writing(database.engine) as session:
        session.execute(delete(AuditRow).where(col(AuditRow.seq) == 4))
    faults = ten.verify()
    assert [(fault.seq, fault.kind) for fault in faults] == [(4, FaultKind.MISSING)]


def test_two_lines_that_changed_places_are_found(ten, database):
    with writing(database.engine) as session:
        for old, new in ((4, 99), (5, 4), (99, 5)):
            session.execute(update(AuditRow).where(col(AuditRow.seq) == old).values(seq=new))
    assert FaultKind.ALTERED in kinds(ten)


def test_a_missing_line_with_the_others_renumbered_is_found(ten, database):
    with writing(database.engine) as session:
        session.execute(delete(AuditRow).where(col(AuditRow.seq) == 4))
        for old in range(5, 11):
            session.execute(update(AuditRow).where(col(AuditRow.seq) == old).values(seq=old - 1))
    assert {FaultKind.ALTERED, FaultKind.TRUNCATED} <= kinds(ten)


def test_a_cut_off_end_is_found(ten, database):
    with writing(database.engine) as session:
        session.execute(delete(AuditRow).where(col(AuditRow.seq) > 7))
    assert FaultKind.TRUNCATED in kinds(ten)


def test_a_cut_off_end_with_the_head_put_back_is_found_by_the_anchor(ten, database):
    seventh = next(row for row in ten.lines() if row.seq == 7)
    with writing(database.engine) as session:
        session.execute(delete(AuditRow).where(col(AuditRow.seq) > 7))
        session.execute(update(AuditHeadRow).values(seq=7, hash=seventh.hash))
    assert kinds(ten) == {FaultKind.ANCHOR}


def test_a_chain_that_was_written_anew_is_found_by_the_anchor(ten, database, anchor):
    with writing(database.engine) as session:
        session.execute(delete(AuditRow))
        session.execute(delete(AuditHeadRow))
    forger = AuditTrail(database.engine)
    for number in range(1, 12):
        forger.append(entry(number, outcome="refused"))
    assert forger.verify() == []
    assert kinds(ten) == {FaultKind.ANCHOR}


def test_a_missing_head_is_found(ten, database):
    with writing(database.engine) as session:
        session.execute(delete(AuditHeadRow))
    assert kinds(ten) == {FaultKind.TRUNCATED}


def test_after_a_missing_head_nothing_more_is_written(ten, database):
    with writing(database.engine) as session:
        session.execute(delete(AuditHeadRow))
    with pytest.raises(Exception, match=r"UNIQUE|duplicate"):
        ten.append(entry(11))


@pytest.mark.parametrize("content", ["", "{}", "nonsense", '{"seq":"x","hash":1}'])
def test_an_unreadable_anchor_is_found(ten, anchor, content):
    anchor.write_text(content)
    assert FaultKind.ANCHOR in kinds(ten)


def test_an_older_anchor_is_a_good_one(ten, anchor):
    before = anchor.read_text()
    ten.append(entry(11))
    assert anchor.read_text() == before
    assert ten.verify() == []


def test_long_chains_are_walked_in_pages(trail, monkeypatch):
    monkeypatch.setattr("mcp_tencent.gateway.audit_trail._PAGE", 3)
    for number in range(10):
        trail.append(entry(number))
    assert trail.verify() == []
    assert len(list(trail.lines())) == 10


def test_writers_in_many_threads_keep_one_chain(trail):
    race([lambda: [trail.append(entry(n)) for n in range(10)]] * 4)
    assert trail.verify() == []
    assert len(list(trail.lines())) == 40


def append_fifty(url: str) -> int:
    with open_database(url) as opened:
        trail = AuditTrail(opened.engine)
        for number in range(50):
            trail.append(entry(number))
    return 50


def test_writers_in_two_processes_keep_one_chain(database_url, database):
    race_of_processes(append_fifty, database_url)
    trail = AuditTrail(database.engine)
    assert trail.verify() == []
    assert len(list(trail.lines())) == 100


def test_the_export_is_one_json_object_a_line(ten):
    lines = [json.loads(line) for line in ten.export()]
    assert [line["seq"] for line in lines] == list(range(1, 11))
    assert lines[0]["arguments"] == {"workload": "订单"}
    assert lines[1]["previous"] == lines[0]["hash"]


class Lost:
    """Hears of lost lines."""

    def __init__(self) -> None:
        self.calls: list[ToolCall] = []

    def __call__(self, call: ToolCall) -> None:
        self.calls.append(call)


@pytest.fixture
def lost():
    return Lost()


@pytest.fixture
def audited(trail, lost):
    """Audit around a call, with its start where the chain has it."""
    audit = Audit(trail, HandClock(), masked=masked_arguments, lost=lost)
    return Chain((audit, AuditStart(audit)))


def outcomes(trail: AuditTrail) -> list[tuple[str, str]]:
    return [(row.tool, row.outcome) for row in trail.lines()]


async def test_a_read_leaves_one_line_and_an_act_two(audited, trail):
    await audited.around(Tool())(a_call(READ))
    await audited.around(Tool())(a_call(DANGER, workload="orders"))
    assert outcomes(trail) == [
        ("list_pods", "done"),
        ("restart_workload", "started"),
        ("restart_workload", "done"),
    ]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (NotFound("x"), "not_found"),
        (NotPermitted("x"), "not_permitted"),
        (KeyError("x"), "crashed"),
        (asyncio.CancelledError(), "cancelled"),
    ],
)
async def test_failures_and_refusals_are_on_record(audited, trail, error, outcome):
    with pytest.raises(type(error)):
        await audited.around(Tool(error))(a_call(READ, caller=WATCH))
    assert outcomes(trail) == [("list_pods", outcome)]


async def test_no_secret_is_put_on_record(audited, trail):
    await audited.around(Tool())(
        a_call(DANGER, changes={"DB_PASSWORD": "hunter2"}, note="token=abcdef123", phone="13812345678")
    )
    recorded = "".join(trail.export())
    assert "hunter2" not in recorded
    assert "abcdef123" not in recorded
    assert "13812345678" not in recorded


@pytest.fixture
def broken(database):
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE gateway_audit"))


@pytest.mark.usefixtures("broken")
async def test_what_cannot_be_recorded_is_not_done(audited):
    tool = Tool()
    with pytest.raises(StoreUnavailable):
        await audited.around(tool)(a_call(DANGER))
    assert tool.calls == []


@pytest.mark.usefixtures("broken")
async def test_reads_go_on_without_a_record_and_the_loss_is_counted(audited, lost):
    result: Result = await audited.around(Tool())(a_call(READ))
    assert not result.failed
    assert len(lost.calls) == 1
