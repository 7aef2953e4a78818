"""The audit chain: append-only lines in the database, each tied to the one before by its hash.

`hash` = SHA-256 over the canonical JSON of the line's fields and the hash of the line before. The head row
says where the chain ends, so that cutting off its end shows; the anchor file outside the database repeats it
after every act, so that rewriting the whole database shows as well.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from pydantic import JsonValue
from sqlalchemy import Connection, Engine, insert, update
from sqlmodel import col, select

from mcp_tencent.gateway.call import canonical_json, digest_of
from mcp_tencent.gateway.records import AuditHeadRow, AuditRow
from mcp_tencent.tables import insert_once, reading, writing

GENESIS = "0" * 64
_HEAD = 1
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What goes on record about one call, secrets already masked."""

    at: datetime
    trace_id: str
    person: str
    kind: str
    tool: str
    risk: str
    arguments: str
    outcome: str
    origin: str = ""
    result_digest: str = ""
    duration_ms: int = 0


class FaultKind(StrEnum):
    """How a chain can be broken."""

    ALTERED = "altered"
    MISSING = "missing"
    TRUNCATED = "truncated"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One break in the chain, at or before line `seq`."""

    seq: int
    kind: FaultKind
    sentence: str


class AuditTrail:
    """The audit chain in the database.

    Args:
        engine: The database.
        anchor: File outside the database that keeps the chain's end; None for none.
    """

    def __init__(self, engine: Engine, anchor: Path | None = None) -> None:
        self._engine = engine
        self._anchor = anchor

    def append(self, entry: Entry, *, anchored: bool = False) -> int:
        """Add a line and return its number. Any number of processes may do so at once, on one chain."""
        with writing(self._engine) as session:
            connection = session.connection()
            taken = _next(connection)
            if taken is None:
                insert_once(session, AuditHeadRow(id=_HEAD, seq=0, hash=GENESIS), unique=["id"])
                taken = _next(connection)
            assert taken is not None  # noqa: S101 - the row stands now, inserted by us or by somebody else
            seq, previous = taken
            row = _row(entry, seq, previous)
            connection.execute(insert(AuditRow).values(**row))
            end = update(AuditHeadRow).where(col(AuditHeadRow.id) == _HEAD).values(hash=row["hash"])
            connection.execute(end)
        if anchored and self._anchor is not None:
            _write_anchor(self._anchor, seq, str(row["hash"]))
        return seq

    def lines(self, since: datetime | None = None) -> Iterator[AuditRow]:
        """Yield the lines in order, in pages, so that a long audit needs no long memory."""
        after = 0
        while True:
            wanted = (
                select(AuditRow).where(col(AuditRow.seq) > after).order_by(col(AuditRow.seq)).limit(_PAGE)
            )
            if since is not None:
                wanted = wanted.where(col(AuditRow.at) >= since)
            with reading(self._engine) as session:
                page = session.exec(wanted).all()
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].seq

    def export(self, since: datetime | None = None) -> Iterator[str]:
        """Yield the lines as JSON objects, one a line, without line ends."""
        for row in self.lines(since):
            arguments = json.loads(row.arguments)
            yield canonical_json(
                {**_fields(row), "arguments": arguments, "previous": row.previous, "hash": row.hash}
            )

    def verify(self) -> list[Fault]:
        """Walk the whole chain; return every break, none when it is whole.

        Lines that are added meanwhile are not looked at. A break does not hide later ones.
        """
        with reading(self._engine) as session:
            head = session.get(AuditHeadRow, _HEAD)
        anchor = _read_anchor(self._anchor) if self._anchor is not None else None
        faults, seq, previous = [], 0, GENESIS
        for row in self.lines():
            if head is not None and row.seq > head.seq:
                break
            if row.seq != seq + 1:
                faults.append(
                    _fault(seq + 1, FaultKind.MISSING, f"lines {seq + 1} to {row.seq - 1} are missing")
                )
            elif row.previous != previous:
                faults.append(
                    _fault(row.seq, FaultKind.ALTERED, f"line {row.seq} does not follow from the one before")
                )
            if row.hash != _hash(_fields(row), row.previous):
                faults.append(_fault(row.seq, FaultKind.ALTERED, f"line {row.seq} was altered"))
            if anchor is not None and anchor.seq == row.seq and anchor.hash != row.hash:
                faults.append(
                    _fault(row.seq, FaultKind.ANCHOR, f"line {row.seq} is not the one that was anchored")
                )
            seq, previous = row.seq, row.hash
        return faults + _end_faults(seq, previous, head, anchor)


def _next(connection: Connection) -> tuple[int, str] | None:
    """Take the next number; None when there is no head yet.

    The update locks the head row until the transaction ends: writers queue up.
    """
    step = (
        update(AuditHeadRow)
        .where(col(AuditHeadRow.id) == _HEAD)
        .values(seq=col(AuditHeadRow.seq) + 1)
        .returning(col(AuditHeadRow.seq), col(AuditHeadRow.hash))
    )
    found = connection.execute(step).one_or_none()
    return None if found is None else (found[0], found[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    seq: int
    hash: str


def _write_anchor(path: Path, seq: int, line_hash: str) -> None:
    """Replace the anchor; of writers that race any may win, for every line of the chain is a good anchor."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    fresh.write_text(canonical_json({"seq": seq, "hash": line_hash}) + "\n", encoding="utf-8")
    fresh.replace(path)


def _read_anchor(path: Path) -> _Anchor | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return _Anchor(seq=int(found["seq"]), hash=str(found["hash"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return _Anchor(seq=0, hash="unreadable")


def _end_faults(seq: int, line_hash: str, head: AuditHeadRow | None, anchor: _Anchor | None) -> list[Fault]:
    faults = []
    if head is None and seq > 0:
        faults.append(_fault(seq, FaultKind.TRUNCATED, "the head of the chain is missing"))
    if head is not None and head.seq > seq:
        faults.append(_fault(seq + 1, FaultKind.TRUNCATED, f"lines {seq + 1} to {head.seq} were cut off"))
    elif head is not None and head.hash != line_hash:
        faults.append(
            _fault(seq, FaultKind.TRUNCATED, f"the chain ends with line {seq}, but not as recorded")
        )
    if anchor is not None and (anchor.seq > seq or anchor.seq == 0):
        faults.append(
            _fault(seq + 1, FaultKind.ANCHOR, f"the anchor names line {anchor.seq}, which is not there")
        )
    return faults


def _fault(seq: int, kind: FaultKind, sentence: str) -> Fault:
    return Fault(seq=seq, kind=kind, sentence=sentence)


def _row(entry: Entry, seq: int, previous: str) -> dict[str, str | int | datetime]:
    fields = {name: getattr(entry, name) for name in _ENTRY_FIELDS}
    row = AuditRow(seq=seq, previous=previous, hash="", **fields)
    return {"seq": seq, **fields, "previous": previous, "hash": _hash(_fields(row), previous)}


_ENTRY_FIELDS = tuple(field.name for field in dataclass_fields(Entry))


def _fields(row: AuditRow) -> dict[str, JsonValue]:
    """Return what a line's hash covers."""
    return {
        "seq": row.seq,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "trace_id": row.trace_id,
        "person": row.person,
        "kind": row.kind,
        "tool": row.tool,
        "risk": row.risk,
        "arguments": row.arguments,
        "outcome": row.outcome,
        "origin": row.origin,
        "result_digest": row.result_digest,
        "duration_ms": row.duration_ms,
    }


def _hash(fields: dict[str, JsonValue], previous: str) -> str:
    return digest_of({**fields, "previous": previous})
