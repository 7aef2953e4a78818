"""The digests that the night has written, as they are spoken."""

from __future__ import annotations

import logging
from datetime import datetime, tzinfo

from assistant.conversation.greeting import SpokenDigest
from mcp_tencent.gateway.stores import in_store
from scheduler.digest_json import digest_from_json
from scheduler.digest_spoken import spoken_digest
from scheduler.errors import DigestUnreadable
from scheduler.records import DigestStore

_log = logging.getLogger(__name__)


class KeptDigests:
    """Satisfies the greeting's `Digests`.

    Args:
        digests: The memory of digests.
        zone: In which a day begins at midnight.
        max_seconds: How long a digest is at most for people without a wish of their own.
    """

    def __init__(self, digests: DigestStore, zone: tzinfo, *, max_seconds: int) -> None:
        self._digests = digests
        self._zone = zone
        self._max_seconds = max_seconds

    async def of(self, now: datetime, *, max_seconds: int | None = None) -> SpokenDigest | None:
        """Return the digest of this day, or None when none was written."""
        today = now.astimezone(self._zone).date()
        kept = await in_store(lambda: self._digests.get(today))
        if kept is None:
            return None
        try:
            digest = digest_from_json(kept.content_json)
        except DigestUnreadable as error:
            _log.warning("the digest of %s is told as it was written: %s", today, error)
            return SpokenDigest(parts=(kept.spoken,))
        spoken = spoken_digest(digest, max_seconds=max_seconds or self._max_seconds)
        return SpokenDigest(
            parts=tuple(part.text for part in spoken.parts),
            details=tuple(item.detail for item in digest.items),
        )
