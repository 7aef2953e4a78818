"""Reading several topics as one: merged by time, paged by a bookmark that stays valid for ever."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from mcp_tencent.basic.desk import BasicDesk
from mcp_tencent.basic.query_writing import split_statement
from mcp_tencent.errors import CloudError, DeadlineExceeded, InvalidQuery, InvalidRequest, NotFound
from mcp_tencent.models.logs import LogLine, SortOrder
from mcp_tencent.naming.located import LocatedTopic
from mcp_tencent.naming.naming import Naming
from mcp_tencent.periods import Period
from mcp_tencent.side_by_side import side_by_side

T = TypeVar("T")

MOST_TOPICS = 30
_AT_ONCE = 5
_LARGEST_PAGE = 1000
_MILLISECOND = timedelta(milliseconds=1)
_ORIGINS = ("__TAG__.pod_name", "pod_name", "pod", "workload", "__TAG__.pod_label_app", "service", "app")
_LEVELS = ("level", "loglevel", "log_level", "severity", "__LEVEL__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """Where a page of a search ended: at an instant, and which lines of that instant had been shown."""

    start: datetime
    end: datetime
    at: datetime
    seen: tuple[str, ...]
    shown: int
    """Lines on all pages so far."""

    def written(self) -> str:
        """Return it as one opaque word."""
        fields = {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "at": self.at.isoformat(),
            "seen": self.seen,
            "shown": self.shown,
        }
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()


def read_bookmark(word: str) -> Bookmark:
    """Return the bookmark that was written as `word`; raises InvalidRequest when it is none."""
    try:
        fields = json.loads(base64.urlsafe_b64decode(word.encode()))
        start, end, at = (datetime.fromisoformat(fields[name]) for name in ("start", "end", "at"))
        seen, shown = tuple(str(each) for each in fields["seen"]), int(fields["shown"])
    except (binascii.Error, ValueError, TypeError, KeyError) as exc:
        raise InvalidRequest("the cursor is not one that an earlier page gave") from exc
    if any(each.tzinfo is None for each in (start, end, at)) or not start <= at <= end:
        raise InvalidRequest("the cursor is not one that an earlier page gave")
    return Bookmark(start=start, end=end, at=at, seen=seen, shown=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A search over topics."""

    query: str
    period: Period
    order: SortOrder
    limit: int
    bookmark: Bookmark | None = None


async def searched_topics(naming: Naming, topic: str | None) -> Sequence[LocatedTopic]:
    """Return the topics that a call means: the named one, the default one, or all that can be searched.

    Raises:
        NotFound, Ambiguous: None, or several, are called that.
        InvalidRequest: No topic is named, and there are too many to search all.
    """
    found = await naming.topics(topic)
    if topic is None:
        found = [one for one in found if one.topic.indexed] or found
    if not found:
        raise NotFound("there is no log topic")
    if len(found) > MOST_TOPICS:
        raise InvalidRequest(
            f"there are {len(found)} log topics, and {MOST_TOPICS} at most are searched at once: name one"
        )
    return found


def check_search(query: str) -> None:
    """Refuse an analysis where lines are searched; raises InvalidQuery with its position."""
    search, sql = split_statement(query)
    if sql:
        raise InvalidQuery(
            "the query holds an analysis after `|`: give that as `sql` to analyze_logs",
            position=query.index("|", len(search)),
        )


async def of_each(
    topics: Sequence[LocatedTopic],
    ask: Callable[[LocatedTopic], Awaitable[T]],
    *,
    within_s: float | None = None,
) -> tuple[list[tuple[LocatedTopic, T]], list[str]]:
    """Ask every topic, a few at once; topics whose index does not fit are named with the reason.

    Args:
        topics: Which.
        ask: Asks one.
        within_s: With it, a topic that fails otherwise, or has not answered so many seconds from now, is
            named with the reason as well: what the others say is worth more than nothing.

    Raises:
        CloudError: None of them can be asked; without `within_s`, one of them.
    """
    turns = asyncio.Semaphore(_AT_ONCE)
    until = None if within_s is None else asyncio.get_running_loop().time() + within_s

    async def one(topic: LocatedTopic) -> T | CloudError:
        try:
            async with asyncio.timeout_at(until), turns:
                return await ask(topic)
        except TimeoutError:
            return DeadlineExceeded(f"{topic.topic.name} has not answered within {within_s:g} s")
        except (InvalidQuery, NotFound) as error:
            return error
        except CloudError as error:
            if within_s is None:
                raise
            return error

    answers = await side_by_side(one(topic) for topic in topics)
    fit: list[tuple[LocatedTopic, T]] = []
    skipped: list[str] = []
    first: CloudError | None = None
    for topic, answer in zip(topics, answers, strict=True):
        if isinstance(answer, CloudError):
            first = first or answer
            skipped.append(f"{topic.alias}: {answer.detail}"[:160])
        else:
            fit.append((topic, answer))
    if not fit and first is not None:
        raise first
    return fit, skipped


async def search_topics(
    desk: BasicDesk, topics: Sequence[LocatedTopic], asked: Asked
) -> tuple[list[tuple[LocatedTopic, LogLine]], list[str]]:
    """Return the lines of one page, in order, over all topics; and which topics were skipped."""
    mark = asked.bookmark
    start, end = (mark.start, mark.end) if mark else (asked.period.start, asked.period.end)
    if mark and asked.order is SortOrder.NEWEST_FIRST:
        end = min(end, mark.at + _MILLISECOND)
    elif mark:
        start = mark.at
    seen = frozenset(mark.seen if mark else ())
    limit = min(_LARGEST_PAGE, asked.limit + len(seen))

    async def ask(topic: LocatedTopic) -> Sequence[LogLine]:
        page = await desk.logs(topic.place).search(
            topic.topic.topic_id, asked.query, start, end, limit=limit, order=asked.order
        )
        return page.lines

    pages, skipped = await of_each(topics, ask)
    found = [
        (topic, replace(line, topic_id=topic.topic.topic_id))
        for topic, lines in pages
        for line in lines
        if line_key(line) not in seen
    ]
    found.sort(key=lambda pair: pair[1].at, reverse=asked.order is SortOrder.NEWEST_FIRST)
    return found[: asked.limit], skipped


def bookmark_after(lines: Sequence[LogLine], asked: Asked) -> Bookmark:
    """Return where the next page begins, when `lines` (not empty) have been shown."""
    mark = asked.bookmark
    at = lines[-1].at
    seen = [line_key(line) for line in lines if line.at == at]
    if mark and mark.at == at:
        seen = [*mark.seen, *seen]
    return Bookmark(
        start=mark.start if mark else asked.period.start,
        end=mark.end if mark else asked.period.end,
        at=at,
        seen=tuple(seen),
        shown=(mark.shown if mark else 0) + len(lines),
    )


def line_key(line: LogLine) -> str:
    """Return what tells a line from all others."""
    return f"{line.pkg_id}/{line.pkg_log_id}"


def origin_of(line: LogLine) -> str:
    """Return who wrote a line: its pod, else its workload, else its machine."""
    return next(
        (line.fields[name] for name in _ORIGINS if line.fields.get(name)), line.hostname or line.source
    )


def level_of(line: LogLine) -> str:
    """Return a line's level, or nothing."""
    return next((line.fields[name] for name in _LEVELS if line.fields.get(name)), "")
