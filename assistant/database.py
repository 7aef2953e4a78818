"""The database: SQLite in a file by default, PostgreSQL by URL; brought to the newest schema when opened."""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from assistant.atomic_files import locked_folder
from assistant.errors import (
    DatabaseDamaged,
    DatabaseError,
    DatabaseInUse,
    DatabaseNewer,
    DatabaseUnavailable,
    DatabaseUnsupported,
)
from mcp_tencent.tables import SQLITE_BEGIN

if TYPE_CHECKING:
    from sqlalchemy import MetaData

RECORD_MODULES = (
    "assistant.journal",
    "assistant.people_records",
    "mcp_tencent.devops.alerts.feedback",
    "mcp_tencent.devops.checkpoint_records",
    "mcp_tencent.devops.healing.plan_records",
    "mcp_tencent.devops.policy.modes",
    "mcp_tencent.devops.records",
    "mcp_tencent.durable_presence",
    "mcp_tencent.gateway.records",
    "mcp_tencent.push.records",
    "scheduler.digest_claims",
    "scheduler.records",
)
"""Every module that defines tables; a migration is written against exactly these."""

MIGRATIONS = Path(__file__).with_name("migrations")
_BUSY_TIMEOUT_MS = 10_000
_MIGRATION_WAIT_MS = 60_000
_MIGRATION_LOCK = 0x7869616F_7A6869  # "xiaozhi": the advisory lock under which PostgreSQL is migrated
_CONNECT_TIMEOUT_S = 10


class Database:
    """An open database on the newest schema. Close it, or use it as a context manager."""

    def __init__(self, engine: Engine, presence: int | None) -> None:
        self.engine = engine
        self.presence = presence

    def close(self) -> None:
        """Close all connections and say that this process no longer uses the file."""
        self.engine.dispose()
        if self.presence is not None:
            os.close(self.presence)
            self.presence = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_database(url: str) -> Database:
    """Open the database, create or migrate its tables, and return it.

    Any number of processes may open it at the same time: one migrates, the others wait.

    Args:
        url: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.

    Raises:
        DatabaseUnsupported: another kind of database, or its driver is not installed.
        DatabaseUnavailable: no answer, access refused, or locked for too long.
        DatabaseDamaged: the file is not a sound database.
        DatabaseNewer: it was written by a later version of this program.
        DatabaseInUse: it is being restored at this moment.
    """
    parsed = parse_url(url)
    presence = None
    if parsed.drivername == "sqlite":
        presence = _enter(sqlite_file(parsed))
    engine = _engine(parsed)
    try:
        with _translated(parsed):
            _bring_up_to_date(engine)
    except BaseException:
        Database(engine, presence).close()
        raise
    return Database(engine, presence)


def parse_url(url: str) -> URL:
    """Return the URL with the driver that is used for it; raises DatabaseUnsupported."""
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise DatabaseUnsupported("database_url is no database URL") from exc
    if parsed.drivername in {"postgresql", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite":
        if parsed.database in {None, "", ":memory:"}:
            raise DatabaseUnsupported("an SQLite database needs a file: sqlite:///FILE")
        return parsed
    raise DatabaseUnsupported(f"a database of kind {parsed.drivername} is not supported")


def sqlite_file(url: URL) -> Path:
    """Return the file of an SQLite URL."""
    return Path(url.database or "").absolute()


@contextmanager
def alone_with(file: Path) -> Iterator[None]:
    """Keep every process of ours out of an SQLite file for a while.

    Raises:
        DatabaseInUse: another process has it open.
    """
    handle = _lock_file(file)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(handle)
        raise DatabaseInUse(f"another process uses {file}") from exc
    try:
        yield
    finally:
        os.close(handle)


@contextmanager
def only_user(database: Database) -> Iterator[None]:
    """Keep other processes of ours out of an open SQLite file for a while; PostgreSQL is left to its owner.

    Raises:
        DatabaseInUse: another process has it open.
    """
    if database.presence is None:
        yield
        return
    try:
        fcntl.flock(database.presence, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        # A failed change of the lock has given up the old one.
        fcntl.flock(database.presence, fcntl.LOCK_SH)
        raise DatabaseInUse("another process uses the database") from exc
    try:
        yield
    finally:
        fcntl.flock(database.presence, fcntl.LOCK_SH)


def scrub(engine: Engine, table: str) -> None:
    """Let deleted rows of a table disappear from the disk, not only from queries.

    SQLite has overwritten them already (`secure_delete`), and copies are left in the write-ahead log only;
    PostgreSQL keeps dead rows in the table's file until it is written anew.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            quoted = connection.dialect.identifier_preparer.quote(table)
            connection.execute(text(f"VACUUM FULL {quoted}"))
        return
    with _raw_sqlite(engine) as cursor:
        # Waits for readers as long as the busy timeout allows; after that the log goes when it is reused.
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def record_metadata() -> MetaData:
    """Return the schema that the code expects, with every table of ours in it."""
    from sqlmodel import SQLModel

    for module in RECORD_MODULES:
        importlib.import_module(module)
    return SQLModel.metadata


def known_revisions() -> list[str]:
    """Return the revisions of the schema, oldest first; a file's name begins with its revision."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def schema_revision(connection: Connection) -> str | None:
    """Return the revision that the database is in, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    query = dict(url.query)
    query.setdefault("connect_timeout", str(_CONNECT_TIMEOUT_S))
    try:
        return create_engine(url.set(query=query), pool_pre_ping=True)
    except (ImportError, NoSuchModuleError) as exc:
        raise DatabaseUnsupported("the PostgreSQL driver psycopg is not installed") from exc


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's connection
    # The driver must not begin transactions by itself: `_begin_sqlite` does, in the way that is wanted.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    manner = connection.get_execution_options().get(SQLITE_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {manner}")


def _bring_up_to_date(engine: Engine) -> None:
    newest = known_revisions()[-1]
    with engine.connect() as connection:
        if schema_revision(connection) == newest:
            return
    with _migrating(engine) as connection:
        stands = schema_revision(connection)
        if stands is not None and stands not in known_revisions():
            raise DatabaseNewer(
                f"the database is in revision {stands}, and this program knows {newest} at most"
            )
        if stands != newest:
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    # A quarter of a second that only the first start after an installation or upgrade pays.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """Open a transaction in which one process migrates while the others wait; all of it or nothing."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            yield connection
        return
    with engine.connect().execution_options(**{SQLITE_BEGIN: "IMMEDIATE"}) as connection:
        driver = connection.connection.driver_connection
        if driver is None:
            raise DatabaseUnavailable("the database connection was lost")
        # SQLite alters a table by writing it anew, and that must not cascade to rows that refer to it.
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute(f"PRAGMA busy_timeout = {_MIGRATION_WAIT_MS}")
        with connection.begin():
            yield connection
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                raise DatabaseDamaged("after the migration some rows would refer to rows that do not exist")
        # Not back into the pool with these settings.
        connection.invalidate()


def _enter(file: Path) -> int:
    """Make the file where there is none, and say that this process uses it."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = _lock_file(file)
    except OSError as exc:
        raise DatabaseUnavailable(f"{file} cannot be opened: {exc.strerror}") from exc
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        os.close(handle)
        raise DatabaseInUse(f"{file} is being restored at this moment") from exc
    try:
        _prepare_file(file)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _prepare_file(file: Path) -> None:
    """Make the file and switch it to a write-ahead log; SQLite cannot wait when two do that at once."""
    try:
        with locked_folder(file.parent):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            with contextlib.closing(sqlite3.connect(file, timeout=_BUSY_TIMEOUT_MS / 1000)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
    except OSError as exc:
        raise DatabaseUnavailable(f"{file} cannot be opened: {exc.strerror}") from exc
    except sqlite3.OperationalError as exc:
        raise DatabaseUnavailable(f"{file} cannot be opened: {exc}") from exc
    except sqlite3.DatabaseError as exc:
        raise DatabaseDamaged(f"{file} cannot be read: {exc}") from exc


def _lock_file(file: Path) -> int:
    return os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def _raw_sqlite(engine: Engine) -> Iterator[Any]:
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        yield cursor
        cursor.close()
    finally:
        connection.close()


@contextmanager
def _translated(url: URL) -> Iterator[None]:
    """Turn the driver's errors into ours; where the database lies is said without its password."""
    place = url.render_as_string(hide_password=True)
    try:
        yield
    except DatabaseError:
        raise
    except OperationalError as exc:
        raise DatabaseUnavailable(f"{place} cannot be used: {_first_line(exc)}") from exc
    except DBAPIError as exc:
        damaged = url.drivername == "sqlite"
        kind = DatabaseDamaged if damaged else DatabaseUnavailable
        raise kind(f"{place} cannot be read: {_first_line(exc)}") from exc


def _first_line(exc: DBAPIError) -> str:
    with contextlib.suppress(IndexError):
        return str(exc.orig).splitlines()[0]
    return type(exc.orig).__name__
