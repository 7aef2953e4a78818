"""Files that are either the old one or the new one, never half of it, whatever happens in between."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Put `content` in the place of `path` in one step; it survives a power loss once this returns."""
    temporary = _write_beside(path, content, mode)
    temporary.replace(path)
    _sync_folder(path.parent)


def create_file(path: Path, content: bytes, *, mode: int) -> None:
    """Create `path` with `content` in one step.

    Raises:
        FileExistsError: somebody else was first; their file is untouched.
    """
    temporary = _write_beside(path, content, mode)
    try:
        path.hardlink_to(temporary)
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Let one process at a time change files in `folder`; waits for the others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write_beside(path: Path, content: bytes, mode: int) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
