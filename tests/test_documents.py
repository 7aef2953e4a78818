"""The documents tell what is there: every tool, every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer.main

from assistant.cli import app
from assistant.home import find_home
from assistant.server_name import ServerName
from assistant.servers import on_local_cloud, open_server
from assistant.settings import Settings
from mcp_tencent.local_cloud.server import LocalCloud

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]
ROW = re.compile(
    r"^\| `(?P<name>\w+)` \| (?P<risk>[RWD]) \| (?P<title>[^|]+) \| (?P<parameters>[^|]*) \|$", re.MULTILINE
)


def told_tools() -> dict[str, tuple[str, set[str]]]:
    rows = ROW.finditer((ROOT / "docs" / "tools.md").read_text(encoding="utf-8"))
    return {row["name"]: (row["risk"], set(re.findall(r"`(\w+)", row["parameters"]))) for row in rows}


async def offered_tools(home: Path) -> dict[str, tuple[str, set[str]]]:
    offered: dict[str, tuple[str, set[str]]] = {}
    with LocalCloud("quiet") as cloud:
        installation = on_local_cloud(find_home(home, {}), Settings(), {}, cloud)
        for name in ServerName:
            async with open_server(name, installation) as server:
                for tool in await server.list_tools():
                    assert tool.annotations is not None
                    acts = "D" if tool.annotations.destructive_hint else "W"
                    risk = "R" if tool.annotations.read_only_hint else acts
                    offered[tool.name] = (risk, set(tool.input_schema.get("properties", {})))
    return offered


async def test_the_list_of_tools_is_complete_and_right(tmp_path):
    assert told_tools() == await offered_tools(tmp_path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_document_exists(document):
    group = typer.main.get_command(app)
    known = set(getattr(group, "commands", {}))
    named = re.findall(r"(?:`|bin/)xiaozhi ([a-z][a-z-]+)", document.read_text(encoding="utf-8"))
    assert set(named) <= known


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(document):
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (document.parent / target).exists(), target
