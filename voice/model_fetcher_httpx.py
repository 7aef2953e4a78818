"""Downloads on httpx that survive cut connections: they go on where they ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx

from voice.errors import ModelSourceFailed

_OK, _PARTIAL, _RANGE_REFUSED = 200, 206, 416


class HttpxFetcher:
    """Satisfies `Fetcher`.

    Args:
        timeout_s: So long one connect or read may take.
        fruitless: After so many connections in a row that bring nothing, the address is given up.
    """

    def __init__(self, *, timeout_s: float = 30.0, fruitless: int = 2) -> None:
        self._timeout_s = timeout_s
        self._fruitless = fruitless

    def fetch(
        self, address: str, into: Path, *, most_bytes: int, on_bytes: Callable[[int, int | None], None]
    ) -> None:
        """Fetch a file, going on where `into` ends.

        Raises:
            ModelSourceFailed: it could not be had from there, or not to its end.
        """
        fruitless = 0
        with httpx.Client(timeout=self._timeout_s, follow_redirects=True) as client:
            while True:
                before = _size(into)
                try:
                    _Download(client, address, into, most_bytes, on_bytes).go_on()
                except (httpx.TransportError, httpx.StreamError) as error:
                    fruitless = 0 if _size(into) > before else fruitless + 1
                    if fruitless >= self._fruitless:
                        raise ModelSourceFailed(f"{address}: {type(error).__name__}: {error}") from error
                except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
                    raise ModelSourceFailed(f"{address}: {error}") from error
                else:
                    return


class _Download:
    """One connection."""

    def __init__(
        self,
        client: httpx.Client,
        address: str,
        into: Path,
        most_bytes: int,
        on_bytes: Callable[[int, int | None], None],
    ) -> None:
        self._client = client
        self._address = address
        self._into = into
        self._tag_file = into.with_suffix(".tag")
        self._most_bytes = most_bytes
        self._on_bytes = on_bytes

    def go_on(self) -> None:
        have = _size(self._into)
        tag = self._tag_file.read_text(encoding="utf-8") if self._tag_file.is_file() else ""
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if tag:  # if the file has changed, the server sends all of it
                headers["If-Range"] = tag
        with self._client.stream("GET", self._address, headers=headers) as response:
            if response.status_code == _RANGE_REFUSED and have:
                self._end_of_range(response, have)
            elif response.status_code == _PARTIAL and _starts_at(response) == have:
                self._receive(response, have)
            elif response.status_code in {_OK, _PARTIAL}:
                if response.status_code == _PARTIAL:
                    raise ModelSourceFailed(f"{self._address}: answered with another part than asked for")
                self._into.unlink(missing_ok=True)
                self._tag_file.write_text(_strong_tag(response), encoding="utf-8")
                self._receive(response, 0)
            else:
                raise ModelSourceFailed(f"{self._address}: answered with HTTP {response.status_code}")

    def _receive(self, response: httpx.Response, have: int) -> None:
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        if total is not None and total > self._most_bytes:
            raise ModelSourceFailed(f"{self._address}: {total} bytes are far more than the model has")
        with self._into.open("ab") as file:
            for block in response.iter_bytes():
                have += len(block)
                if have > self._most_bytes:
                    raise ModelSourceFailed(f"{self._address}: it does not end")
                file.write(block)
                file.flush()
                self._on_bytes(have, total)

    def _end_of_range(self, response: httpx.Response, have: int) -> None:
        """Nothing is behind what is here: it is whole, or it is longer than the file and worth nothing."""
        found = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
        if found and int(found[1]) == have:
            self._on_bytes(have, have)
            return
        self._into.unlink()
        raise httpx.StreamError("what was there does not fit; it is fetched from the beginning")


def _starts_at(response: httpx.Response) -> int:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _strong_tag(response: httpx.Response) -> str:
    tag = str(response.headers.get("ETag", ""))
    return "" if tag.startswith("W/") else tag


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
