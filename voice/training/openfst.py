"""OpenFST's command line tools (Debian: libfst-tools), fed with text."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from voice.training.errors import GraphBuildFailed, TrainingToolMissing

# Debian's fstconvert finds the type "olabel_lookahead" only when its library is loaded beforehand.
_LOOKAHEAD = {"LD_PRELOAD": "libfstlookahead.so.22"}

Arc = tuple[int, int, int, int, float]
"""From, to, input label, output label, cost (negative logarithm of a probability)."""


def as_text(arcs: Iterable[Arc], finals: Iterable[tuple[int, float]]) -> str:
    """Write a transducer as OpenFST's text; the first arc's origin is the start."""
    lines = [f"{source} {target} {heard} {said} {cost:.4f}" for source, target, heard, said, cost in arcs]
    lines += [f"{state} {cost:.4f}" for state, cost in finals]
    return "\n".join(lines) + "\n"


def write_lookahead(text: str, path: Path) -> dict[int, int]:
    """Compile a graph whose words can be looked ahead to.

    Returns:
        The new number of each word that occurs: lookahead needs words numbered in the order of the graph.
    """
    with TemporaryDirectory() as folder:
        work = Path(folder)
        compiled, connected, ordered = work / "compiled", work / "connected", work / "ordered"
        _run(["fstcompile", "-", str(compiled)], text)
        _run(["fstconnect", str(compiled), str(connected)])
        _run(["fstarcsort", "--sort_type=olabel", str(connected), str(ordered)])
        _run(
            [
                "fstconvert", "--fst_type=olabel_lookahead", f"--save_relabel_opairs={work / 'relabel'}",
                str(ordered), str(path),
            ],
            environment=_LOOKAHEAD,
        )  # fmt: skip
        pairs = (line.split() for line in (work / "relabel").read_text().splitlines())
        return {int(old): int(new) for old, new in pairs}


def write_const(text: str, path: Path) -> None:
    """Compile a language model: sorted by input, in the compact constant form."""
    with TemporaryDirectory() as folder:
        compiled, ordered = Path(folder) / "compiled", Path(folder) / "ordered"
        _run(["fstcompile", "-", str(compiled)], text)
        _run(["fstarcsort", "--sort_type=ilabel", str(compiled), str(ordered)])
        _run(["fstconvert", "--fst_type=const", str(ordered), str(path)])


def _run(command: Sequence[str], text: str = "", environment: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own command line, no shell
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **(environment or {})},
        )
    except FileNotFoundError as exc:
        raise TrainingToolMissing(command[0], "install libfst-tools") from exc
    if done.returncode:
        raise GraphBuildFailed(command[0], done.stderr)
