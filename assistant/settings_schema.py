"""What may stand at which key: looked up in the settings model, so that it is written down once."""

from __future__ import annotations

import difflib
import json
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from assistant.settings import ENVIRONMENT_DELIMITER, ENVIRONMENT_PREFIX, Settings

KeyPath = tuple[str | int, ...]
ANY_NAME = "<name>"
_OTHER_SPELLINGS = {"mcpServers": "mcp_servers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingKey:
    """One place in the settings.

    Attributes:
        path: from the top to here.
        kind: the bare type: a model, a container, or that of a single value.
        limits: what narrows a number.
        description: what it means, without a full stop.
        example: a value that is right, or None.
    """

    path: KeyPath
    kind: Any
    limits: tuple[Any, ...]
    description: str
    example: object

    @property
    def is_secret(self) -> bool:
        """Whether its value is never shown."""
        return self.kind is SecretStr or SecretStr in get_args(self.kind)

    @property
    def is_list(self) -> bool:
        """Whether it holds several values."""
        return get_origin(self.kind) is tuple

    @property
    def is_section(self) -> bool:
        """Whether further keys stand below it."""
        return _is_model(self.kind) or get_origin(self.kind) is dict

    def allowed(self) -> str:
        """Say what may be written, such as `a whole number from 20 to 600`."""
        return _allowed(self.kind, self.limits)

    def written(self) -> str:
        """Return the example as it stands in the settings file, such as `[digest] max_seconds = 90`."""
        table, name = self.path[:-1], str(self.path[-1])
        header = f"[{dotted(table)}] " if table else ""
        if self.is_section:
            return f"[{dotted(self.path)}]"
        return f"{header}{name} = {json.dumps(self.example, ensure_ascii=False)}"


def dotted(path: Sequence[str | int]) -> str:
    """Return a path as people write it: `cloud.accounts.prod.regions[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def key_path(text: str) -> tuple[str, ...]:
    """Return the path of a dotted key, in the spelling of the model."""
    first, *rest = text.split(".")
    return (_OTHER_SPELLINGS.get(first, first), *rest)


def variable_name(path: Sequence[str | int]) -> str:
    """Return the environment variable that sets this key."""
    return ENVIRONMENT_PREFIX + ENVIRONMENT_DELIMITER.join(str(part).upper() for part in path)


def find_key(path: Sequence[str | int]) -> SettingKey | None:
    """Return what stands at `path`, or None where no setting has this key."""
    found = SettingKey(path=(), kind=Settings, limits=(), description="", example=None)
    for part in path:
        below = _step(found, part)
        if below is None:
            return None
        found = below
    return found


def every_key() -> Iterator[SettingKey]:
    """Yield every single value there can be, `<name>` standing for names of one's own choice."""
    yield from _below(SettingKey(path=(), kind=Settings, limits=(), description="", example=None))


def nearest_key(path: Sequence[str | int]) -> str | None:
    """Return the known key most like an unknown one, or None when nothing is near."""
    for length in range(len(path) - 1, -1, -1):
        section = find_key(path[:length])
        if section is not None:
            names = [str(key.path[-1]) for key in _children(section)]
            near = difflib.get_close_matches(str(path[length]), names, n=1, cutoff=0.6)
            if near:
                meant = (*path[:length], near[0], *path[length + 1 :])
                return dotted(meant if find_key(meant) else meant[: length + 1])
            break
    known = [dotted(key.path) for key in every_key()]
    last = str(path[-1])
    same_end = [key for key in known if key.rpartition(".")[2] == last]
    near = same_end or difflib.get_close_matches(dotted(path), known, n=1, cutoff=0.7)
    return near[0] if near else None


def _below(section: SettingKey) -> Iterator[SettingKey]:
    for key in _children(section):
        if key.is_section:
            yield from _below(key)
        else:
            yield key


def _children(section: SettingKey) -> list[SettingKey]:
    if _is_model(section.kind):
        names = list(section.kind.model_fields)
    elif get_origin(section.kind) is dict:
        names = [ANY_NAME]
    else:
        names = []
    return [key for name in names if (key := _step(section, name)) is not None]


def _step(section: SettingKey, part: str | int) -> SettingKey | None:
    if _is_model(section.kind):
        field: FieldInfo | None = section.kind.model_fields.get(part)
        if field is None:
            return None
        kind, limits = _bare(field.annotation)
        return SettingKey(
            path=(*section.path, part),
            kind=kind,
            limits=(*field.metadata, *limits),
            description=field.description or "",
            example=field.examples[0] if field.examples else None,
        )
    if get_origin(section.kind) not in {dict, tuple}:
        return None
    inner = get_args(section.kind)[1 if get_origin(section.kind) is dict else 0]
    kind, limits = _bare(inner)
    return SettingKey(
        path=(*section.path, part), kind=kind, limits=limits, description=section.description, example="…"
    )


def _bare(annotation: Any) -> tuple[Any, tuple[Any, ...]]:  # noqa: ANN401 - any annotation there is
    """Return a type without `Annotated` and `| None`, and what `Annotated` said."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *notes = get_args(annotation)
        kind, limits = _bare(inner)
        return kind, (*limits, *(limit for note in notes for limit in getattr(note, "metadata", [note])))
    if origin in {Union, types.UnionType}:
        return _bare(next(choice for choice in get_args(annotation) if choice is not type(None)))
    return annotation, ()


def _is_model(kind: Any) -> bool:  # noqa: ANN401 - any annotation there is
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _allowed(kind: Any, limits: tuple[Any, ...]) -> str:  # noqa: ANN401 - any annotation there is
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return f"a list, each {_allowed(*_bare(get_args(kind)[0]))}"
    if kind in {int, float}:
        return ("a whole number" if kind is int else "a number") + _range(limits)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(str(choice.value) for choice in kind)
    if kind is bool:
        return "true or false"
    if kind is time:
        return "a local time as HH:MM"
    return "a table" if _is_model(kind) or get_origin(kind) is dict else "text"


def _range(limits: tuple[Any, ...]) -> str:
    words = [("from", Ge, "ge"), ("over", Gt, "gt"), ("to", Le, "le"), ("below", Lt, "lt")]
    return "".join(
        f" {word} {getattr(limit, name)}"
        for word, kind, name in words
        for limit in limits
        if isinstance(limit, kind)
    )
