"""Fetches a model and installs it in one step: all of it is there and checked, or the old one still is."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from voice.errors import ModelArchiveUnsafe, ModelChecksumWrong, ModelDiskFull, ModelSourceFailed
from voice.model_archives import unpack
from voice.model_catalogue import RemoteFile, SpeechModel
from voice.models import RECORD_FILE, InstallRecord, record_of, sha256_of

DOWNLOADS = ".downloads"
"""Unfinished downloads and files on trial, in the models folder: same disk, so that renaming is one step."""
_SPARE_BYTES = 64 * 1024 * 1024
_GROWTH = 4
"""A model may be so many times larger than the catalogue says, not more."""


class Fetcher(Protocol):
    """Gets a file over the network."""

    def fetch(
        self, address: str, into: Path, *, most_bytes: int, on_bytes: Callable[[int, int | None], None]
    ) -> None:
        """Fetch a file, going on where `into` ends.

        Args:
            address: Where it is.
            into: The unfinished file; it may exist.
            most_bytes: More must not arrive.
            on_bytes: Told how many bytes are there, and how many it will be when that is known.

        Raises:
            ModelSourceFailed: it could not be had from there, or not to its end.
            OSError: the disk refuses.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How far a download is.

    Args:
        file: Which file.
        done_bytes: What is there.
        total_bytes: What it will be; None while unknown.
    """

    file: str
    done_bytes: int
    total_bytes: int | None


class ModelPuller:
    """Pulls models into one folder.

    Args:
        models_folder: Where they go; made when it is missing.
        fetcher: Gets files.
        mirrors: Addresses tried in front of the publisher's, each with the path that the file has there.
        free_bytes: How much room a folder's disk has.
    """

    def __init__(
        self,
        models_folder: Path,
        fetcher: Fetcher,
        *,
        mirrors: Sequence[str] = (),
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder = models_folder
        self._fetcher = fetcher
        self._mirrors = tuple(mirrors)
        self._free_bytes = free_bytes

    def pull(
        self,
        model: SpeechModel,
        *,
        now: datetime,
        accepted_sha256: str | None = None,
        on_progress: Callable[[PullProgress], None] = lambda _: None,
    ) -> InstallRecord:
        """Fetch, check and install a model; what was installed before is replaced at the very end.

        Args:
            model: Which.
            now: When, for the record.
            accepted_sha256: A sum that is accepted though another was expected.
            on_progress: Told how far it is.

        Raises:
            ModelPullFailed: it was not installed; what has arrived so far is kept for the next time.
        """
        work = self._folder / DOWNLOADS / model.name
        with _disk_errors(work):
            work.mkdir(parents=True, exist_ok=True)
            self._check_room(model, work)
            addresses, files = [], []
            for remote in model.remote_files:
                file, address = self._fetch(model, remote, work, on_progress)
                _check_sum(remote, file, accepted_sha256)
                addresses.append(address)
                files.append(file)
            arrived = sha256_of(files[0]) if model.in_archive else _sum_of_sums(files)
            staged = self._stage(model, files, work)
            record = record_of(staged, model, addresses=addresses, arrived_sha256=arrived, now=now)
            (staged / RECORD_FILE).write_text(record.model_dump_json(indent=2), encoding="utf-8")
            self._install(staged, self._folder / model.name, work)
        return record

    def _check_room(self, model: SpeechModel, work: Path) -> None:
        there = sum(path.stat().st_size for path in work.glob("*.part"))
        needed = max(0, model.download_bytes - there) + model.installed_bytes + _SPARE_BYTES
        free = self._free_bytes(work)
        if free < needed:
            raise ModelDiskFull(
                f"{model.name} needs {_mib(needed)} MiB in {self._folder}, and {_mib(free)} MiB are free"
            )

    def _fetch(
        self, model: SpeechModel, remote: RemoteFile, work: Path, on_progress: Callable[[PullProgress], None]
    ) -> tuple[Path, str]:
        failures = []
        for address in self._addresses(remote):
            # The rest of a file is fetched from where its beginning came: mirrors may differ.
            part = work / f"{hashlib.sha256(address.encode()).hexdigest()[:12]}.part"
            try:
                self._fetcher.fetch(
                    address,
                    part,
                    most_bytes=_GROWTH * max(model.download_bytes, 1),
                    on_bytes=lambda done, total: on_progress(
                        PullProgress(file=remote.path, done_bytes=done, total_bytes=total)
                    ),
                )
            except ModelSourceFailed as error:
                failures.append(str(error))
                continue
            return part, address
        raise ModelSourceFailed(f"{remote.path} could not be had: {'; '.join(failures)}")

    def _addresses(self, remote: RemoteFile) -> Iterator[str]:
        paths = dict.fromkeys(urlsplit(address).path for address in remote.addresses)
        for mirror in self._mirrors:
            for path in paths:
                yield mirror.rstrip("/") + path
        yield from remote.addresses

    def _stage(self, model: SpeechModel, files: Sequence[Path], work: Path) -> Path:
        staged = work / "staged"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        if model.in_archive:
            unpack(files[0], staged, most_bytes=_GROWTH * model.installed_bytes)
        else:
            for remote, file in zip(model.remote_files, files, strict=True):
                shutil.copyfile(file, staged / remote.path)
        missing = [name for name in model.required_files if not (staged / name).is_file()]
        if missing:
            raise ModelArchiveUnsafe(f"what arrived is not {model.name}: {', '.join(missing)} is not in it")
        return staged

    def _install(self, staged: Path, target: Path, work: Path) -> None:
        _sync(staged)
        if target.exists():
            old = work / "old"
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
        staged.rename(target)
        shutil.rmtree(work)


def _check_sum(remote: RemoteFile, file: Path, accepted_sha256: str | None) -> None:
    arrived = sha256_of(file)
    if remote.sha256 is not None and arrived not in {remote.sha256, accepted_sha256}:
        file.unlink()  # else the next try would find the same again
        raise ModelChecksumWrong(remote.path, expected_sha256=remote.sha256, arrived_sha256=arrived)


def _sum_of_sums(files: Sequence[Path]) -> str:
    return hashlib.sha256("".join(sha256_of(file) for file in files).encode()).hexdigest()


@contextmanager
def _disk_errors(work: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise ModelDiskFull(f"the disk of {work.parent} became full") from error
        raise ModelDiskFull(f"{work.parent} cannot be written: {error.strerror}") from error


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _mib(size_bytes: int) -> int:
    return round(size_bytes / 1024 / 1024)
