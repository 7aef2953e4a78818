"""The body of UploadLog: a LogGroupList in protocol buffers, plain or as an LZ4 block.

Sources: the message definitions stand in the documentation of UploadLog (LogGroupList → LogGroup → Log →
Content); the wire format in the protocol buffers encoding guide; the block format in lz4_Block_format.md.
The messages are four and flat, so they are read by hand rather than with a code generator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from mcp_tencent.local_cloud.logs.lines import LogLine, LogOrigin

MAX_BYTES = 5 * 2**20
"""Of all values of an upload, after decompression."""
MAX_LOGS_PER_GROUP = 10_000

_CONTENT = "__CONTENT__"


class MalformedUploadError(ValueError):
    """The body is no LogGroupList."""


class UploadTooLargeError(ValueError):
    """The body holds more than an upload may."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field on the wire; a number or bytes, never both."""

    number: int
    value: int
    data: bytes


def decode_log_groups(body: bytes) -> list[LogLine]:
    """Return the lines of an uncompressed LogGroupList, in its order.

    Raises:
        MalformedUploadError: the bytes are no such message, or a log has no time or a reserved key.
        UploadTooLargeError: there are more logs or bytes than one upload may have.
    """
    if len(body) > MAX_BYTES:
        raise UploadTooLargeError(f"an upload may have {MAX_BYTES} bytes, got {len(body)}")
    lines: list[LogLine] = []
    for group in _fields(body):
        if group.number == 1:
            lines += _group_lines(group.data)
    return lines


def _group_lines(group: bytes) -> list[LogLine]:
    logs: list[bytes] = []
    filename = source = ""
    tags: list[tuple[str, str]] = []
    for field in _fields(group):
        match field.number:
            case 1:
                logs.append(field.data)
            case 3:
                filename = _text(field.data)
            case 4:
                source = _text(field.data)
            case 5:
                tags.append(_pair(field.data))
            case _:
                pass
    if len(logs) > MAX_LOGS_PER_GROUP:
        raise UploadTooLargeError(f"a LogGroup may have {MAX_LOGS_PER_GROUP} logs, got {len(logs)}")
    origin = LogOrigin(source=source, filename=filename, hostname=source, tags=tuple(tags))
    return [_line(log, origin) for log in logs]


def _line(log: bytes, origin: LogOrigin) -> LogLine:
    time: int | None = None
    contents: list[tuple[str, str]] = []
    for field in _fields(log):
        if field.number == 1:
            time = field.value
        elif field.number == 2:
            contents.append(_pair(field.data))
    if time is None:
        raise MalformedUploadError("a Log has no time")
    text = dict(contents).get(_CONTENT)
    fields = tuple((key, value) for key, value in contents if key != _CONTENT)
    if any(key.startswith("_") for key, _ in fields):
        raise MalformedUploadError("a key must not begin with an underscore")
    shown = json.dumps(dict(fields), ensure_ascii=False) if text is None else text
    return LogLine(_milliseconds(time), shown, fields, origin)


def _milliseconds(time: int) -> int:
    """Return a log's time in milliseconds; seconds and microseconds are told by their size."""
    if time < 10**11:
        return time * 1000
    return time if time < 10**14 else time // 1000


def _pair(data: bytes) -> tuple[str, str]:
    key = value = ""
    for field in _fields(data):
        if field.number == 1:
            key = _text(field.data)
        elif field.number == 2:
            value = _text(field.data)
    if not key:
        raise MalformedUploadError("a key-value has no key")
    return key, value


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedUploadError("a text is not UTF-8") from error


def _fields(message: bytes) -> Iterator[_Field]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, wire = tag >> 3, tag & 7
        match wire:
            case 0:  # varint
                value, position = _varint(message, position)
                yield _Field(number, value, b"")
            case 2:  # length-delimited
                length, position = _varint(message, position)
                data, position = _slice(message, position, length)
                yield _Field(number, 0, data)
            case 1:  # 64 bits, which no field here uses
                _, position = _slice(message, position, 8)
            case 5:  # 32 bits, likewise
                _, position = _slice(message, position, 4)
            case _:
                raise MalformedUploadError(f"wire type {wire} is not used")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if position >= len(message):
            raise MalformedUploadError("a number is cut off")
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), position
    raise MalformedUploadError("a number has more than 64 bits")


def _slice(message: bytes, position: int, length: int) -> tuple[bytes, int]:
    if length > len(message) - position:
        raise MalformedUploadError("a field is cut off")
    return message[position : position + length], position + length


def decompress_lz4_block(block: bytes, limit: int = MAX_BYTES) -> bytes:
    """Return the content of an LZ4 block.

    Raises:
        MalformedUploadError: the block is damaged.
        UploadTooLargeError: its content has more than `limit` bytes.
    """
    content = bytearray()
    position = 0
    while position < len(block):
        token = block[position]
        literals, position = _lz4_length(block, position + 1, token >> 4)
        data, position = _slice(block, position, literals)
        content += data
        if position >= len(block):
            break
        offset_bytes, position = _slice(block, position, 2)
        offset = int.from_bytes(offset_bytes, "little")
        length, position = _lz4_length(block, position, token & 0x0F)
        length += 4
        if not 0 < offset <= len(content):
            raise MalformedUploadError("the compressed body refers to before its beginning")
        if len(content) + length > limit:
            raise UploadTooLargeError(f"an upload may have {limit} bytes")
        start = len(content) - offset
        chunk = bytes(content[start : start + length])
        repeats = -(-length // len(chunk))
        content += (chunk * repeats)[:length]
    if len(content) > limit:
        raise UploadTooLargeError(f"an upload may have {limit} bytes")
    return bytes(content)


def _lz4_length(block: bytes, position: int, nibble: int) -> tuple[int, int]:
    length = nibble
    if nibble == 15:
        while True:
            if position >= len(block):
                raise MalformedUploadError("the compressed body is cut off")
            byte = block[position]
            position += 1
            length += byte
            if byte != 255:
                break
    return length, position
