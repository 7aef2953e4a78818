"""LogGroupList in protocol buffers, written by hand and independently of the reader under test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def message(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def pair(number: int, key: str, value: str) -> bytes:
    return message(number, message(1, key.encode()) + message(2, value.encode()))


def log(time: int, contents: Mapping[str, str]) -> bytes:
    return varint(1 << 3) + varint(time) + b"".join(pair(2, key, value) for key, value in contents.items())


def log_group_list(logs: Sequence[bytes], *, source: str = "10.0.0.9", filename: str = "/app.log") -> bytes:
    group = b"".join(message(1, each) for each in logs)
    group += message(3, filename.encode()) + message(4, source.encode()) + pair(5, "zone", "gz-6")
    return message(1, group)


def lz4_literals(content: bytes) -> bytes:
    """Return an LZ4 block that only has literals."""
    length = len(content)
    if length < 15:
        return bytes([length << 4]) + content
    rest = length - 15
    return bytes([0xF0]) + b"\xff" * (rest // 255) + bytes([rest % 255]) + content
