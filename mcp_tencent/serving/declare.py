"""Declaring a tool: name, parameters, defaults, risk, output and Chinese summary in one place.

    tools = ToolSet(outside="kubernetes")

    @tools.dangerous("重启工作负载", read_back="重启{workload}")
    async def restart_workload(workload: WorkloadName, …, dry_run: DryRun = False) -> RestartReport:
        '''Restart all pods of a workload, one after the other. …'''

The function's name is the tool's, its docstring the description that a model chooses by, its parameters (with
`Annotated[…, Field(description=…)]`) the input schema, and its result, a pydantic model with a `summary`, the
output schema. Annotations follow from the risk. `idempotency_key` is added to every tool that acts; the
gateway takes it out again, so that no function ever sees it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Protocol, TypeVar

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field, JsonValue, ValidationError

from mcp_tencent.gateway.arguments import Check
from mcp_tencent.gateway.call import (
    Arguments,
    NamespaceOf,
    Permission,
    PersonalData,
    Risk,
    ToolPolicy,
)

F = TypeVar("F", bound=Callable[..., Awaitable[BaseModel]])

IDEMPOTENCY_KEY = "idempotency_key"
ACT_DEADLINE_S = 300.0
READ_DEADLINE_S = 20.0

DryRun = Annotated[bool, Field(description="Only check and report what would happen; nothing is changed.")]
"""The type of the `dry_run` parameter that every acting tool has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTool:
    """A tool as the SDK serves it, its policy, and the check of its arguments."""

    sdk: Tool
    policy: ToolPolicy
    check: Check


class ToolSet:
    """Tools that belong together.

    Args:
        outside: The system behind them, for the circuit breaker.
        namespace_of: Tells which namespace a call means.
    """

    def __init__(self, *, outside: str = "", namespace_of: NamespaceOf | None = None) -> None:
        self._outside = outside
        self._namespace_of = namespace_of
        self._tools: list[DeclaredTool] = []

    @property
    def tools(self) -> Sequence[DeclaredTool]:
        """What has been declared so far, in order."""
        return tuple(self._tools)

    def read(
        self,
        title: str,
        *,
        permission: Permission = Permission.READ,
        cache_s: float = 0.0,
        deadline_s: float = READ_DEADLINE_S,
        per_minute: int | None = None,
        shows: frozenset[PersonalData] = frozenset(),
    ) -> Declarer:
        """Declare a tool that changes nothing; see ToolPolicy for the parameters."""
        policy = ToolPolicy(
            name="",
            risk=Risk.READ,
            permission=permission,
            cache_s=cache_s,
            deadline_s=deadline_s,
            per_minute=per_minute,
            naturally_idempotent=True,
            shows=shows,
        )
        return partial(self._declare, title, policy)

    def write(
        self,
        title: str,
        *,
        permission: Permission = Permission.OPERATE,
        deadline_s: float = ACT_DEADLINE_S,
        per_minute: int | None = None,
        naturally_idempotent: bool = False,
        knows_its_key: bool = False,
        shows: frozenset[PersonalData] = frozenset(),
    ) -> Declarer:
        """Declare a tool that changes what is easily put right; see ToolPolicy for the parameters."""
        policy = ToolPolicy(
            name="",
            risk=Risk.WRITE,
            permission=permission,
            deadline_s=deadline_s,
            per_minute=per_minute,
            naturally_idempotent=naturally_idempotent,
            knows_its_key=knows_its_key,
            has_dry_run=True,
            shows=shows,
        )
        return partial(self._declare, title, policy)

    def dangerous(
        self,
        title: str,
        *,
        read_back: str | Callable[[Arguments], str],
        permission: Permission = Permission.ROLLBACK,
        deadline_s: float = ACT_DEADLINE_S,
        per_minute: int | None = None,
        naturally_idempotent: bool = False,
        knows_its_key: bool = False,
    ) -> Declarer:
        """Declare a tool that people can suffer from; see ToolPolicy for the parameters."""
        policy = ToolPolicy(
            name="",
            risk=Risk.DANGEROUS,
            permission=permission,
            deadline_s=deadline_s,
            per_minute=per_minute,
            naturally_idempotent=naturally_idempotent,
            knows_its_key=knows_its_key,
            has_dry_run=True,
            read_back=read_back,
        )
        return partial(self._declare, title, policy)

    def _declare(self, title: str, policy: ToolPolicy, function: F) -> F:
        named = replace(
            policy, name=function.__name__, outside=self._outside, namespace_of=self._namespace_of
        )
        _check_signature(function, named)
        self._tools.append(declared(function, title, named))
        return function


class Declarer(Protocol):
    """A decorator that leaves the function as it is."""

    def __call__(self, function: F) -> F:
        """Declare `function` as a tool."""
        ...


def declared(function: Callable[..., Awaitable[object]], title: str, policy: ToolPolicy) -> DeclaredTool:
    """Make a tool of `function` whatever it returns; ToolSet demands more and is what our own servers use."""
    tool = Tool.from_function(
        function,
        name=policy.name,
        title=title,
        description=inspect.cleandoc(function.__doc__ or ""),
        annotations=annotations_for(policy, title),
    )
    tool.parameters["additionalProperties"] = False
    if policy.risk.acts:
        tool.parameters.setdefault("properties", {})[IDEMPOTENCY_KEY] = _KEY_SCHEMA
    return DeclaredTool(sdk=tool, policy=policy, check=_argument_check(tool))


_KEY = re.compile(r"[^\x00-\x1f\ud800-\udfff]{8,200}")
_KEY_SCHEMA: dict[str, JsonValue] = {
    "anyOf": [{"type": "string", "minLength": 8, "maxLength": 200}, {"type": "null"}],
    "default": None,
    "title": "Idempotency Key",
    "description": (
        "Names this intent, 8 to 200 characters. Repeating the call with the same key returns the recorded "
        "result and does nothing a second time."
    ),
}


def annotations_for(policy: ToolPolicy, title: str) -> ToolAnnotations:
    """Derive the protocol's hints from the risk."""
    return ToolAnnotations(
        title=title,
        read_only_hint=policy.risk is Risk.READ,
        destructive_hint=policy.risk is Risk.DANGEROUS,
        idempotent_hint=policy.risk is Risk.READ or policy.naturally_idempotent,
        open_world_hint=bool(policy.outside),
    )


def _check_signature(function: Callable[..., Awaitable[object]], policy: ToolPolicy) -> None:
    signature = inspect.signature(function, eval_str=True)
    output = signature.return_annotation
    if not (isinstance(output, type) and issubclass(output, BaseModel) and "summary" in output.model_fields):
        raise TypeError(f"{policy.name} must return a pydantic model with a `summary`, not {output!r}")
    if not function.__doc__:
        raise TypeError(f"{policy.name} needs a docstring: a model chooses the tool by it")
    dry_run = signature.parameters.get("dry_run")
    if policy.has_dry_run and (dry_run is None or dry_run.default is not False):
        raise TypeError(f"{policy.name} acts, and so must take dry_run=False")


def take_key(arguments: Arguments) -> tuple[Arguments, str | None]:
    """Take a well-formed idempotency key out of `arguments`; a bad one stays, for the check to find it."""
    key = arguments.get(IDEMPOTENCY_KEY)
    if key is None or (isinstance(key, str) and _KEY.fullmatch(key)):
        return {name: value for name, value in arguments.items() if name != IDEMPOTENCY_KEY}, key
    return arguments, None


def _argument_check(tool: Tool) -> Check:
    known = frozenset(tool.parameters.get("properties", {}))

    def check(arguments: Arguments) -> list[str]:
        problems = [f"{name}: there is no such parameter" for name in arguments if name not in known]
        if IDEMPOTENCY_KEY in arguments:  # a good one has been taken out before
            problems.append(f"{IDEMPOTENCY_KEY}: must be a string of 8 to 200 printable characters")
        try:
            tool.fn_metadata.validate_arguments(dict(arguments))
        except ValidationError as error:
            problems += [
                f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
                for item in error.errors(include_url=False, include_input=False, include_context=False)
            ]
        return problems

    return check
