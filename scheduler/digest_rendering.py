"""A digest in all its renderings, as it is kept (pure)."""

from __future__ import annotations

from datetime import datetime

from scheduler.digest import Digest
from scheduler.digest_html import digest_html
from scheduler.digest_json import digest_to_json
from scheduler.digest_spoken import MAX_SECONDS, spoken_digest
from scheduler.records import StoredDigest


def rendered(digest: Digest, *, written_at: datetime, max_seconds: float = MAX_SECONDS) -> StoredDigest:
    """Return a digest as the store keeps it; `max_seconds` bounds the spoken form."""
    spoken = spoken_digest(digest, max_seconds=max_seconds)
    return StoredDigest(
        date=digest.date,
        written_at=written_at,
        content_json=digest_to_json(digest, spoken=tuple(part.text for part in spoken.parts)),
        spoken=spoken.text,
        html=digest_html(digest),
    )
