"""Unpacks a model without trusting it: nothing lands outside its folder, nothing grows without end."""

from __future__ import annotations

import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from voice.errors import ModelArchiveUnsafe

_BLOCK = 1024 * 1024
_DAMAGES = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)
_MOST_FILES = 2_000
_FILE_TYPE_BITS = 0o170000
_SYMBOLIC_LINK = 0o120000


def unpack(archive: Path, folder: Path, *, most_bytes: int) -> None:
    """Unpack a zip or tar archive; a single folder around everything is left out.

    Raises:
        ModelArchiveUnsafe: it is no archive, damaged, leads elsewhere, holds links, or is too large.
        OSError: the disk refuses.
    """
    room = _Room(folder, most_bytes)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                for entry in zipped.infolist():
                    if (entry.external_attr >> 16) & _FILE_TYPE_BITS == _SYMBOLIC_LINK:
                        raise ModelArchiveUnsafe(f"{entry.filename} is a link")
                    if not entry.is_dir():
                        with zipped.open(entry) as content:
                            room.put(entry.filename, content)
        else:
            with tarfile.open(archive) as tarred:
                for member in tarred:
                    if member.isdir():
                        continue
                    content_of = tarred.extractfile(member) if member.isreg() else None
                    if content_of is None:
                        raise ModelArchiveUnsafe(f"{member.name} is neither a file nor a folder")
                    room.put(member.name, content_of)
    except _DAMAGES as error:
        raise ModelArchiveUnsafe(f"it is no sound archive: {error}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        # Damage found by bz2; the disk's own errors have numbers.
        raise ModelArchiveUnsafe(f"it is no sound archive: {error}") from error
    _lift(folder)


class _Room:
    """A folder that takes files until it is full."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._left = most_bytes
        self._files = 0

    def put(self, name: str, content: IO[bytes]) -> None:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if not parts or ".." in parts or parts[0] == "/" or ":" in parts[0] or "\0" in name:
            raise ModelArchiveUnsafe(f"{name!r} leads out of the model's folder")
        self._files += 1
        if self._files > _MOST_FILES:
            raise ModelArchiveUnsafe(f"it holds more than {_MOST_FILES} files")
        target = self._folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            while block := content.read(_BLOCK):
                self._left -= len(block)
                if self._left < 0:
                    raise ModelArchiveUnsafe("it becomes far larger than the model is")
                file.write(block)


def _lift(folder: Path) -> None:
    """Move everything up when one single folder holds it all."""
    inside = list(folder.iterdir())
    if len(inside) != 1 or not inside[0].is_dir():
        return
    wrapper = inside[0].rename(folder / ".wrapper")
    for entry in list(wrapper.iterdir()):
        entry.rename(folder / entry.name)
    wrapper.rmdir()
