"""Reads YAML files that people write into a pydantic model, or tells every finding with its line.

A document is read as its author means it: 21:00 is a time of day, not the number 1260; a key that stands
twice is an error; aliases cannot blow it up.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)
Steps = tuple[str | int, ...]
"""A place in a document: keys and indices."""

_MOST_CHARACTERS = 2_000_000
_MOST_NODES = 200_000
_SHOWN_CHARACTERS = 60

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing wrong in a file."""

    file: str
    line: int | None
    """Counted from 1; None when the file has no such place (a whole section is missing)."""
    path: str
    """Where in the document: `clusters[0].workloads[2].image`."""
    value: str
    """What stands there, cut to a readable length; empty when nothing does."""
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line is not None else self.file
        shown = f" (is {self.value})" if self.value else ""
        return f"{place}: {self.path or 'the document'}: {self.problem}{shown}. {self.remedy}"


class DocumentInvalid(Exception):  # noqa: N818 - named for what happened; readers raise their own error from it
    """The file cannot be used; every finding is told at once."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Generic[Model]):
    """What was read, and where each part of it stands."""

    content: Model
    root: yaml.Node

    def line_of(self, steps: Steps) -> int:
        """Return the line (from 1) of the deepest part of a place that stands in the file."""
        return _line_of(self.root, steps)


def read_document(text: str, model: type[Model], *, file: str, begin_with: str) -> Document[Model]:
    """Read `text` into `model`.

    Args:
        text: the YAML.
        model: what it must be.
        file: how findings name it.
        begin_with: keys to begin with, told when it is no mapping at all.

    Raises:
        DocumentInvalid: it is no YAML, too large, or not what the model wants.
    """
    root = _compose(text, file, begin_with)
    loader = _Loader("")
    try:
        document = loader.construct_document(root)
    except yaml.YAMLError as error:
        raise DocumentInvalid([_yaml_finding(error, file)]) from error
    finally:
        loader.dispose()
    try:
        content = model.model_validate_json(json.dumps(document, default=_plain))
    except ValidationError as error:
        details = _causes(error.errors(include_url=False))
        findings = [_finding(detail, root, document, file, known_keys(model)) for detail in details]
        raise DocumentInvalid(findings) from error
    return Document(content=content, root=root)


def show_path(steps: Sequence[str | int]) -> str:
    """Write a place as people read it: `clusters[0].name`."""
    shown = ""
    for step in steps:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
    return shown


@lru_cache(maxsize=8)
def known_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Return every key that may stand anywhere in a document of `model`, sorted."""
    schema = model.model_json_schema()
    keys = set(schema["properties"])
    for part in schema.get("$defs", {}).values():
        keys |= set(part.get("properties", {}))
    return tuple(sorted(keys))


def _causes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Return `details` without the lists that are only too short because an item of theirs is wrong."""
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if detail["type"] != "too_short"
        or not any(
            len(place) > len(detail["loc"]) and place[: len(detail["loc"])] == detail["loc"]
            for place in places
        )
    ]


def _plain(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _compose(text: str, file: str, begin_with: str) -> yaml.Node:
    """Return the YAML tree, refused when it is too large once aliases are followed or has a key twice."""
    if len(text) > _MOST_CHARACTERS:
        raise DocumentInvalid(
            [_whole(file, f"longer than {_MOST_CHARACTERS} characters", "Make it shorter.")]
        )
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise DocumentInvalid([_yaml_finding(error, file)]) from error
    if not isinstance(root, yaml.MappingNode):
        raise DocumentInvalid([_whole(file, "not a mapping", f"Begin with {begin_with}.")])
    twice: list[Finding] = []
    for count, node in enumerate(_walk(root)):
        if count > _MOST_NODES:
            raise DocumentInvalid([_whole(file, "too large once aliases are followed", "Use fewer aliases.")])
        if isinstance(node, yaml.MappingNode):
            twice += _double_keys(node, file)
        elif node.tag == "tag:yaml.org,2002:int" and ":" in node.value:
            # YAML 1.1 reads 21:00 as a number of base 60; YAML 1.2 and people do not.
            node.tag = "tag:yaml.org,2002:str"
    if twice:
        raise DocumentInvalid(twice)
    return root


def _walk(root: yaml.Node) -> Iterator[yaml.Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            waiting.extend(value for _, value in node.value)


def _double_keys(node: yaml.MappingNode, file: str) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line = key.start_mark.line + 1
        if key.value in seen:
            yield Finding(
                file=file,
                line=line,
                path=key.value,
                value="",
                problem=f"stands twice in one mapping, first on line {seen[key.value]}",
                remedy="Remove one of them.",
            )
        seen[key.value] = line


def _whole(file: str, problem: str, remedy: str) -> Finding:
    return Finding(file=file, line=None, path="", value="", problem=problem, remedy=remedy)


def _yaml_finding(error: yaml.YAMLError, file: str) -> Finding:
    mark = getattr(error, "problem_mark", None)
    return Finding(
        file=file,
        line=mark.line + 1 if mark is not None else None,
        path="",
        value="",
        problem=f"not YAML: {getattr(error, 'problem', None) or error}",
        remedy="Check indentation and quotes near this line.",
    )


def _finding(
    detail: ErrorDetails, root: yaml.Node, document: object, file: str, keys: Sequence[str]
) -> Finding:
    path = _real_path(detail["loc"], document)
    return Finding(
        file=file,
        line=_line_of(root, path),
        path=show_path(path),
        value="" if detail["type"] == "missing" else _shown(detail["input"]),
        problem=detail["msg"].removeprefix("Value error, "),
        remedy=_remedy(detail, keys),
    )


def _remedy(detail: ErrorDetails, keys: Sequence[str]) -> str:
    kind = detail["type"]
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, keys, n=1)
        return (
            f"Did you mean {near[0]}?"
            if near
            else "Remove it, or see the JSON Schema for what may stand here."
        )
    if kind == "missing":
        return f"Add `{name}:`."
    if kind in ("literal_error", "enum"):
        return f"Use {context.get('expected', 'one of the listed values')}."
    if kind == "union_tag_invalid":
        return f"Use one of the kinds {context.get('expected_tags', '')}."
    if kind == "union_tag_not_found":
        return "Add `kind:`."
    if kind.endswith("_type"):
        return "Quote it, or write a value of the type that is asked for."
    return "Correct the value."


def _real_path(location: Sequence[str | int], document: object) -> Steps:
    """Return `location` without the steps that pydantic adds for the branches of a union."""
    path: list[str | int] = []
    at = document
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if isinstance(at, dict) and (step in at or last):
            path.append(step)
            at = at.get(step)
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            path.append(step)
            at = at[step]
    return tuple(path)


def _line_of(root: yaml.Node, path: Sequence[str | int]) -> int:
    node = root
    line = node.start_mark.line + 1
    for step in path:
        found = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == step:
                    found, line = value, key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
            line = found.start_mark.line + 1
        if found is None:
            return line
        node = found
    return line


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
