"""Spoken e-mail addresses are read back letter by letter before anything is sent to them. Pure."""

from __future__ import annotations

from dataclasses import replace

from assistant.planner.addresses import addresses_in
from assistant.planner.plan import PlannedCall

_ARGUMENTS = {"set_delivery": "target", "send_report": "to"}
_SIGNS = {"@": "艾特", ".": "点", "_": "下划线", "-": "横杠", "+": "加号"}


def address_of(call: PlannedCall) -> str:
    """Return the e-mail address to which a call would send from now on, or once; empty when it names none."""
    said = call.arguments.get(_ARGUMENTS.get(call.tool, ""))
    return said if isinstance(said, str) and "@" in said else ""


def spelled(call: PlannedCall) -> str:
    """Return the question by which somebody can tell whether their address was heard rightly."""
    letters = " ".join(_SIGNS.get(letter, letter) for letter in address_of(call))
    return f"{'以后发到' if call.tool == 'set_delivery' else '发到'} {letters}，对吗？"


def with_other_address(call: PlannedCall, text: str) -> PlannedCall | None:
    """Return the call with the address that a correction names; None when the text names none."""
    named = [address for _, _, address in addresses_in(text)]
    if not named:
        return None
    return replace(call, arguments={**call.arguments, _ARGUMENTS[call.tool]: named[-1]})
