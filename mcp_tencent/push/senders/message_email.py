"""A report as an e-mail: text, HTML and files (pure).

The HTML carries its styles inline because mail programs drop style sheets, and nothing in it is loaded from
anywhere: pictures are attachments, everything else that a log line might smuggle in becomes text.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from string import Template

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from mcp_tencent.push.message import Attachment, Report, Severity, subject_line

_ACCENT = {Severity.INFO: "#1f6feb", Severity.WARNING: "#b35900", Severity.CRITICAL: "#c62828"}
_LABEL = {Severity.INFO: "日报与通知", Severity.WARNING: "需要留意", Severity.CRITICAL: "需要尽快处理"}
_CELL = "border:1px solid #d8dee4;padding:6px 9px;min-width:3em;vertical-align:top;overflow-wrap:anywhere;"
_STYLES = {
    "h1": "font-size:20px;line-height:1.35;margin:24px 0 8px;color:#1b2430;",
    "h2": "font-size:17px;line-height:1.4;margin:24px 0 8px;color:#1b2430;",
    "h3": "font-size:15px;line-height:1.4;margin:20px 0 6px;color:#1b2430;",
    "p": "margin:0 0 12px;",
    "quoted p": "margin:0 0 6px;",
    "ul": "margin:0 0 12px;padding-left:22px;",
    "ol": "margin:0 0 12px;padding-left:22px;",
    "li": "margin:0 0 4px;",
    "blockquote": "margin:0 0 12px;padding:6px 0 1px 12px;border-left:3px solid #c9d1d9;color:#4a5563;",
    "table": "border-collapse:collapse;width:100%;font-size:13px;line-height:1.5;",
    "th": _CELL + "background:#f3f5f8;text-align:left;white-space:nowrap;",
    "td": _CELL,
    "a": "color:#1f6feb;overflow-wrap:anywhere;",
    "hr": "border:0;border-top:1px solid #e3e7ec;margin:20px 0;",
}
_CODE_BLOCK = (
    "display:block;background:#f3f5f8;border-radius:4px;padding:10px 12px;font-size:12px;line-height:1.5;"
    "white-space:pre-wrap;overflow-wrap:anywhere;font-family:Consolas,Menlo,monospace;"
)
_CODE_INLINE = (
    "background:#f3f5f8;border-radius:3px;padding:1px 4px;font-size:90%;overflow-wrap:anywhere;"
    "font-family:Consolas,Menlo,monospace;"
)
_PAGE = Template("""\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light only">
<title>$title</title>
</head>
<body style="margin:0;padding:0;background:#eef1f4;">
<div style="max-width:760px;margin:0 auto;padding:16px 10px;box-sizing:border-box;">
<div style="background:#ffffff;border-top:4px solid $accent;border-radius:6px;padding:20px 18px 8px;\
color:#242d38;font-family:-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;\
font-size:14px;line-height:1.7;overflow-wrap:anywhere;">
<div style="font-size:12px;color:$accent;font-weight:600;">$label</div>
<h1 style="font-size:21px;line-height:1.35;margin:4px 0 12px;color:#1b2430;">$title</h1>
<p style="margin:0 0 18px;padding:10px 14px;background:#f3f5f8;border-radius:4px;font-size:15px;">$spoken</p>
$body
$links
</div>
<p style="margin:12px 8px;font-size:12px;line-height:1.6;color:#66707c;\
font-family:-apple-system,'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;">\
小智自动发送 · $date</p>
</div>
</body>
</html>
""")


def compose_email(
    report: Report, *, sender: Address, recipients: Sequence[str], key: str, at: datetime
) -> EmailMessage:
    """Return the report as a message with a text part, an HTML part, inline pictures and files.

    Args:
        report: what is told.
        sender: shown as From; its domain is also the Message-ID's.
        recipients: plain addresses, shown as To.
        key: the delivery's idempotency key. Equal keys give equal Message-IDs, so a mail that had to be sent
            again after a crash is recognised as the same one by mail servers and readers.
        at: when the report was made, aware; the same for all retries.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = [Address(addr_spec=recipient) for recipient in recipients]
    message["Subject"] = subject_line(report.title)
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: vacation replies stay away
    if report.severity is Severity.CRITICAL:
        message["Importance"] = "high"
    # base64 survives every relay; log lines may be longer than the 998 octets of RFC 5322 2.1.1
    message.set_content(email_text(report), cte="base64")
    message.add_alternative(report.html or email_html(report, at=at), subtype="html", cte="base64")
    html_part = message.get_payload(1)
    for attachment in report.attachments:
        if attachment.content_id is not None and isinstance(html_part, EmailMessage):
            _attach(html_part, attachment)
    for attachment in report.attachments:
        if attachment.content_id is None:
            _attach(message, attachment)
    return message


def email_text(report: Report) -> str:
    """Return the part for readers without HTML: the summary, the markdown as it is, the links."""
    links = "\n".join(f"{link.title}：{link.url}" for link in report.links)
    return "\n\n".join(block for block in (report.spoken, report.markdown.strip(), links) if block) + "\n"


def email_html(report: Report, *, at: datetime) -> str:
    """Return the report as a complete HTML document that fits a telephone and a desktop."""
    links = "".join(
        f'<p style="margin:0 0 12px;"><a style="{_STYLES["a"]}" href="{html.escape(link.url)}">'
        f"{html.escape(link.title)}</a></p>"
        for link in report.links
    )
    return _PAGE.substitute(
        title=html.escape(subject_line(report.title)),
        accent=_ACCENT[report.severity],
        label=_LABEL[report.severity],
        spoken=html.escape(report.spoken),
        body=_render_markdown(report.markdown),
        links=links,
        date=at.strftime("%Y-%m-%d %H:%M"),
    )


def _attach(part: EmailMessage, attachment: Attachment) -> None:
    maintype, _, subtype = attachment.media_type.partition("/")
    if attachment.content_id is None:
        part.add_attachment(
            attachment.content, maintype=maintype, subtype=subtype, filename=attachment.filename
        )
        return
    part.add_related(
        attachment.content,
        maintype=maintype,
        subtype=subtype,
        filename=attachment.filename,
        disposition="inline",
        cid=f"<{attachment.content_id}>",
    )


def _render_markdown(markdown: str) -> str:
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    renderer.add_render_rule("table_open", _open_table)
    renderer.add_render_rule("table_close", _close_table)
    tokens = renderer.parse(markdown)
    _style(tokens)
    rendered = renderer.renderer.render(tokens, renderer.options, {})
    return str(rendered)


def _open_table(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    # A table wider than the screen scrolls by itself instead of stretching the page.
    return f'<div style="overflow-x:auto;margin:0 0 14px;"><table style="{_STYLES["table"]}">\n'


def _close_table(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    return "</table></div>\n"


def _style(tokens: list[Token]) -> None:
    """Give each token its inline style; turn pictures that are not ours into their text."""
    quotes = 0
    for token in tokens:
        if token.tag == "blockquote":
            quotes += token.nesting
        if token.type == "image" and not str(token.attrGet("src") or "").startswith("cid:"):
            token.type, token.tag, token.attrs = "text", "", {}
        if token.nesting != -1 and (style := _style_of(token, quoted=quotes > 0)):
            token.attrSet("style", style + str(token.attrGet("style") or ""))
        if token.children and token.type != "image":
            _style(token.children)


def _style_of(token: Token, *, quoted: bool) -> str | None:
    match token.type:
        case "image":
            return "max-width:100%;height:auto;"
        case "fence" | "code_block":
            return _CODE_BLOCK
        case "code_inline":
            return _CODE_INLINE
        case "paragraph_open" if quoted:
            return _STYLES["quoted p"]
        case _:
            return _STYLES.get(token.tag)
