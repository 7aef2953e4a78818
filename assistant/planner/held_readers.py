"""Arguments that the turn before may have left behind: alerts, incidents, reports, links (pure)."""

from __future__ import annotations

import re

from assistant.planner.reading import Reading
from assistant.planner.taking import Source, Taken, fits, read_enabled

CHANNELS = ("email", "dingtalk", "wecom", "feishu")
"""Where reports go, as the lexicon and the tools call it."""


def read_receiving(source: Source) -> Taken | None:
    """Read whether somebody wants to receive: a standing wish without an address is one."""
    if found := read_enabled(source):
        return found
    piece = source.reading.first("standing")
    return Taken(True, (piece,)) if piece and not source.reading.has("@email") else None


def read_alert(source: Source) -> Taken | None:
    """Read the alert: by place in the list just told, by id, or the one spoken of."""
    reading, context = source.reading, source.context
    if (piece := reading.first("@ordinal")) and isinstance(piece.value, int) and context.last_alerts:
        if 1 <= abs(piece.value) <= len(context.last_alerts):
            place = piece.value - 1 if piece.value > 0 else piece.value
            return Taken(context.last_alerts[place], (piece,), remembered=True)
        return None
    if (piece := reading.first("@last_one")) and context.last_alerts:
        return Taken(context.last_alerts[-1], (piece,), remembered=True)
    if piece := reading.first("@alert"):
        return Taken(piece.text, (piece,))
    if (piece := reading.first("@word")) and re.search(r"\d", piece.text):
        return Taken(piece.text, (piece,))
    if context.last_alert and not reading.has("@ordinal"):
        pronoun = reading.first("pronoun")
        return Taken(context.last_alert, (pronoun,) if pronoun else (), remembered=True)
    if len(context.last_alerts) == 1 and not reading.has("@ordinal"):
        return Taken(context.last_alerts[0], (), remembered=True)
    return None


def read_incident(source: Source) -> Taken | None:
    """Read the incident: by id, or the one spoken of."""
    if piece := source.reading.first("@incident"):
        return Taken(piece.text, (piece,))
    if source.reading.has("@workload"):
        return None
    pronoun = source.reading.first("pronoun")
    if not source.context.last_incident or (pronoun and not fits(pronoun.text, "incident")):
        return None
    if pronoun or source.inherit or source.reading.has("incident"):
        return Taken(source.context.last_incident, (pronoun,) if pronoun else (), remembered=True)
    return None


def read_checkpoint(source: Source) -> Taken | None:
    """Read the id of a checkpoint."""
    if piece := source.reading.first("@checkpoint"):
        return Taken(piece.text, (piece,))
    piece = next(
        (one for one in source.reading.all("@word", "@alert", "@pod") if re.search(r"\d", one.text)), None
    )
    return Taken(piece.text, (piece,)) if piece else None


def read_report(source: Source) -> Taken | None:
    """Read which report: the digest, an incident, or the last answer."""
    reading = source.reading
    if piece := reading.first("@incident"):
        return Taken(piece.text, (piece,))
    if (piece := reading.first("report")) and not (
        piece.text == "报告" and (reading.has("incident", "answer") or _event_meant(reading))
    ):
        return Taken("digest", (piece,))
    if (piece := reading.first("incident")) and source.context.last_incident:
        return Taken(source.context.last_incident, (piece,), remembered=True)
    piece = reading.first("pronoun")
    if piece and source.context.last_incident and (fits(piece.text, "incident") and _is_event(piece.text)):
        return Taken(source.context.last_incident, (piece,), remembered=True)
    if piece := reading.first("answer", "pronoun"):
        return Taken("last_answer", (piece,))
    last = source.context.last_call
    if last is not None and last.tool == "send_report" and "report" in last.arguments:
        return Taken(last.arguments["report"], (), remembered=True)  # 发我邮箱，钉钉也发一份
    if last is not None or source.context.previous_say:
        return Taken("last_answer", (), remembered=True)
    return None


def _event_meant(reading: Reading) -> bool:
    pronoun = reading.first("pronoun")
    return pronoun is not None and _is_event(pronoun.text)


def _is_event(pronoun: str) -> bool:
    return any(noun in pronoun for noun in ("故障", "事故", "起", "次"))


def read_channel(source: Source) -> Taken | None:
    """Read the channel of delivery."""
    reading = source.reading
    if piece := reading.first("@email"):
        return Taken("email", (piece,))
    if piece := reading.first("all_channels"):
        return Taken("all", (piece,))
    channels = [(name, piece) for piece in reading.pieces for name in CHANNELS if name in piece.keys]
    if channels:
        return Taken(channels[0][0], tuple(piece for _, piece in channels))
    if piece := reading.first("group_chat"):
        return Taken("dingtalk", (piece,))
    return None


def read_recipient(source: Source) -> Taken | None:
    """Read to whom a report goes: an address or a person."""
    piece = source.reading.first("@email")
    if piece:
        return Taken(str(piece.value), (piece,))
    piece = source.reading.first("@person")
    return Taken(piece.things[0].id, (piece,)) if piece else None


def read_target_address(source: Source) -> Taken | None:
    """Read the address that a channel is set to."""
    piece = source.reading.first("@email") or next(
        (one for one in source.reading.all("@word") if one.text.startswith("http")), None
    )
    return Taken(str(piece.value), (piece,)) if piece else None


def read_link(source: Source) -> Taken | None:
    """Read the share link: by id or the last one made."""
    piece = next(
        (
            one
            for one in source.reading.all("@word")
            if one.text.startswith("http") or re.search(r"\d", one.text)
        ),
        None,
    )
    if piece:
        return Taken(piece.text, (piece,))
    return (
        Taken(source.context.last_link, tuple(source.reading.all("pronoun")), remembered=True)
        if source.context.last_link
        else None
    )


def read_manifest(source: Source) -> Taken | None:
    """Read the manifest spoken of."""
    return (
        Taken(source.context.last_manifest, tuple(source.reading.all("pronoun")), remembered=True)
        if source.context.last_manifest
        else None
    )
