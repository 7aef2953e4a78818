"""Identifiers of resources and requests, the same for the same seed."""

from __future__ import annotations

import random
import string
import uuid

_SHORT_ALPHABET = string.ascii_lowercase + string.digits


class Identifiers:
    """Makes up identifiers as the services form them."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - names, not secrets

    def uuid(self, prefix: str = "") -> str:
        """Return a UUID, as CLS and requests use it; alarms prefix it: alarm-…, notice-…."""
        return prefix + str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def short(self, prefix: str) -> str:
        """Return a prefix and eight letters or digits, as TKE uses it: np-1ade4uid."""
        return prefix + "".join(self._random.choices(_SHORT_ALPHABET, k=8))
