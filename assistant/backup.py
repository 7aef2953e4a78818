"""Backup and restore of an installation on SQLite, while it runs.

A backup is a ZIP archive: `manifest.json` says what is in it and how it was made, then the database as it was
at one instant, the settings file, and the key only when it was asked for. Without the key, whoever finds the
archive cannot open secrets, voiceprints and checkpoints in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter, ValidationError

from assistant.atomic_files import locked_folder, replace_file
from assistant.config_file import read_config
from assistant.database import alone_with, known_revisions
from assistant.errors import BackupDamaged, BackupNotPossible, BackupTargetUnusable, DatabaseNewer, KeyMissing
from assistant.home import Home
from assistant.settings_loading import plain_secret_paths
from assistant.settings_schema import dotted

FORMAT = "xiaozhi-backup-1"
_MANIFEST = "manifest.json"
_DATABASE = "xiaozhi.db"
_CONFIG = "config.toml"
_POLICY = "policy.yaml"
_KEY = "xiaozhi.key"
_CHUNK_BYTES = 1 << 20
_LARGEST_MANIFEST_BYTES = 1 << 16

# What zipfile raises for an archive that is cut, altered, encrypted or packed in a way it does not know.
_ARCHIVE_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, RuntimeError, UnicodeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file in a backup."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup says about itself."""

    format: str
    made_at: datetime
    schema_revision: str
    has_key: bool
    plain_secrets: tuple[str, ...]
    """Settings whose secrets stand in plain text: the archive is as secret as they are."""
    members: tuple[Member, ...]

    def has(self, name: str) -> bool:
        """Tell whether a file of this name is in the backup."""
        return any(member.name == name for member in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore did.

    Attributes:
        manifest: of the backup.
        kept: the files that stood there before, under their new names.
    """

    manifest: Manifest
    kept: tuple[Path, ...]


_MANIFESTS = TypeAdapter(Manifest)


def back_up(home: Home, database: Path, target: Path, *, with_key: bool, now: datetime) -> Manifest:
    """Write a backup of the database, the settings and the policy to `target`, readable by its owner only.

    Everybody may go on writing: the backup holds the database as it was at one instant.

    Raises:
        BackupNotPossible: there is no database yet.
        KeyMissing: the key is wanted, and there is no key file.
        BackupTargetUnusable: `target` exists or cannot be written.
        BackupDamaged: the database itself is damaged; no backup is written.
    """
    if not database.is_file():
        raise BackupNotPossible(f"there is no database {database} yet")
    if with_key and not home.key_file.is_file():
        raise KeyMissing(f"there is no key file {home.key_file} to put into the backup")
    if target.exists():
        raise BackupTargetUnusable(f"{target} exists already")
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".xiaozhi-backup-") as folder:
            files = _collect(home, database, Path(folder), with_key=with_key)
            manifest = _manifest(files, now)
            archive = Path(folder) / "archive"
            _write_archive(archive, files, manifest)
            os.link(archive, target)
    except FileExistsError as exc:
        raise BackupTargetUnusable(f"{target} exists already") from exc
    except OSError as exc:
        raise BackupTargetUnusable(f"{target} cannot be written: {exc.strerror or exc}") from exc
    return manifest


def read_manifest(source: Path) -> Manifest:
    """Return what a backup says about itself, without looking at its files; raises BackupDamaged."""
    with _opened(source) as archive:
        return _read_manifest(archive)


def restore(home: Home, database: Path, source: Path, *, database_only: bool, now: datetime) -> Restored:
    """Put a backup in the place of the database, and of settings and key where it holds them.

    The backup is verified as a whole first. What stood there before is kept beside it.

    Raises:
        BackupDamaged: the backup is incomplete, altered or none of ours; nothing is changed.
        DatabaseNewer: it was made by a later version of this program; nothing is changed.
        DatabaseInUse: another process uses the database; nothing is changed.
        BackupTargetUnusable: there is no room, or the folder cannot be written.
    """
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=database.parent, prefix=".xiaozhi-restore-") as folder,
            _opened(source) as archive,
        ):
            manifest = _read_manifest(archive)
            if manifest.schema_revision not in known_revisions():
                raise DatabaseNewer(f"{source} holds revision {manifest.schema_revision} of the database")
            files = _extract(archive, manifest, Path(folder))
            _verify_database(files[_DATABASE])
            with alone_with(database):
                return Restored(
                    manifest=manifest, kept=_put_in_place(home, database, files, database_only, now)
                )
    except OSError as exc:
        raise BackupTargetUnusable(f"{database.parent} cannot be written: {exc.strerror or exc}") from exc


def _collect(home: Home, database: Path, folder: Path, *, with_key: bool) -> dict[str, Path]:
    copy = folder / _DATABASE
    copy.touch(mode=0o600)
    try:
        with (
            contextlib.closing(
                sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
            ) as source,
            contextlib.closing(sqlite3.connect(copy)) as into,
        ):
            source.execute("PRAGMA busy_timeout = 10000")
            # All pages in one step: in steps it would begin anew whenever somebody writes in between.
            source.backup(into)
            into.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as exc:
        raise BackupDamaged(f"{database} cannot be copied: {exc}") from exc
    _verify_database(copy)
    files = {_DATABASE: copy}
    # Copies, because somebody may replace the originals before they are packed.
    if home.config_file.is_file():
        files[_CONFIG] = Path(shutil.copyfile(home.config_file, folder / _CONFIG))
    if home.policy_file.is_file():
        files[_POLICY] = Path(shutil.copyfile(home.policy_file, folder / _POLICY))
    if with_key:
        files[_KEY] = Path(shutil.copyfile(home.key_file, folder / _KEY))
    return files


def _manifest(files: dict[str, Path], now: datetime) -> Manifest:
    with contextlib.closing(sqlite3.connect(files[_DATABASE])) as copy:
        revision = str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    plain = plain_secret_paths(read_config(files[_CONFIG])) if _CONFIG in files else []
    members = tuple(
        Member(name=name, size_bytes=path.stat().st_size, sha256=_sha256(path))
        for name, path in files.items()
    )
    return Manifest(
        format=FORMAT,
        made_at=now,
        schema_revision=revision,
        has_key=_KEY in files,
        plain_secrets=tuple(dotted(path) for path in plain),
        members=members,
    )


def _write_archive(archive: Path, files: dict[str, Path], manifest: Manifest) -> None:
    archive.touch(mode=0o600)
    with archive.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(
                _MANIFEST, json.dumps(asdict(manifest), default=str, ensure_ascii=False, indent=2)
            )
            for name, path in files.items():
                packed.write(path, name)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(source)
    except FileNotFoundError as exc:
        raise BackupDamaged(f"there is no file {source}") from exc
    except _ARCHIVE_ERRORS as exc:
        raise BackupDamaged(f"{source} is no backup, or incomplete: {exc}") from exc
    with archive:
        yield archive


def _read_manifest(archive: zipfile.ZipFile) -> Manifest:
    try:
        with archive.open(_MANIFEST) as file:
            manifest = _MANIFESTS.validate_json(file.read(_LARGEST_MANIFEST_BYTES))
    except (KeyError, ValidationError, *_ARCHIVE_ERRORS) as exc:
        raise BackupDamaged("the archive has no manifest of a backup") from exc
    if manifest.format != FORMAT:
        raise BackupDamaged(f"the backup has the format {manifest.format}, which this program does not know")
    names = {member.name for member in manifest.members}
    if not {_DATABASE} <= names <= {_DATABASE, _CONFIG, _POLICY, _KEY}:
        raise BackupDamaged("the manifest names other files than a backup has")
    return manifest


def _extract(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> dict[str, Path]:
    """Unpack and check every file; never more bytes than the manifest promises."""
    files = {}
    for member in manifest.members:
        path = folder / member.name
        path.touch(mode=0o600)
        try:
            with archive.open(member.name) as packed, path.open("wb") as file:
                digest = _copy(packed, file, limit_bytes=member.size_bytes)
        except (KeyError, *_ARCHIVE_ERRORS) as exc:
            raise BackupDamaged(f"{member.name} in the backup cannot be unpacked") from exc
        if digest != member.sha256:
            raise BackupDamaged(f"{member.name} in the backup is not what was put into it")
        files[member.name] = path
    return files


def _copy(packed: IO[bytes], file: IO[bytes], *, limit_bytes: int) -> str:
    digest = hashlib.sha256()
    left_bytes = limit_bytes
    while left_bytes > 0 and (chunk := packed.read(min(_CHUNK_BYTES, left_bytes))):
        digest.update(chunk)
        file.write(chunk)
        left_bytes -= len(chunk)
    file.flush()
    os.fsync(file.fileno())
    return digest.hexdigest() if not packed.read(1) else ""


def _verify_database(path: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(path)) as copy:
            problems = [row[0] for row in copy.execute("PRAGMA integrity_check")]
            dangling = copy.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as exc:
        raise BackupDamaged(f"the database is damaged: {exc}") from exc
    if problems != ["ok"] or dangling is not None:
        raise BackupDamaged("the database is damaged: its integrity check fails")


def _put_in_place(
    home: Home, database: Path, files: dict[str, Path], database_only: bool, now: datetime
) -> tuple[Path, ...]:
    """Replace file by file, each in one step, the database last: until then everything can be run again."""
    places = {_CONFIG: home.config_file, _POLICY: home.policy_file, _KEY: home.key_file}
    kept = []
    with locked_folder(home.config_dir):
        for name, place in places.items():
            if name in files and not database_only:
                kept += _keep(place, now)
                replace_file(place, files[name].read_bytes(), mode=0o600)
    if database.exists():
        _fold_log_into(database)
    kept += _keep(database, now)
    files[_DATABASE].replace(database)
    return tuple(kept)


def _fold_log_into(database: Path) -> None:
    """Bring what is only in the write-ahead log into the file, so that the kept file is whole by itself."""
    with contextlib.suppress(sqlite3.DatabaseError), contextlib.closing(sqlite3.connect(database)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for suffix in ("-wal", "-shm"):
        leftover = database.with_name(database.name + suffix)
        if leftover.exists():
            # A damaged database cannot take its log back; the log of one file must never meet another.
            leftover.replace(leftover.with_name(f"{leftover.name}.before-restore"))


def _keep(place: Path, now: datetime) -> list[Path]:
    if not place.exists():
        return []
    kept = place.with_name(f"{place.name}.before-{now:%Y%m%dT%H%M%S}")
    kept.unlink(missing_ok=True)
    try:
        kept.hardlink_to(place)
    except OSError:
        shutil.copy2(place, kept)
    return [kept]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
