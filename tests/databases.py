"""The same test on both databases: `database` is a migrated SQLite file, then one on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.database import Database, open_database
from tests.postgres import PostgresServer

_TEMPLATE = "xiaozhi_template"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return str(request.param)


@pytest.fixture
def empty_database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a database in which there is nothing yet."""
    if database_kind == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database without records."""
    if database_kind == "sqlite":
        copy = tmp_path / "xiaozhi.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite_file"), copy)
        return f"sqlite:///{copy}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    if _TEMPLATE not in server.templates:
        server.create(_TEMPLATE)
        open_database(server.url(_TEMPLATE)).close()
        server.templates.add(_TEMPLATE)
    return server.create_database(template=_TEMPLATE)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, migrated database without records."""
    with open_database(database_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file to be copied: migrating once is enough for all tests."""
    file = tmp_path_factory.mktemp("migrated") / "template.db"
    open_database(f"sqlite:///{file}").close()
    return file
