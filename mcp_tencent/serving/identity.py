"""Who is calling: the bearer token over HTTP, the recognised speaker or running job inside the process.

Nothing that a client says about itself counts. Over HTTP only the token does. Inside the process (and
over stdio, where the process belongs to the one who started it) the composition root says who acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.context import ServerRequestContext
from starlette.requests import Request

from mcp_tencent.gateway.authorise import NOBODY
from mcp_tencent.gateway.call import Caller
from mcp_tencent.gateway.errors import StoreUnavailable
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.serving.tokens import TokenStore

_acting: ContextVar[Caller | None] = ContextVar("xiaozhi_acting_caller", default=None)


class CallerToken(AccessToken):
    """A verified bearer token and whom it stands for."""

    caller: Caller


class StoredTokens:
    """The SDK's TokenVerifier over a store of tokens.

    Args:
        tokens: Whom each stands for.
    """

    def __init__(self, tokens: TokenStore) -> None:
        self._tokens = tokens

    async def verify_token(self, token: str) -> CallerToken | None:
        """Check a token for the HTTP transport. Without a store nobody gets in."""
        try:
            known = await in_store(lambda: self._tokens.check(token))
        except StoreUnavailable:
            return None
        if known is None:
            return None
        who = known.caller
        return CallerToken(token="", client_id=known.id, scopes=[], subject=who.name, caller=who)


@contextmanager
def acting_as(caller: Caller) -> Iterator[None]:
    """Make `caller` the one whose calls are made inside the block, by clients in this process."""
    token = _acting.set(caller)
    try:
        yield
    finally:
        _acting.reset(token)


def caller_of(request_context: ServerRequestContext | None, otherwise: Caller | None) -> Caller:
    """Return who makes the call.

    Args:
        request_context: The SDK's context of the request; its `request` is set when it came over HTTP.
        otherwise: Who it is when nobody was named, inside the process or over stdio.
    """
    request = request_context.request if request_context is not None else None
    if request is not None:
        return _token_caller(request)
    return _acting.get() or otherwise or NOBODY


def _token_caller(request: object) -> Caller:
    user = request.scope.get("user") if isinstance(request, Request) else None
    token = user.access_token if isinstance(user, AuthenticatedUser) else None
    return token.caller if isinstance(token, CallerToken) else NOBODY
