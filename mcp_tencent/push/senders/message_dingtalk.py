"""A report as DingTalk robot messages: markdown, or an actionCard where there is something to click (pure).

DingTalk renders a small part of markdown: headings, quotes, bold, italics, links, pictures and lists. Tables
and code blocks are therefore rewritten as lists and quotes. A body may have some 20,000 bytes; longer reports
become several messages, cut between lines, and what is beyond `MAX_PARTS` is counted instead of sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from mcp_tencent.push.message import Report, subject_line

MAX_TEXT_BYTES = 16_000
"""Of one message's text: leaves room for the title, the mentions and JSON's escapes below 20,000 bytes."""
MAX_PARTS = 5

_TABLE_RULE = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?")
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_STRUCTURED = re.compile(r"(#{1,6} |[-*+] |\d+\. |> )")


def dingtalk_messages(report: Report, *, keyword: str | None = None) -> tuple[str, ...]:
    """Return the JSON bodies to post, in order.

    Args:
        report: what is told. With links and nobody to mention: an actionCard (which cannot mention).
        keyword: when the robot only takes messages that contain this word, it is added where it is missing.
    """
    title = subject_line(report.title)
    text = "\n".join(_dingtalk_lines(report.markdown))
    chunks = split_lines(f"> {report.spoken}\n\n{text}".strip(), MAX_TEXT_BYTES)
    if len(chunks) > MAX_PARTS:
        left_out = sum(chunk.count("\n") + 1 for chunk in chunks[MAX_PARTS:])
        chunks = chunks[:MAX_PARTS]
        chunks[-1] += f"\n\n……后面还有 {left_out} 行，完整内容请看邮件。"
    last = len(chunks) - 1
    messages = []
    for index, chunk in enumerate(chunks):
        heading = title if last == 0 else f"{title}（{index + 1}/{last + 1}）"
        body = f"### {heading}\n\n{chunk}"
        if keyword is not None and keyword not in body:
            body += f"\n\n{keyword}"
        if report.links and index == last and not report.mentions:
            messages.append(_action_card(heading, body, report))
        else:
            messages.append(_markdown(heading, body, report, first=index == 0, last=index == last))
    return tuple(messages)


def split_lines(text: str, limit_bytes: int) -> list[str]:
    """Return the text in pieces of at most `limit_bytes` UTF-8 bytes, cut between lines where possible.

    Joined with line breaks the pieces give the text again, except that a line too long for a piece of its own
    is cut between characters. `limit_bytes` must be at least 4, the longest character.
    """
    pieces: list[str] = []
    current: list[str] = []
    size = 0
    for line in (part for whole in text.split("\n") for part in _cut_long(whole, limit_bytes)):
        cost = len(line.encode()) + (1 if current else 0)
        if current and size + cost > limit_bytes:
            pieces.append("\n".join(current))
            current, size, cost = [], 0, len(line.encode())
        current.append(line)
        size += cost
    pieces.append("\n".join(current))
    return pieces


def _cut_long(line: str, limit_bytes: int) -> Iterator[str]:
    """Yield the line in pieces that fit; a character is never cut."""
    encoded = line.encode()
    while len(encoded) > limit_bytes:
        cut = limit_bytes
        while encoded[cut] & 0xC0 == 0x80:  # a UTF-8 continuation byte
            cut -= 1
        yield encoded[:cut].decode()
        encoded = encoded[cut:]
    yield encoded.decode()


def _markdown(title: str, body: str, report: Report, *, first: bool, last: bool) -> str:
    if last:
        body += "".join(f"\n\n[{link.title}]({link.url})" for link in report.links)
    mentions = report.mentions if first else ()
    if mentions:
        # DingTalk notifies those in `at`, but shows the name only where the text has the number too.
        body += "\n\n" + " ".join(f"@{mobile}" for mobile in mentions)
    return _body(
        {
            "msgtype": "markdown",
            "markdown": {"title": title, "text": body},
            "at": {"atMobiles": list(mentions), "isAtAll": False},
        }
    )


def _action_card(title: str, body: str, report: Report) -> str:
    card: dict[str, object] = {"title": title, "text": body}
    if len(report.links) == 1:
        card |= {"singleTitle": report.links[0].title, "singleURL": report.links[0].url}
    else:
        buttons = [{"title": link.title, "actionURL": link.url} for link in report.links]
        card |= {"btnOrientation": "0", "btns": buttons}
    return _body({"msgtype": "actionCard", "actionCard": card})


def _body(message: dict[str, object]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def _dingtalk_lines(markdown: str) -> Iterator[str]:
    """Yield markdown lines in DingTalk's dialect."""
    lines = markdown.strip().splitlines()
    fenced = False
    header: Sequence[str] | None = None
    for index, line in enumerate(lines):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            yield f"> {line}  "
        elif (cells := _cells(line)) is None:
            header = None
            yield _plain_line(line)
        elif header is None and index + 1 < len(lines) and _is_rule(lines[index + 1]):
            header = cells
        elif header is None:
            yield _plain_line(line)
        elif not _is_rule(line):
            yield "- " + "；".join(_labelled(header, cells))


def _plain_line(line: str) -> str:
    line = _PICTURE.sub(r"\1", line)
    if not line.strip() or _STRUCTURED.match(line.lstrip()):
        return line
    return line.rstrip() + "  "  # two blanks: DingTalk joins lines otherwise


def _cells(line: str) -> list[str] | None:
    stripped = line.strip()
    if not stripped.startswith("|"):
        return None
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", stripped.strip("|"))]


def _is_rule(line: str) -> bool:
    return _TABLE_RULE.fullmatch(line.strip()) is not None


def _labelled(header: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    for index, cell in enumerate(cells):
        label = header[index] if index < len(header) else ""
        if cell:
            yield f"{label}：{cell}" if label else cell
