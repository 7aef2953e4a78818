"""A digest as one self-contained HTML page, for phone, desktop and mail (pure).

Whatever comes from outside is escaped; the page has no script, no link and loads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from html import escape

from mcp_tencent.period_words import spoken_count
from scheduler.digest import Digest, DigestItem, ItemKind
from scheduler.digest_facts import LogFacts, Standing
from scheduler.digest_tally import change_in_words, is_over, tally
from scheduler.digest_wording import STANDING_WORDS

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2530;--soft:#5d6b7a;--line:#dfe4ea;--card:#fff;--page:#f4f6f8;
--bad:#b3261e;--warn:#8a5a00;--good:#1b6e3c}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#9fadba;--line:#303a45;--card:#1b222a;
--page:#12171c;--bad:#ff8a80;--warn:#ffc457;--good:#79d69a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);line-height:1.6;
font-family:system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:52rem;margin:0 auto;padding:1.25rem 1rem 3rem}
h1{font-size:1.5rem;line-height:1.3;margin:0}
h2{font-size:1.05rem;margin:2rem 0 .6rem}
h3{font-size:1rem;margin:0;overflow-wrap:anywhere}
p{margin:.4rem 0}
.soft{color:var(--soft)}
.lead{font-size:1.1rem;margin:.8rem 0 0}
.counts{display:grid;grid-template-columns:repeat(auto-fit,minmax(6.5rem,1fr));
gap:.6rem;margin:1.2rem 0 0;padding:0}
.counts div,.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem}
.counts div{padding:.6rem .8rem}
.counts dt{color:var(--soft);font-size:.85rem}
.counts dd{margin:0;font-size:1.4rem;font-variant-numeric:tabular-nums}
.card{padding:.8rem 1rem;margin:0 0 .6rem}
.head{display:flex;gap:.75rem;align-items:baseline;justify-content:space-between}
.state{white-space:nowrap;font-size:.85rem}
.bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}
ul{margin:.5rem 0 0;padding-left:1.2rem;color:var(--soft);font-size:.9rem}
li{overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;background:var(--card);border:1px solid var(--line)}
th,td{text-align:left;padding:.5rem .8rem;border-bottom:1px solid var(--line)}
th{font-weight:500;color:var(--soft)}
td{font-variant-numeric:tabular-nums}
""".strip()
_STANDING_CLASS = {
    Standing.NEEDS_HUMAN: "bad",
    Standing.OPEN: "warn",
    Standing.HEALED: "good",
    Standing.RECOVERED: "good",
}
_SECTIONS = {
    ItemKind.NOTICE: "设备状态",
    ItemKind.ANOMALY: "日志异常",
    ItemKind.CAPACITY: "容量",
    ItemKind.GAP: "读不到的地方",
}


def digest_html(digest: Digest) -> str:
    """Return the page of a digest."""
    told = digest.date - timedelta(days=1)
    title = f"{told.month}月{told.day}日运维日报"
    decisions = "".join(f'<div class="card">{escape(one.question)}</div>' for one in digest.decisions)
    parts = [
        f"<header><h1>{title}</h1><p class='lead'>{escape(digest.opening)}</p>",
        f"{_counts(digest)}</header>",
        f"<section><h2>等您决定</h2>{decisions}</section>" if decisions else "",
        _section("没有解决的问题", [one for one in digest.items if _is_trouble(one) and not _over(one)]),
        _section("已经恢复的问题", [one for one in digest.items if _is_trouble(one) and _over(one)]),
        *(_section(name, _of(digest, kind)) for kind, name in _SECTIONS.items()),
        _logs(digest.facts.logs, digest.items),
    ]
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _of(digest: Digest, kind: ItemKind) -> list[DigestItem]:
    return [one for one in digest.items if one.kind is kind]


def _counts(digest: Digest) -> str:
    counts = tally(digest.facts)
    cells = (
        ("告警", counts.records),
        ("问题", counts.troubles),
        ("修好", counts.healed),
        ("自己恢复", counts.recovered),
        ("没有解决", counts.unsolved),
        ("等您决定", len(digest.decisions)),
    )
    return f"<dl class='counts'>{''.join(f'<div><dt>{n}</dt><dd>{v}</dd></div>' for n, v in cells)}</dl>"


def _section(name: str, items: Iterable[DigestItem]) -> str:
    cards = "".join(_card(one) for one in items)
    return f"<section><h2>{name}</h2>{cards}</section>" if cards else ""


def _card(one: DigestItem) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in one.lines)
    more = f"<ul>{lines}</ul>" if lines else ""
    heading = f"{one.number}. {escape(one.title)}"
    return (
        f"<article class='card'><div class='head'><h3>{heading}</h3>{_state(one)}</div>"
        f"<p>{escape(one.spoken)}</p>{more}</article>"
    )


def _state(one: DigestItem) -> str:
    if one.standing is None or one.score is None:
        return ""
    words = f"{one.score / 10:.1f}分 · {STANDING_WORDS[one.standing]}"
    return f"<span class='state {_STANDING_CLASS[one.standing]}'>{words}</span>"


def _logs(logs: LogFacts | None, items: Iterable[DigestItem]) -> str:
    if logs is None or not logs.lines:
        return ""
    rows = _row("日志", logs.lines, logs.lines_usual) + _row("错误", logs.errors, logs.errors_usual)
    patterns = "".join(
        f"<li>{escape(line)}</li>" for one in items if one.kind is ItemKind.LOGS for line in one.lines
    )
    return (
        "<section><h2>日志对比</h2><table><thead><tr><th></th><th>昨天</th><th>平时每天</th><th>变化</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>{f'<ul>{patterns}</ul>' if patterns else ''}</section>"
    )


def _row(name: str, now: int, usual: float) -> str:
    cells = (spoken_count(now), spoken_count(usual) if usual else "不详", change_in_words(now, usual))
    return f"<tr><th scope='row'>{name}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _is_trouble(one: DigestItem) -> bool:
    return one.kind in (ItemKind.INCIDENT, ItemKind.ALERT)


def _over(one: DigestItem) -> bool:
    return one.standing is not None and is_over(one.standing)
