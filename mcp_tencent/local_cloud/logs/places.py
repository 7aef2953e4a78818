"""Where a line stands: its order among all lines, its package id, and paging cursors made from both."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass

from mcp_tencent.local_cloud.logs.errors import CursorInvalid, LogNotFound

MINUTE_MS = 60_000
_PACKAGE_ID = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})-([0-9A-F]+)")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The place of a line; their order is the order of lines within one minute and over all time."""

    timestamp_ms: int
    topic: int
    """Position of the topic in the question: decides between lines of the same millisecond."""
    source: int
    """Number of the source or upload within the topic."""
    minute: int
    """Minutes since the epoch when the package was written."""
    sequence: int
    """Position within the package."""


def package_id(topic_id: str, source: int, minute: int) -> str:
    """Return the id of the package that `source` wrote in `minute`: shaped like those of CLS."""
    return f"{_fingerprint(topic_id)}{minute:08X}-{source:X}"


def parse_package_id(topic_id: str, text: str) -> tuple[int, int]:
    """Return (source, minute) of a package of this topic.

    Raises:
        LogNotFound: no package of this topic can have this id.
    """
    match = _PACKAGE_ID.fullmatch(text)
    if match is None or match[1] != _fingerprint(topic_id):
        raise LogNotFound(f"topic {topic_id} has no package {text!r}")
    source = int(match[3], 16)
    if source >= 2**31:
        raise LogNotFound(f"topic {topic_id} has no package {text!r}")
    return source, int(match[2], 16)


def _fingerprint(topic_id: str) -> str:
    return hashlib.blake2s(topic_id.encode(), digest_size=4).hexdigest().upper()


def cursor_after(place: Place) -> str:
    """Return the cursor of the page that begins after `place`."""
    numbers = [place.timestamp_ms, place.topic, place.source, place.minute, place.sequence]
    return base64.urlsafe_b64encode(json.dumps(numbers, separators=(",", ":")).encode()).decode()


def parse_cursor(text: str) -> Place:
    """Return the last place before the cursor's page.

    Raises:
        CursorInvalid: `text` is no cursor.
    """
    try:
        numbers = json.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise CursorInvalid("this is no context that a search returned") from error
    fits = isinstance(numbers, list) and len(numbers) == 5
    if not fits or not all(type(number) is int and 0 <= number < 2**62 for number in numbers):
        raise CursorInvalid("this is no context that a search returned")
    return Place(*numbers)
