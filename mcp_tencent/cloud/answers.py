"""Reading answers: what is not of the agreed shape is an error of ours, wherever it is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mcp_tencent.errors import UnexpectedAnswer


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what goes wrong while an answer is taken apart into UnexpectedAnswer.

    Args:
        what: Names the call in the error.
    """
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError) as exc:
        raise UnexpectedAnswer(f"{what} answered what cannot be read: {type(exc).__name__}") from exc
