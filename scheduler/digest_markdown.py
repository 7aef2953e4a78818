"""A digest as markdown, for group chats (pure); text from outside can neither format, link nor mention."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scheduler.digest import Digest, DigestItem, ItemKind
from scheduler.digest_tally import is_over
from scheduler.digest_wording import one_line

_MARKED = re.compile(r"([\\`*_{}\[\]()#+!|<>~@-])")
_LINES_SHOWN = 4
_LINE = 160


def digest_markdown(digest: Digest) -> str:
    """Return the long form of a digest."""
    sections = [escaped(digest.opening)]
    if digest.decisions:
        asked = "\n".join(f"- {escaped(one.question)}" for one in digest.decisions)
        sections.append(f"### 等您决定\n\n{asked}")
    troubles = [one for one in digest.items if one.kind in (ItemKind.INCIDENT, ItemKind.ALERT)]
    unsolved = [one for one in troubles if one.standing is not None and not is_over(one.standing)]
    sections += _section("没有解决的问题", unsolved)
    sections += _section("已经恢复的问题", [one for one in troubles if one not in unsolved])
    sections += _section("日志和容量", [one for one in digest.items if one not in troubles])
    return "\n\n".join(sections) + "\n"


def escaped(text: str) -> str:
    """Return text from outside so that markdown shows it as it stands, on one line."""
    plain = one_line(text, _LINE)
    # The sentence keeps its full stop, which `one_line` takes off for use within another.
    return _MARKED.sub(r"\\\1", f"{plain}。" if text.endswith("。") else plain)


def _section(title: str, items: Sequence[DigestItem]) -> list[str]:
    if not items:
        return []
    return [f"### {title}", "\n".join(_entry(one) for one in items)]


def _entry(one: DigestItem) -> str:
    lines = "".join(f"\n    - {escaped(line)}" for line in one.lines[:_LINES_SHOWN])
    return f"- {escaped(one.spoken)}{lines}"
