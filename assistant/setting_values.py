"""The kinds of values that settings have, each with the rule it must keep."""

from __future__ import annotations

import ipaddress
import re
from datetime import time
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError


def wrong(problem: str, *, key: str = "") -> PydanticCustomError:
    """Return an error that says `problem`; `key` names the setting below the place where it is raised."""
    return PydanticCustomError("setting", "{problem}", {"problem": problem, "key": key})


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise wrong("must be an address that begins with http:// or https:// and names a host")
    if parts.username or parts.password:
        raise wrong("must not carry a user name or password; secrets have settings of their own")
    return text.rstrip("/")


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong("is no time zone of the IANA database") from None
    return text


def _chinese_phrase(text: str) -> str:
    phrase = "".join(
        character for character in text if not character.isspace() and character not in ",，、。!！"
    )
    if not all("\u4e00" <= character <= "\u9fff" for character in phrase):
        raise wrong("must be Chinese characters only, because the recognizer knows no others")
    if not 2 <= len(phrase) <= 8:
        raise wrong(
            "must have 2 to 8 Chinese characters, so that it neither fires by chance nor is hard to say"
        )
    return phrase


def _clock_time(value: object) -> object:
    # Pydantic reads the bare number 6 as six seconds past midnight, and nobody means that.
    if isinstance(value, int | float) or (isinstance(value, str) and ":" not in value):
        raise wrong("must be a time of day, hours and minutes with a colon between them")
    return value


def _local(value: time) -> time:
    if value.tzinfo is not None:
        raise wrong("must be a local time without an offset; night.timezone says where")
    return value


def _host_name(text: str) -> str:
    if not text or (any(character in text for character in " /@:") and text != "::" and text != "::1"):
        raise wrong("must be a host name or an IP address, without scheme, port or path")
    return text


def is_loopback(host: str) -> bool:
    """Tell whether a host is this device itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _mail_address(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not (local and at and "." in domain) or any(c.isspace() or c in "<>,;" for c in text):
        raise wrong("must be one e-mail address")
    return text


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z0-9]+)+", text):
        raise wrong("must be the code of a region")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,31}", text):
        raise wrong("must be a name of at most 32 lower-case letters, digits, - and _")
    return text


WebAddress = Annotated[str, AfterValidator(_web_address)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
HostName = Annotated[str, AfterValidator(_host_name)]
TimeZoneName = Annotated[str, AfterValidator(_time_zone)]
TimeOfDay = Annotated[time, BeforeValidator(_clock_time), AfterValidator(_local)]
ChinesePhrase = Annotated[str, AfterValidator(_chinese_phrase)]
Region = Annotated[str, AfterValidator(_region)]
Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, Field(min_length=1)]
Secret = Annotated[SecretStr, Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
