from datetime import timedelta, timezone
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_tencent.push.errors import ReportInvalid
from mcp_tencent.push.message import Attachment, Link, Report, report_from_json, report_to_json, subject_line
from mcp_tencent.push.senders.message_email import compose_email, email_html
from tests.mcp_tencent.push.sample_reports import DIGEST, PIXEL, SHORT
from tests.mcp_tencent.push.virtual_time import START

BEIJING = timezone(timedelta(hours=8))
SENDER = Address(display_name="小智", addr_spec="xiaozhi@example.com")


def mail(report: Report, *, key: str = "delivery-1") -> EmailMessage:
    composed = compose_email(
        report, sender=SENDER, recipients=["ops@example.com"], key=key, at=START.astimezone(BEIJING)
    )
    arrived = message_from_bytes(composed.as_bytes(), policy=policy.default)
    assert isinstance(arrived, EmailMessage)
    return arrived


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def test_chinese_subject_and_sender_arrive_whole() -> None:
    arrived = mail(DIGEST)
    assert arrived["Subject"] == DIGEST.title
    assert arrived["From"] == "小智 <xiaozhi@example.com>"
    assert arrived["To"] == "ops@example.com"


def test_date_is_the_given_one_with_its_offset() -> None:
    assert mail(DIGEST)["Date"] == "Sat, 21 Nov 2026 06:00:00 +0800"


def test_equal_keys_give_equal_message_ids_and_others_do_not() -> None:
    assert mail(DIGEST, key="a")["Message-ID"] == mail(SHORT, key="a")["Message-ID"]
    assert mail(DIGEST, key="a")["Message-ID"] != mail(DIGEST, key="b")["Message-ID"]
    assert mail(DIGEST)["Message-ID"].endswith("@example.com>")


def test_every_line_on_the_wire_is_short_ascii() -> None:
    long_line = Report(reference="r", title="长" * 300, spoken="短", markdown="日志" * 5000)
    wire = compose_email(long_line, sender=SENDER, recipients=["a@example.com"], key="k", at=START).as_bytes()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    assert wire.isascii()


def test_text_html_and_file_are_all_there() -> None:
    arrived = mail(DIGEST)
    assert DIGEST.spoken in body(arrived, "plain")
    assert "| 事件 | 集群 |" in body(arrived, "plain")
    assert "<table" in body(arrived, "html")
    (attachment,) = arrived.iter_attachments()
    assert attachment.get_filename() == "昨夜事件.csv"
    assert attachment.get_payload(decode=True) == "事件,评分\n证书,91\n".encode()


def test_a_chart_is_shown_in_place_and_not_listed_as_a_file() -> None:
    chart = Attachment(filename="趋势.png", media_type="image/png", content=PIXEL, content_id="trend")
    report = Report(
        reference="r", title="趋势", spoken="在涨。", markdown="![趋势](cid:trend)", attachments=(chart,)
    )
    arrived = mail(report)
    assert 'src="cid:trend"' in body(arrived, "html")
    pictures = [part for part in arrived.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<trend>"]
    assert list(arrived.iter_attachments()) == []


def test_only_critical_reports_are_marked_important() -> None:
    assert mail(SHORT)["Importance"] == "high"
    assert mail(DIGEST)["Importance"] is None


def test_markup_in_log_lines_stays_text_and_loads_nothing() -> None:
    evil = Report(
        reference="r",
        title="<script>1</script>",
        spoken='"><img src=x>',
        markdown="<img src='https://evil.example/a.png'>\n\n![跟踪](https://evil.example/t.png)\n\n"
        "[点我](javascript:alert(1))",
    )
    html = body(mail(evil), "html")
    assert "<script" not in html
    assert "<img" not in html
    assert 'href="javascript' not in html
    assert "跟踪" in html


def test_a_html_document_of_the_maker_is_sent_as_it_is() -> None:
    report = Report(reference="r", title="t", spoken="s", markdown="m", html="<html><body>own</body></html>")
    assert "<body>own</body>" in body(mail(report), "html")


def test_nothing_in_the_page_is_wider_than_its_column() -> None:
    html = email_html(DIGEST, at=START)
    assert "overflow-x:auto" in html
    assert html.count("<td style") == html.count("<td")
    assert "text-align:right" in html, "alignment of the table's columns is kept"


@given(st.text(min_size=1, max_size=200))
def test_no_title_can_add_a_header(title: str) -> None:
    if not title.strip():
        return
    report = Report(reference="r", title=title, spoken="s", markdown="m")
    arrived = compose_email(report, sender=SENDER, recipients=["a@example.com"], key="k", at=START)
    parsed = message_from_bytes(arrived.as_bytes(), policy=policy.default)
    assert parsed.keys() == arrived.keys()
    assert "\n" not in subject_line(title)


@given(
    st.builds(
        Report,
        reference=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,20}", fullmatch=True),
        title=st.text(min_size=1).filter(str.strip),
        spoken=st.text(),
        markdown=st.text(),
        attachments=st.tuples(
            st.builds(
                Attachment,
                filename=st.sampled_from(["a.bin", "日报.pdf"]),
                media_type=st.just("application/octet-stream"),
                content=st.binary(max_size=100),
            )
        ),
        mentions=st.just(("13800138000",)),
        links=st.just((Link(title="看", url="https://console.example.com"),)),
    )
)
def test_a_report_survives_its_record(report: Report) -> None:
    assert report_from_json(report_to_json(report)) == report


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": "a b"},
        {"title": " \n"},
        {"mentions": ("12345",)},
    ],
)
def test_a_report_that_no_message_can_carry_is_refused(wrong: dict[str, object]) -> None:
    usual: dict[str, object] = {"reference": "r", "title": "t", "spoken": "s", "markdown": "m"}
    with pytest.raises(ReportInvalid):
        Report(**(usual | wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x", "https://", "nonsense"])
def test_a_link_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ReportInvalid):
        Link(title="看", url=url)


@pytest.mark.parametrize("name", ["../etc/passwd", "a\r\nX: y", " ", 'a"b'])
def test_an_attachment_name_with_a_path_or_line_break_is_refused(name: str) -> None:
    with pytest.raises(ReportInvalid):
        Attachment(filename=name, media_type="text/plain", content=b"")


def test_a_damaged_record_is_refused() -> None:
    with pytest.raises(ReportInvalid):
        report_from_json('{"reference": "r"}')
