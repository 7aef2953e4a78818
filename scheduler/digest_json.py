"""A digest as JSON, and back: how it is kept, and what `--json` prints."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from scheduler.digest import Digest
from scheduler.errors import DigestUnreadable

SCHEMA: Final = "xiaozhi.digest/1"
"""Changes with its meaning: who reads an unknown one says so rather than guess."""


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_name: Literal["xiaozhi.digest/1"] = SCHEMA
    spoken: tuple[str, ...]
    """The spoken rendering, part by part, for readers that only want to say it."""
    digest: Digest


def digest_to_json(digest: Digest, *, spoken: tuple[str, ...] = ()) -> str:
    """Return a digest as JSON, with what is spoken of it."""
    return _Kept(digest=digest, spoken=spoken).model_dump_json()


def digest_from_json(text: str) -> Digest:
    """Return the digest that `digest_to_json` wrote.

    Raises:
        DigestUnreadable: The text is no such digest, or of another schema.
    """
    try:
        return _Kept.model_validate_json(text).digest
    except ValidationError as exc:
        raise DigestUnreadable(f"a kept digest cannot be read: {exc.error_count()} findings") from exc
