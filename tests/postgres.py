"""A real PostgreSQL server for tests: its own folder, a free loopback port, gone with the session."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server.

    Attributes:
        port: on 127.0.0.1; no password is asked for.
        templates: databases by the name of what was put into them once.
    """

    port: int
    templates: set[str] = field(default_factory=set)

    def url(self, database: str) -> str:
        """Return the URL of a database as the settings take it."""
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str = "template0") -> str:
        """Create a database, empty or as a copy, and return its URL."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.create(name, template=template)
        return self.url(name)

    def create(self, name: str, *, template: str = "template0") -> None:
        """Create a database of this name."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def find_postgres() -> Path | None:
    """Return the folder with initdb and pg_ctl: from PATH, or where Debian keeps its newest version."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).resolve().parent
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3])
    )
    return versions[-1].parent if versions else None


@contextmanager
def running_postgres(programs: Path) -> Iterator[PostgresServer]:
    """Run a server that gives up durability for speed; it stops when the context ends."""
    folder = Path(tempfile.mkdtemp(prefix="xiaozhi-postgres-"))
    user = _unprivileged_user()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"
    port = _free_port()

    def run(program: str, *arguments: str) -> None:
        # Into a file and not a pipe: the server inherits it, and a pipe would never come to its end.
        with (folder / "output").open("ab") as output_file:
            done = subprocess.run(
                [str(programs / program), *arguments],
                user=None if user is None else user.pw_uid,
                group=None if user is None else user.pw_gid,
                extra_groups=None if user is None else [],
                cwd=folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output_file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            output = (folder / "output").read_text(errors="replace")
            log = folder / "log"
            raise RuntimeError(f"{program} failed:\n{output}\n{log.read_text() if log.exists() else ''}")

    options = (
        f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c synchronous_commit=off "
        "-c full_page_writes=off -c shared_buffers=16MB -c max_connections=100 -c autovacuum=off"
    )
    try:
        run("initdb", "-D", str(data), "-U", "tests", "--auth=trust", "--encoding=UTF8", "--locale=C", "-N")
        run("pg_ctl", "start", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "-t", "30")
        try:
            yield PostgresServer(port=port)
        finally:
            run("pg_ctl", "stop", "-D", str(data), "-m", "immediate", "-w", "-t", "30")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server; without one the test is skipped, in CI it fails."""
    programs = find_postgres()
    if programs is None:
        reason = "needs a PostgreSQL server: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with running_postgres(programs) as server:
        yield server


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Return somebody to run the server as when we are root, for it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError(f"root cannot run PostgreSQL, and none of {_UNPRIVILEGED} exists")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
