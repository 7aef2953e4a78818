"""Reads scenario files: YAML to a checked `Scenario`, or every finding with its line.

Shipped scenarios are found by name; anything else is a path.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from mcp_tencent.local_cloud.errors import Finding, ScenarioError, ScenarioNotFoundError
from mcp_tencent.local_cloud.scenario.model import LogProfile, Scenario
from mcp_tencent.local_cloud.scenario.references import broken_references

_MOST_BYTES = 2_000_000
_MOST_NODES = 200_000
_SHOWN_CHARACTERS = 60

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_Path = tuple[str | int, ...]


def shipped_scenarios() -> list[str]:
    """Return the names of the scenarios that come with the package, sorted."""
    folder = resources.files("mcp_tencent.local_cloud") / "scenarios"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_scenario(name_or_file: str) -> Scenario:
    """Read a shipped scenario by its name, or any by its path.

    Raises:
        ScenarioNotFoundError: there is neither.
        ScenarioError: it cannot be played; carries every finding.
    """
    if name_or_file in shipped_scenarios():
        entry = resources.files("mcp_tencent.local_cloud") / "scenarios" / f"{name_or_file}.yaml"
        return parse_scenario(entry.read_text(encoding="utf-8"), file=f"{name_or_file}.yaml")
    path = Path(name_or_file)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        near = difflib.get_close_matches(name_or_file, shipped_scenarios(), n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"shipped: {', '.join(shipped_scenarios())}"
        raise ScenarioNotFoundError(f"no scenario {name_or_file!r}: {error}; {hint}") from error
    return parse_scenario(text, file=str(path))


@lru_cache(maxsize=1)
def shipped_log_profiles() -> dict[str, LogProfile]:
    """Return the log profiles that every scenario may name."""
    entry = resources.files("mcp_tencent.local_cloud") / "log_profiles.yaml"
    document = yaml.load(entry.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader
    return TypeAdapter(dict[str, LogProfile]).validate_json(json.dumps(document))


@lru_cache(maxsize=8)
def parse_scenario(text: str, *, file: str = "scenario") -> Scenario:
    """Read a scenario from the text of its file; `file` is how findings name it.

    Raises:
        ScenarioError: it is no YAML, no scenario, or refers to what is not there.
    """
    root = _compose(text, file)
    loader = _Loader("")
    try:
        document = loader.construct_document(root)
    except yaml.YAMLError as error:
        raise ScenarioError([_yaml_finding(error, file)]) from error
    finally:
        loader.dispose()
    try:
        scenario = Scenario.model_validate_json(json.dumps(document, default=_plain))
    except ValidationError as error:
        details = _causes(error.errors(include_url=False))
        raise ScenarioError([_finding(detail, root, document, file) for detail in details]) from error
    broken = [
        Finding(
            file=file,
            line=_line_of(root, wrong.path),
            path=_shown_path(wrong.path),
            value=wrong.value,
            problem=wrong.problem,
            remedy=wrong.remedy,
        )
        for wrong in broken_references(scenario, frozenset(shipped_log_profiles()))
    ]
    if broken:
        raise ScenarioError(broken)
    return scenario


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


def _compose(text: str, file: str) -> yaml.Node:
    """Return the YAML tree, refused when it is too large once aliases are followed or has a key twice."""
    if len(text) > _MOST_BYTES:
        raise ScenarioError(
            [_whole(file, f"longer than {_MOST_BYTES} characters", "Use `replicate` for many.")]
        )
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ScenarioError([_yaml_finding(error, file)]) from error
    if not isinstance(root, yaml.MappingNode):
        raise ScenarioError([_whole(file, "not a mapping", "Begin with `name:` and `clusters:`.")])
    twice: list[Finding] = []
    for count, node in enumerate(_walk(root)):
        if count > _MOST_NODES:
            raise ScenarioError([_whole(file, "too large once aliases are followed", "Use fewer aliases.")])
        if isinstance(node, yaml.MappingNode):
            twice += _double_keys(node, file)
    if twice:
        raise ScenarioError(twice)
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


def _finding(detail: ErrorDetails, root: yaml.Node, document: object, file: str) -> Finding:
    path = _real_path(detail["loc"], document)
    kind = detail["type"]
    value = "" if kind == "missing" else _shown(detail["input"])
    return Finding(
        file=file,
        line=_line_of(root, path),
        path=_shown_path(path),
        value=value,
        problem=detail["msg"].removeprefix("Value error, "),
        remedy=_remedy(detail),
    )


def _remedy(detail: ErrorDetails) -> str:
    kind = detail["type"]
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(name, _known_keys(), n=1)
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


@lru_cache(maxsize=1)
def _known_keys() -> list[str]:
    schema = Scenario.model_json_schema()
    keys = set(schema["properties"])
    for part in schema["$defs"].values():
        keys |= set(part.get("properties", {}))
    return sorted(keys)


def _real_path(location: Sequence[str | int], document: object) -> _Path:
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


def _line_of(root: yaml.Node, path: Sequence[str | int]) -> int | None:
    """Return the line of the deepest part of `path` that stands in the file."""
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


def _shown_path(path: Sequence[str | int]) -> str:
    shown = ""
    for step in path:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
    return shown


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
