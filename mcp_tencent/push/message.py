"""One report, as it is before it takes the shape of a channel (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mcp_tencent.push.errors import ReportInvalid

_MOBILE = re.compile(r"1[3-9]\d{9}")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


class Severity(StrEnum):
    """How urgent a report is; decides colour and the importance header, never who gets it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that travels with a report by e-mail; group robots cannot carry files."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    filename: str
    media_type: str
    content: bytes
    content_id: str | None = None
    """When set, the HTML shows it in place as `cid:<content_id>` (a chart), not as a file of its own."""

    def __post_init__(self) -> None:
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise _invalid(
                f"attachment {self.filename!r}: {self.media_type!r} is no media type, want type/subtype"
            )
        if not self.filename.strip() or any(c in self.filename for c in '/\\\r\n\0"'):
            raise _invalid(f"attachment name {self.filename!r} is empty or holds a path or control character")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where the reader may go on: a button in group chat, a line in a mail."""

    title: str
    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise _invalid(f"link {self.title!r} must be an http or https address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is told: the same content for every channel."""

    reference: str
    """Which report this is, stable across retries: `digest-2026-11-20`, `incident-42`."""
    title: str
    spoken: str
    """The summary as it would be spoken: one or two sentences."""
    markdown: str
    """The long form, CommonMark with tables."""
    html: str | None = None
    """A complete HTML document for mail, when its maker wants more than the rendered markdown."""
    attachments: tuple[Attachment, ...] = ()
    severity: Severity = Severity.INFO
    mentions: tuple[str, ...] = ()
    """Mobile numbers (mainland China, 11 digits) of those to be called by name in a group chat."""
    links: tuple[Link, ...] = ()

    def __post_init__(self) -> None:
        if not _REFERENCE.fullmatch(self.reference):
            raise _invalid(f"report reference {self.reference!r} must be 1 to 100 of A-Z a-z 0-9 . _ : -")
        if not self.title.strip():
            raise _invalid("a report needs a title")
        for mobile in self.mentions:
            if not _MOBILE.fullmatch(mobile):
                raise _invalid("a mention must be a mainland mobile number of 11 digits")


def subject_line(title: str) -> str:
    """Return a title as one line: a line break in a title must never become a header of its own."""
    return " ".join("".join(c if c.isprintable() else " " for c in title).split())


def report_to_json(report: Report) -> str:
    """Return the report as JSON, attachments in base64, for the record of its delivery."""
    return _REPORTS.dump_json(report).decode()


def report_from_json(text: str) -> Report:
    """Return the report that `report_to_json` wrote.

    Raises:
        ReportInvalid: the text is not such a report.
    """
    try:
        return _REPORTS.validate_json(text)
    except ValidationError as exc:
        raise _invalid(f"a stored report cannot be read: {exc.error_count()} findings") from exc


def _invalid(message: str) -> ReportInvalid:
    return ReportInvalid(message, spoken="这份报告的内容有问题，没法发出去。")


_REPORTS = TypeAdapter(Report)
