"""Lists that fit: pure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mcp_tencent.basic.paging import cut, page_of


class Word(BaseModel):
    text: str


def word(text: str) -> Word:
    return Word(text=text)


@given(st.lists(st.text(max_size=120), max_size=60), st.integers(min_value=50, max_value=2000))
def test_pages_together_are_the_whole_list_in_order(words: list[str], budget: int) -> None:
    seen: list[str] = []
    cursor: str | None = "0"
    while cursor is not None:
        page = page_of(words, word, cursor=cursor, budget_bytes=budget)
        seen += [one.text for one in page.items]
        weight = sum(len(one.model_dump_json().encode()) + 1 for one in page.items)
        assert weight <= budget or len(page.items) == 1
        assert page.left_out == len(words) - len(seen)
        cursor = page.cursor
    assert seen == words


def test_only_what_is_looked_at_becomes_a_line() -> None:
    made: list[int] = []

    def line(number: int) -> Word:
        made.append(number)
        return Word(text="x" * 100)

    page_of(range(100_000), line, budget_bytes=1000)
    assert len(made) < 20


def test_a_cursor_beyond_the_end_gives_an_empty_last_page() -> None:
    page = page_of(["a"], word, cursor="999999")
    assert (page.items, page.left_out, page.cursor) == ([], 0, None)


@given(st.text(max_size=50), st.integers(min_value=1, max_value=50))
def test_cut_text_is_never_longer(text: str, longest: int) -> None:
    assert len(cut(text, longest)) <= longest
    assert cut(text, longest) == text or cut(text, longest).endswith("…")
