"""Nothing secret leaves: answers are masked before anything else sees them, the key's record included."""

from __future__ import annotations

from mcp_types import (
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    InputRequiredResult,
    TextContent,
    TextResourceContents,
)
from pydantic import JsonValue

from mcp_tencent.gateway.call import PersonalData, Proceed, Result, ToolCall, canonical_json
from mcp_tencent.gateway.redaction.structure import Redactor

STRICT = Redactor()
"""Masks everything: for audit lines, logs and errors."""


class Redact:
    """Masks secrets and personal data in what tools answer."""

    def __init__(self) -> None:
        self._redactors: dict[frozenset[PersonalData], Redactor] = {}

    async def __call__(self, call: ToolCall, proceed: Proceed) -> Result:
        """Apply the policy to `call`."""
        result = await proceed(call)
        redactor = self._redactors.setdefault(call.tool.shows, Redactor(shows=call.tool.shows))
        return Result(content=redact_content(result.content, redactor), origin=result.origin)


def redact_content(
    content: CallToolResult | InputRequiredResult, redactor: Redactor
) -> CallToolResult | InputRequiredResult:
    """Return `content` with all masked that `redactor` finds; pictures and sound are left as they are."""
    if isinstance(content, InputRequiredResult):
        masked = redactor.value(content.model_dump(mode="json", by_alias=True, exclude={"request_state"}))
        return InputRequiredResult.model_validate({**_object(masked), "requestState": content.request_state})
    return content.model_copy(
        update={
            "content": [_block(block, redactor) for block in content.content],
            "structured_content": redactor.value(content.structured_content),
        }
    )


def _block(block: ContentBlock, redactor: Redactor) -> ContentBlock:
    match block:
        case TextContent():
            return block.model_copy(update={"text": redactor.text(block.text)})
        case EmbeddedResource(resource=TextResourceContents() as resource):
            masked = resource.model_copy(update={"text": redactor.text(resource.text)})
            return block.model_copy(update={"resource": masked})
        case _:
            return block


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def masked_arguments(call: ToolCall) -> str:
    """Return the call's arguments as JSON for the audit, masked."""
    return canonical_json(STRICT.value(dict(call.arguments)))
