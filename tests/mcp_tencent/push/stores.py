"""The tables of deliveries in a file of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlmodel import SQLModel

from mcp_tencent.push.records import (
    DeliveryRow,
    PaceRow,
    PreferenceRow,
    SqlDeliveryStore,
    SqlPreferenceStore,
)

TABLES = [SQLModel.metadata.tables[row.__tablename__] for row in (DeliveryRow, PaceRow, PreferenceRow)]


@contextmanager
def sql_stores(file: Path) -> Iterator[tuple[SqlDeliveryStore, SqlPreferenceStore]]:
    engine = create_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 10000"))
    SQLModel.metadata.create_all(engine, tables=TABLES)
    try:
        yield SqlDeliveryStore(engine), SqlPreferenceStore(engine)
    finally:
        engine.dispose()
