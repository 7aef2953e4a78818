"""The words of the gateway: a tool's policy, a caller, a call, what came of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from mcp_types import CallToolResult, InputRequiredResult
from pydantic import JsonValue

Arguments = Mapping[str, JsonValue]
"""The arguments of one call, by parameter name, as they came in."""


class Risk(StrEnum):
    """What a tool can do to the world."""

    READ = "R"
    WRITE = "W"
    DANGEROUS = "D"

    @property
    def acts(self) -> bool:
        """Whether it changes anything."""
        return self is not Risk.READ


class Permission(StrEnum):
    """What a person may be allowed."""

    READ = "read"
    OPERATE = "operate"
    ROLLBACK = "rollback"
    CONFIGURE = "configure"
    ADMIN = "admin"
    """Everything, people included."""


class CallerKind(StrEnum):
    """What stands behind a call."""

    PERSON = "person"
    """Somebody who was recognised, or who holds a token."""
    SERVICE_JOB = "service_job"
    """The night job, an event workflow, a delivery: nobody is there to confirm."""
    THIRD_PARTY = "third_party"
    """Another MCP host that acts for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls.

    Args:
        name: The person, or the job, e.g. "night".
        kind: What stands behind the call.
        permissions: What they may do.
        namespaces: Where `rollback` holds; None means everywhere.
        standing_writes: Tools of risk W that a service job may call without a plan, e.g. sending the digest.
    """

    name: str
    kind: CallerKind
    permissions: frozenset[Permission]
    namespaces: frozenset[str] | None = None
    standing_writes: frozenset[str] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Tell whether the caller has `permission`, directly or as an administrator."""
        return permission in self.permissions or Permission.ADMIN in self.permissions

    @property
    def scope(self) -> str:
        """Name what the caller may see: callers of one scope may share a cached answer."""
        namespaces = "*" if self.namespaces is None else ",".join(sorted(self.namespaces))
        return f"{','.join(sorted(self.permissions))}@{namespaces}"


class PersonalData(StrEnum):
    """What is masked by default, but is the very matter of a few tools."""

    EMAIL = "email"
    MOBILE = "mobile"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPolicy:
    """What the gateway knows about a tool.

    Args:
        name: As clients call it.
        risk: Read, write or dangerous.
        permission: Needed to call it.
        outside: The system behind it ("cls", "tke", "kubernetes", …): tools of one system share a breaker.
        deadline_s: Total time for one call, in seconds.
        cache_s: For how long an answer may be given again, in seconds; only for reads.
        per_minute: How many calls one caller has each minute; None leaves it to the risk.
        naturally_idempotent: Doing it twice is doing it once, so that an unknown outcome may be repeated.
        knows_its_key: The outside recognises a repetition by the idempotency key, so that an unknown outcome
            may be repeated with the same key.
        has_dry_run: It takes `dry_run` and keeps its promise; such calls need no confirmation and no key.
        read_back: What is read back before a dangerous act: a sentence like "重启{workload}", or a function.
        namespace_of: Tells which namespace the arguments mean, for callers limited to some.
        shows: Personal data that this tool exists to show.
    """

    name: str
    risk: Risk
    permission: Permission
    outside: str = ""
    deadline_s: float = 20.0
    cache_s: float = 0.0
    per_minute: int | None = None
    naturally_idempotent: bool = False
    knows_its_key: bool = False
    has_dry_run: bool = False
    read_back: str | Callable[[Arguments], str] = ""
    namespace_of: NamespaceOf | None = None
    shows: frozenset[PersonalData] = frozenset()


NamespaceOf = Callable[[Arguments], Awaitable[str | None]]


Ask = Callable[[str, str], Awaitable[bool | InputRequiredResult]]
"""Shows a sentence to the person and returns their yes or no, or the question with which the call ends; the
token then comes back with the answer, in a call of its own."""


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """One call of one tool by one caller.

    Args:
        tool: The tool's policy.
        arguments: Without the idempotency key.
        caller: Who calls.
        trace_id: 32 hex digits that tie log, audit and answer together.
        at: When it came in, timezone-aware.
        idempotency_key: Names the intent, so that repeating it does not repeat the act.
        confirmation: Token of a confirmation that a person has spoken.
        plan: Names the approved plan that a service job acts under.
        ask: Asks the person in their host's own window; None where there is none.
    """

    tool: ToolPolicy
    arguments: Arguments
    caller: Caller
    trace_id: str
    at: datetime
    idempotency_key: str | None = None
    confirmation: str | None = None
    plan: str | None = None
    ask: Ask | None = None

    @property
    def rehearsal(self) -> bool:
        """Whether it only asks what would happen."""
        return self.tool.has_dry_run and self.arguments.get("dry_run") is True

    @property
    def acts(self) -> bool:
        """Whether it changes anything."""
        return self.tool.risk.acts and not self.rehearsal

    @cached_property
    def digest(self) -> str:
        """SHA-256 over tool and arguments: what a confirmation and an idempotency key are bound to."""
        return digest_of({"tool": self.tool.name, "arguments": dict(self.arguments)})


class Origin(StrEnum):
    """Where an answer came from."""

    FRESH = "fresh"
    CACHED = "cached"
    JOINED = "joined"
    """An identical read was already under way."""
    RECORDED = "recorded"
    """The key had been used: the act was not repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a call came to, in the protocol's own words."""

    content: CallToolResult | InputRequiredResult
    origin: Origin = Origin.FRESH

    @property
    def outcome(self) -> str:
        """What audit and metrics call it."""
        if isinstance(self.content, InputRequiredResult):
            return "asked_back"
        return "failed" if self.failed else "done"

    @property
    def failed(self) -> bool:
        """Whether the tool says itself that it failed."""
        return isinstance(self.content, CallToolResult) and bool(self.content.is_error)


Proceed = Callable[[ToolCall], Awaitable[Result]]
"""The rest of the way: the next policy, and at the end the tool."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware."""
        ...


class Policy(Protocol):
    """One wrapper around every call. It may refuse (raise), answer itself, or let the call proceed."""

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        ...


@dataclass(frozen=True, slots=True)
class Chain:
    """Policies in order, outermost first, around a tool."""

    policies: tuple[Policy, ...] = field(default=())

    def around(self, tool: Proceed) -> Proceed:
        """Return the way through all policies to `tool`."""
        way = tool
        for policy in reversed(self.policies):
            way = _wrapped(policy, way)
        return way


def _wrapped(policy: Policy, proceed: Proceed) -> Proceed:
    async def call(call: ToolCall) -> Result:
        return await policy(call, proceed)

    return call


def canonical_json(value: JsonValue) -> str:
    """Write `value` so that equal values give equal text: sorted keys, no spaces, characters as they are."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value: JsonValue) -> str:
    """Return the SHA-256 of the canonical JSON of `value`, in hex."""
    return hashlib.sha256(canonical_json(value).encode("utf-8", "surrogatepass")).hexdigest()
