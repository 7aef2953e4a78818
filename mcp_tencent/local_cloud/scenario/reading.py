"""Reads scenario files: YAML to a checked `Scenario`, or every finding with its line.

Shipped scenarios are found by name; anything else is a path.
"""

from __future__ import annotations

import difflib
import json
from functools import lru_cache
from importlib import resources
from pathlib import Path

import yaml
from pydantic import TypeAdapter

from mcp_tencent.checked_yaml import DocumentInvalid, Finding, read_document, show_path
from mcp_tencent.local_cloud.errors import ScenarioError, ScenarioNotFoundError
from mcp_tencent.local_cloud.scenario.model import LogProfile, Scenario
from mcp_tencent.local_cloud.scenario.references import broken_references


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
    document = yaml.safe_load(entry.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, LogProfile]).validate_json(json.dumps(document))


@lru_cache(maxsize=8)
def parse_scenario(text: str, *, file: str = "scenario") -> Scenario:
    """Read a scenario from the text of its file; `file` is how findings name it.

    Raises:
        ScenarioError: it is no YAML, no scenario, or refers to what is not there.
    """
    try:
        document = read_document(text, Scenario, file=file, begin_with="`name:` and `clusters:`")
    except DocumentInvalid as error:
        raise ScenarioError(error.findings) from error
    broken = [
        Finding(
            file=file,
            line=document.line_of(wrong.path),
            path=show_path(wrong.path),
            value=wrong.value,
            problem=wrong.problem,
            remedy=wrong.remedy,
        )
        for wrong in broken_references(document.content, frozenset(shipped_log_profiles()))
    ]
    if broken:
        raise ScenarioError(broken)
    return document.content
