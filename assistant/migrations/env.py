"""Run by Alembic: on the connection that `assistant.database` hands in, or on that of alembic.ini.

A new revision is written with a scratch database that stands at the present head:

    alembic -c assistant/migrations/alembic.ini upgrade head
    alembic -c assistant/migrations/alembic.ini revision --autogenerate --rev-id 0002 -m "what it adds"
"""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, DateTime, create_engine
from sqlmodel import AutoString

from assistant.database import record_metadata
from mcp_tencent.tables import UtcDateTime


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401
    """Write our own column types as what they are in the database: a revision must outlive them."""
    if kind == "type" and isinstance(item, UtcDateTime | DateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String({item.length or ''})"
    return False


def run(connection: Connection) -> None:
    """Apply the wanted revisions; the caller owns the transaction."""
    context.configure(
        connection=connection,
        target_metadata=record_metadata(),
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=render_item,
        transactional_ddl=False,
    )
    context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url") or "")
    with engine.begin() as scratch:
        run(scratch)
