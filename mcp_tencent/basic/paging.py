"""Lists that fit into an answer: cut by measured size, with what was left out and a cursor (pure)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field

S = TypeVar("S")
M = TypeVar("M", bound=BaseModel)

ANSWER_BYTES = 4000
"""What the structured content of an answer may weigh, as UTF-8 JSON."""
LIST_BYTES = 3200
"""What of it is for the list; the rest is for summary and counts."""

Cursor = Annotated[
    str | None,
    Field(description="`cursor` of the answer before, for the next page.", pattern=r"^\d{1,6}$"),
]


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """A part of a list."""

    items: list[M]
    left_out: int
    """So many come after it."""
    cursor: str | None
    """Where the next page begins; None after the last."""


def page_of(
    things: Sequence[S],
    line: Callable[[S], M],
    *,
    cursor: str | None = None,
    budget_bytes: int = LIST_BYTES,
    most: int = 50,
) -> Page[M]:
    """Return as many lines as fit, at least one.

    Args:
        things: The whole list, in order.
        line: Makes a line of the answer of one thing; only called for those that are looked at.
        cursor: Where to begin, from the page before.
        budget_bytes: What the lines may weigh together.
        most: Lines of a page at most.
    """
    begin = int(cursor or 0)
    items: list[M] = []
    weight = 0
    for thing in things[begin : begin + most]:
        item = line(thing)
        weight += len(item.model_dump_json().encode()) + 1
        if items and weight > budget_bytes:
            break
        items.append(item)
    behind = begin + len(items)
    left_out = max(0, len(things) - behind)
    return Page(items, left_out, str(behind) if left_out else None)


def cut(text: str, longest: int) -> str:
    """Return `text`, shortened with an ellipsis to at most `longest` characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
