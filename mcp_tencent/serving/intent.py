"""The key under which a tool acts on the outside: the same for the same intent, so that it takes effect once.

A caller's idempotency key names their intent. What the key of a call is made into goes out with the act, so
that a repetition (after this process was killed in the middle of it) is recognised where it arrives.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_key: ContextVar[str | None] = ContextVar("xiaozhi_intent", default=None)


@contextmanager
def under_key(idempotency_key: str | None) -> Iterator[None]:
    """Make `idempotency_key` that of the tool call made inside the block."""
    token = _key.set(idempotency_key)
    try:
        yield
    finally:
        _key.reset(token)


def has_key() -> bool:
    """Tell whether the tool call under way names its intent, and so may be a repetition."""
    return _key.get() is not None


def key_of_act() -> str:
    """Return 32 hex digits: always the same for the call's own key, fresh for a call without one."""
    given = _key.get()
    return uuid.uuid4().hex if given is None else hashlib.sha256(given.encode()).hexdigest()[:32]
