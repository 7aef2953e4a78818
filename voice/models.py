"""Which speech models there are, which are here, and which of them to use (choosing is pure).

Embedded models come with the package; pulled ones lie in the models folder, each with an `installed.json`
that says where it came from and what every file's SHA-256 was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from voice.errors import ModelUnknown, SpeechLibraryMissing, SpeechModelMissing
from voice.model_catalogue import CATALOGUE, EMBEDDED, ModelFormat, ModelUse, SpeechModel

EMBEDDED_FOLDER = Path(__file__).parent / "models"
RECORD_FILE = "installed.json"


class FileRecord(BaseModel):
    """One file of an installed model, as it was when it was installed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size_bytes: int
    sha256: str


class InstallRecord(BaseModel):
    """Where an installed model came from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    addresses: tuple[str, ...]
    expected_sha256: str | None
    arrived_sha256: str
    installed_at: AwareDatetime
    files: tuple[FileRecord, ...]


class ModelState(StrEnum):
    """Whether a model can be used."""

    EMBEDDED = "embedded"
    PULLED = "pulled"
    DAMAGED = "damaged"
    ABSENT = "absent"


class ModelStatus(BaseModel):
    """One model and how it stands here.

    Args:
        model: Which.
        state: Whether it can be used.
        folder: Where it lies; None when absent.
        problems: What is wrong with it, in English.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    model: SpeechModel
    state: ModelState
    folder: Path | None = None
    problems: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it can be used."""
        return self.state in {ModelState.EMBEDDED, ModelState.PULLED}


class ChosenModel(BaseModel):
    """The model that is used for something, and why that one."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    model: SpeechModel
    folder: Path
    why: str


def model_named(name: str) -> SpeechModel:
    """Return a model of the catalogue.

    Raises:
        ModelUnknown: there is none of that name.
    """
    for model in (*EMBEDDED, *CATALOGUE):
        if model.name == name:
            return model
    known = ", ".join(model.name for model in CATALOGUE)
    raise ModelUnknown(f"there is no speech model {name!r} to be pulled; there are: {known}")


def look_at_models(models_folder: Path, embedded_folder: Path = EMBEDDED_FOLDER) -> tuple[ModelStatus, ...]:
    """Return every known model with its state; sizes are compared, sums are not (see `verify_model`)."""
    found = [_status(model, embedded_folder, ModelState.EMBEDDED) for model in EMBEDDED]
    found += [_status(model, models_folder, ModelState.PULLED) for model in CATALOGUE]
    return tuple(found)


def verify_model(status: ModelStatus) -> tuple[str, ...]:
    """Return what is wrong with a model that is here, every file's sum compared."""
    if status.folder is None:
        return ("it is not here",)
    problems = list(_problems(status.model, status.folder))
    record = read_record(status.folder)
    for file in record.files if record else ():
        path = status.folder / file.path
        if path.is_file() and path.stat().st_size == file.size_bytes and sha256_of(path) != file.sha256:
            problems.append(f"{file.path} has been changed since it was installed")
    return tuple(problems)


def choose_models(
    statuses: Sequence[ModelStatus],
    *,
    formats: Collection[ModelFormat],
    wanted: Collection[str] = (),
) -> tuple[ChosenModel, ...]:
    """Choose one model for every use that has any: one that was asked for, else a pulled one (pure).

    Args:
        statuses: What is here.
        formats: What can be loaded here.
        wanted: Names that the settings ask for.

    Raises:
        SpeechModelMissing: a model that was asked for is not here or cannot be loaded, or nothing recognises.
    """
    chosen = []
    for use in ModelUse:
        fitting = [one for one in statuses if one.model.use is use]
        asked = next((one for one in fitting if one.model.name in wanted), None)
        if asked is not None:
            chosen.append(_as_asked(asked, formats))
            continue
        usable = [one for one in fitting if one.usable and one.model.format in formats]
        usable.sort(key=lambda one: one.state is not ModelState.PULLED)
        if usable:
            chosen.append(
                _chosen(usable[0], "pulled" if usable[0].state is ModelState.PULLED else "embedded")
            )
        elif use is ModelUse.RECOGNIZER:
            raise SpeechModelMissing("there is no model that recognises speech")
    return tuple(chosen)


def read_record(folder: Path) -> InstallRecord | None:
    """Return what is recorded about an installed model; None when nothing readable is."""
    try:
        return InstallRecord.model_validate_json((folder / RECORD_FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def record_of(
    folder: Path,
    model: SpeechModel,
    *,
    addresses: Sequence[str],
    arrived_sha256: str,
    now: datetime,
) -> InstallRecord:
    """Return the record of a model as it lies in a folder now."""
    files = tuple(
        FileRecord(
            path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size, sha256=sha256_of(path)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD_FILE
    )
    return InstallRecord(
        model=model.name,
        addresses=tuple(addresses),
        expected_sha256=model.archive_sha256,
        arrived_sha256=arrived_sha256,
        installed_at=now,
        files=files,
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _as_asked(status: ModelStatus, formats: Collection[ModelFormat]) -> ChosenModel:
    if not status.usable:
        detail = "; ".join(status.problems) or "it is not here"
        raise SpeechModelMissing(
            f"the model {status.model.name} that the settings name cannot be used: {detail}"
        )
    if status.model.format not in formats:
        raise SpeechLibraryMissing(
            f"the model {status.model.name} that the settings name needs {status.model.format}, not installed"
        )
    return _chosen(status, "named in the settings")


def _chosen(status: ModelStatus, why: str) -> ChosenModel:
    assert status.folder is not None  # noqa: S101 - usable models have one
    return ChosenModel(model=status.model, folder=status.folder, why=why)


def _status(model: SpeechModel, root: Path, present: ModelState) -> ModelStatus:
    folder = root / model.name
    if not folder.is_dir():
        return ModelStatus(model=model, state=ModelState.ABSENT)
    problems = tuple(_problems(model, folder))
    if present is ModelState.PULLED and read_record(folder) is None:
        problems += (f"{RECORD_FILE} is missing or unreadable",)
    state = ModelState.DAMAGED if problems else present
    return ModelStatus(model=model, state=state, folder=folder, problems=problems)


def _problems(model: SpeechModel, folder: Path) -> Iterator[str]:
    for needed in model.required_files:
        path = folder / needed
        if not path.is_file():
            yield f"{needed} is missing"
        elif not path.stat().st_size:
            yield f"{needed} is empty"
    record = read_record(folder)
    for file in record.files if record else ():
        path = folder / file.path
        if file.path in model.required_files and not path.is_file():
            continue
        if not path.is_file():
            yield f"{file.path} is missing"
        elif path.stat().st_size != file.size_bytes:
            yield f"{file.path} has {path.stat().st_size} bytes instead of {file.size_bytes}"
