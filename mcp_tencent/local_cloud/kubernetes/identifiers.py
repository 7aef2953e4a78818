"""Names, uids and addresses that look random and follow from a seed."""

from __future__ import annotations

import hashlib
import json
import random
import uuid
import zlib

from mcp_tencent.local_cloud.conditions import KubernetesObject

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters of generated names: no vowels, so that no words come out."""


class Identifiers:
    """Draws identifiers one after the other."""

    def __init__(self, seed: int, cluster_id: str) -> None:
        self._random = random.Random(f"{seed}/{cluster_id}")  # noqa: S311 - reproducible on purpose
        self._pod_addresses = 0
        self._service_addresses = 0

    def uid(self) -> str:
        """Return the next version 4 UUID."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def suffix(self) -> str:
        """Return the next five letters for a generated name."""
        return "".join(self._random.choices(_ALPHABET, k=5))

    def pod_ip(self) -> str:
        """Return the next address of the pod network 172.16.0.0/14."""
        self._pod_addresses = self._pod_addresses % 240_000 + 1
        number = self._pod_addresses
        return f"172.{16 + number // 64_000}.{number // 250 % 256}.{number % 250 + 2}"

    def cluster_ip(self) -> str:
        """Return the next address of the service network 10.96.0.0/16."""
        self._service_addresses = self._service_addresses % 60_000 + 1
        return f"10.96.{self._service_addresses // 250}.{self._service_addresses % 250 + 1}"


def template_hash(template: KubernetesObject) -> str:
    """Return the pod-template-hash of a pod template: equal templates have equal hashes."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    letters = []
    for _ in range(9):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def fraction(text: str) -> float:
    """Return a number in [0, 1) that follows from `text` alone."""
    return zlib.crc32(text.encode()) / 2**32


def digest(text: str) -> str:
    """Return a SHA-256 in hexadecimal, for image and container ids."""
    return hashlib.sha256(text.encode()).hexdigest()
