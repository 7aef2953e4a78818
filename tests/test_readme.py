"""Whoever follows the README gets what it says: its commands run on a clean copy."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
COMMANDS = [line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
HARMLESS = {
    ("digest",): 1,  # there is none yet, and it says so
    ("incidents",): 0,
    ("turns",): 0,
    ("audit", "verify"): 0,
    ("policy", "show"): 0,
    ("backup",): 0,
    ("local-cloud", "--list"): 0,
    ("ask", "--scenario"): 0,
}
"""Commands of ours that can be tried anywhere, and how they end on a fresh device."""


def ours() -> list[list[str]]:
    """The commands of xiaozhi, without what stands before them."""
    found = []
    for line in COMMANDS:
        words = shlex.split(line.removeprefix("sudo "))
        if words[0].endswith("xiaozhi"):
            found.append(words[1:])
    return found


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that is, or would be, under version control, and nothing else."""
    place = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    return place


def run(copy: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of ours from the copy, as a user with a fresh home."""
    environ = {**os.environ, "XIAOZHI_HOME": str(home), "PYTHONPATH": str(copy)}
    return subprocess.run(
        [sys.executable, "-m", "assistant", *words],
        cwd=copy,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_the_readme_names_commands_that_this_test_knows():
    named = {words[0] for words in ours()}
    tried = {words[0] for words in HARMLESS}
    assert tried <= named
    assert len(ours()) > 12


@pytest.mark.parametrize("expected", HARMLESS, ids=" ".join)
def test_a_command_of_the_readme_does_on_a_clean_copy_what_it_should(expected, copy, tmp_path):
    words = next(one for one in ours() if tuple(one[: len(expected)]) == expected)
    words = [str(tmp_path / "backup.zip") if one.endswith(".zip") else one for one in words]
    if expected == ("backup",):
        assert run(copy, tmp_path / "home", "turns").returncode == 0  # makes the database
    if expected == ("ask", "--scenario"):
        words.append("--dry-run")
    done = run(copy, tmp_path / "home", *words)
    assert done.returncode == HARMLESS[expected], done.stderr
    assert "Traceback" not in done.stderr


def test_a_first_administrator_is_made_as_the_installation_tells(copy, tmp_path):
    home = tmp_path / "home"
    told = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    steps = [line.split("  #")[0] for line in told.splitlines() if line.startswith("sudo xiaozhi people ")]
    for step in steps:
        words = shlex.split(step)[2:]
        if words[1] != "enrol":  # it needs the person
            done = run(copy, home, *words)
            assert done.returncode == 0, done.stderr
    assert "admin" in run(copy, home, "people", "list").stdout


@pytest.mark.parametrize("target", ["demo", "test"])
def test_both_targets_only_run_what_the_copy_holds(target, copy):
    shown = subprocess.run(
        ["make", "--dry-run", target], cwd=copy, check=True, capture_output=True, text=True
    ).stdout
    assert f"./packaging/setup {target}" in shown
    assert os.access(copy / "packaging" / "setup", os.X_OK)
    wanted = {"demo": "xiaozhi demo --out demo", "test": "pytest"}
    assert wanted[target] in shown


def test_every_file_that_the_readme_runs_is_there_and_executable(copy):
    for line in COMMANDS:
        words = shlex.split(line.removeprefix("sudo "))
        if words[0].startswith("packaging/"):
            assert os.access(copy / words[0], os.X_OK), words[0]
