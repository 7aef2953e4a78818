"""Arguments of questions about logs: lines, limits, conditions, SQL, neighbours of a line (pure)."""

from __future__ import annotations

import re

from assistant.planner.conditions import Condition, conditions_in, query_of
from assistant.planner.numbers import number_of
from assistant.planner.reading import Piece, Reading
from assistant.planner.taking import PARTICLES, TO, Reader, Source, Taken, beside_interval, word_before
from assistant.planner.text_readers import read_new_name
from assistant.planner.times import Duration, same_length


def read_tail(source: Source) -> Taken | None:
    """Read how many of the last lines are wanted."""
    for piece in source.reading.all("@number"):
        before, after = source.reading.before(piece), source.reading.after(piece)
        counted = (
            piece.unit in ("条", "行")
            or (after and "lines" in after.keys)
            or (before and "tail" in before.keys and not piece.unit)
        )
        if counted and isinstance(piece.value, int):
            return Taken(piece.value if piece.value != 100 else "", (piece,))
    return None


def read_limit(source: Source) -> Taken | None:
    """Read how many results are wanted."""
    patterns = source.tool.name == "top_patterns"
    default = 10 if patterns else 20
    for piece in source.reading.all("@number"):
        before, after = word_before(source.reading, piece), source.reading.after(piece)
        counted = (
            piece.unit in ("条", "行", "个", "名", "强", "种", "类")
            or (after and after.keys & {"lines"})
            or (before and "top" in before.keys)
        )
        if (
            counted
            and (patterns or piece.unit not in ("种", "类"))
            and isinstance(piece.value, int)
            and not (before and before.keys & {"over", "status_code"})
        ):
            lead = (before,) if before and "top" in before.keys else ()
            return Taken(piece.value if piece.value != default else "", (*lead, piece))
    return None


def read_previous(source: Source) -> Taken | None:
    """Read whether the container before is meant."""
    piece = source.reading.first("previous_container")
    return Taken(True, (piece,)) if piece else None


def read_contains(source: Source) -> Taken | None:
    """Read the text that lines must contain."""
    conditions = [
        one for one in conditions_in(source.reading) if not any("@pod" in piece.keys for piece in one.pieces)
    ]
    if not conditions:
        return None
    text = conditions[0].text.strip('"').removeprefix("status:")
    return Taken(text, tuple(piece for one in conditions[:1] for piece in one.pieces))


def read_query(source: Source) -> Taken | None:
    """Read the conditions on log lines.

    A service's log of a period is found by its id in all topics: the log of its pods knows no period.
    """
    reading = source.reading
    conditions = conditions_in(reading, source.tool.also)
    services = reading.all("@workload")
    if len(services) == 1 and reading.has("@period", "@past", "@plain") and not reading.has("@topic"):
        conditions.insert(0, Condition(f'"{services[0].things[0].id}"', (services[0],)))
    if not conditions:
        return _query_before(source)
    return Taken(
        query_of(conditions, source.reading), tuple(piece for one in conditions for piece in one.pieces)
    )


def _query_before(source: Source) -> Taken | None:
    """Return the conditions of the search before, whose course over time is asked for: 画个趋势."""
    last = source.context.last_call
    if last is None or last.tool != "search_logs" or source.tool.name not in ("log_trend", "log_histogram"):
        return None
    query = last.arguments.get("query")
    return Taken(query, (), remembered=True) if query and not source.reading.has("@topic") else None


def read_query_text(source: Source) -> Taken | None:
    """Read the wish that is to become a query."""
    reading = source.reading
    if quoted := reading.first("@quoted"):
        return Taken(str(quoted.value), (quoted, *_turning(reading)))
    if taken := _turned_into(reading):
        return taken
    marker = reading.first("text_to_query")
    topics = reading.all("@topic")
    text = re.split(r"[:：，]", reading.text, maxsplit=1)
    if marker and len(text) > 1 and marker.start - reading.pieces[0].start > len(text[0]):
        wish = reading.part(piece for piece in reading.pieces if piece.end <= marker.start)
        return Taken(_wish(wish), reading.pieces)
    if marker and len(text) > 1 and text[1].strip():
        return Taken(text[1].strip(PARTICLES), reading.pieces)
    conditions = conditions_in(reading)
    if conditions:
        first, last = conditions[0].pieces[0], conditions[-1].pieces[-1]
        return Taken(
            reading.sentence.text[first.start : last.end].strip(),
            (*reading.pieces[:0], *(p for p in reading.pieces if p not in topics)),
        )
    return None


def _turning(reading: Reading) -> list[Piece]:
    """Return the verb where the topic stands between it and what the text becomes: 转成某日志的查询语句."""
    marker = reading.first("text_to_query")
    before = [piece for piece in reading.pieces if marker is not None and piece.end <= marker.start]
    while before and ("@topic" in before[-1].keys or reading.is_light(before[-1])):
        before.pop()
    return [one for one in before[-1:] if "change" in one.keys and one.text.endswith(TO)]


def _turned_into(reading: Reading) -> Taken | None:
    """Return what stands between 把 and the verb: 把某日志里昨天的慢请求转成查询语句."""
    marker = reading.first("text_to_query")
    lead = next((piece for piece in reversed(reading.pieces) if piece.text in ("把", "将")), None)
    if marker is None or lead is None or lead.start > marker.start or re.search("[:：]", reading.text):
        return None
    inside = [piece for piece in reading.pieces if lead.end <= piece.start < marker.start]
    verb = next((piece for piece in inside if "change" in piece.keys and piece.text.endswith(TO)), marker)
    text = _wish(reading.part(piece for piece in inside if piece.start < verb.start))
    return Taken(text, reading.pieces) if len(text) > 1 else None


def _wish(reading: Reading) -> str:
    """Return what is looked for, without topic and words that ask for it: 想查某日志里超时的."""
    topic = reading.first("@topic")
    pieces = [piece for piece in reading.pieces if topic is None or piece.start >= topic.end]
    while pieces and (
        pieces[0].text in PARTICLES or pieces[0].text in ("里", "里面", "里头", "中", "想", "查")
    ):
        pieces.pop(0)
    return "".join(piece.text for piece in pieces).strip(PARTICLES)


def read_alarm_query(source: Source) -> Taken | None:
    """Read the conditions of a new alarm."""
    named = read_new_name(source)
    skipped = named.pieces if named else ()
    reading = source.reading.part(piece for piece in source.reading.pieces if piece not in skipped)
    over = reading.first("over", "under", "@compared")
    pieces = reading.pieces[: reading.pieces.index(over)] if over else reading.pieces
    conditions = conditions_in(reading.part(pieces))
    if not conditions:
        return None
    return Taken(query_of(conditions, reading), tuple(piece for one in conditions for piece in one.pieces))


def read_condition(source: Source) -> Taken | None:
    """Read the threshold of an alarm: as it was dictated, else how many lines are too many."""
    if written := source.reading.first("@compared"):
        return Taken(_dictated(written.text), (written,))
    for piece in source.reading.all("over", "under"):
        after = source.reading.after(piece)
        before = source.reading.before(piece)
        number = next(
            (
                one
                for one in (after, before)
                if one and "@number" in one.keys and isinstance(one.value, int | float)
            ),
            None,
        )
        if number:
            sign = ">" if "over" in piece.keys else "<"
            if piece.text in ("不少于", "至少", "不低于", ">="):
                sign = ">="
            elif piece.text in ("不到", "不足", "以下") and piece.text == "<=":
                sign = "<="
            return Taken(f"$1.count {sign} {number.value}", (piece, number))
    if piece := source.reading.first("condition"):  # type: ignore[assignment]
        number = next(
            (
                one
                for one in source.reading.all("@number")
                if one.start > piece.start and isinstance(one.value, int)
            ),
            None,
        )
        if number:
            return Taken(f"$1.count > {number.value}", (piece, number))
    return None


_SIGNS = {
    "大于等于": ">=",
    "小于等于": "<=",
    "不小于": ">=",
    "大于": ">",
    "超过": ">",
    "高于": ">",
    "小于": "<",
    "低于": "<",
    "少于": "<",
}


def _dictated(text: str) -> str:
    """Write count 大于 二十 as count > 20; what was said in signs stays as it is."""
    for said, sign in _SIGNS.items():
        field, found, number = text.partition(said)
        if found:
            return f"{field.strip()} {sign} {number_of(number.strip())}"
    return text


def read_window(source: Source) -> Taken | None:
    """Read the window of an alarm."""
    piece = source.reading.first("@plain", "@past", "every_length")
    if piece and isinstance(piece.value, Duration):
        return Taken("" if same_length(piece.value.text, "15m") else piece.value.text, (piece,))
    return None


def read_interval(source: Source) -> Taken | None:
    """Read the step of a histogram or the rhythm of a task."""
    reading = source.reading
    piece = reading.first("every_length")
    if piece is None:
        for candidate in reading.all("@plain"):
            if beside_interval(reading, candidate):
                piece = candidate
    if piece is None and source.tool.name == "create_scheduled_sql":
        piece = reading.first("@plain", "@past")
    if piece and isinstance(piece.value, Duration):
        return Taken(piece.value.text, (piece,))
    return None


def read_sql(source: Source) -> Taken | None:
    """Read the SQL statement."""
    piece = source.reading.first("@quoted_sql")
    if piece:
        return Taken(str(piece.value), (piece,))
    piece = source.reading.first("@quoted")
    return Taken(str(piece.value), (piece,)) if piece and "select" in str(piece.value).lower() else None


def read_of_log(part: str) -> Reader:
    """Return the reader of one part of the log line spoken of."""

    def read_part(source: Source) -> Taken | None:
        log = source.context.last_log
        if log is None:
            return None
        value = str(getattr(log, part)) or (source.context.last_topic if part == "topic" else "")
        return Taken(value, tuple(source.reading.all("pronoun")), remembered=True) if value else None

    return read_part


def read_around(which: str) -> Reader:
    """Return the reader of how many lines before or after are wanted."""

    def read_around(source: Source) -> Taken | None:
        reading = source.reading
        for piece in reading.all("@number"):
            before = reading.before(piece)
            while before is not None and (
                reading.is_light(before)
                and before.text not in "前后上下"
                and before.text in ("各", "的", "面", "看")
            ):
                before = reading.before(before)
            lead = before.text if before else ""
            said = reading.sentence.text[: piece.start]
            one_sided = re.search(
                r"(前面?|之前|往前|上面?|后面?|之后|往后|下面?)(?:再?看|再?翻|再?数)?的?$", said
            )
            both = re.search(r"(前后|上下)(文|各|面)?(的|各)?$", said)
            if not isinstance(piece.value, int) or piece.value == 10:
                continue
            if both or not one_sided:
                return Taken(piece.value, (piece,))
            if (one_sided[1][-1] in "前上" or one_sided[1][0] in "前上" or "前" in one_sided[1]) == (
                which == "before"
            ):
                return Taken(piece.value, (piece, before) if before and lead else (piece,))
        return None

    return read_around
