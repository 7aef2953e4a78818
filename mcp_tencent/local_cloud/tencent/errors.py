"""What the API answers instead of a result. Every error reaches the client as HTTP 200 with an Error object.

ApiError                     a code and a message, as the service words them
├── AuthFailure              who is calling could not be established
├── RequestError           the request itself is malformed, unknown, too large or too frequent
└── ActionError             well-formed, but the state of the cloud does not allow it
SpecificationError          a bug of ours: an action answered something that the specification lacks
"""

from __future__ import annotations


class ApiError(Exception):
    """The base of all errors that a client gets to see."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class AuthError(ApiError):
    """The signature, the credential or its age was not accepted."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"AuthFailure.{reason}", message)


class RequestError(ApiError):
    """The request was refused before any action saw it, or by an action for what it asks."""


class ActionError(ApiError):
    """The action was understood and could not be done."""


class SpecificationError(Exception):
    """An imitated action answered with a field or a type that the real one does not have."""


def missing_parameter(path: str) -> RequestError:
    """Return the error for a required parameter that was not sent."""
    return RequestError("MissingParameter", f"The request is missing a required parameter `{path}`.")


def invalid_parameter(message: str) -> RequestError:
    """Return the error for a parameter that contradicts the format or another parameter."""
    return RequestError("InvalidParameter", message)


def invalid_value(path: str, value: object, allowed: str) -> RequestError:
    """Return the error for a well-typed value that is out of range; `allowed` names the range."""
    shown = repr(value)[:80]
    return RequestError(
        "InvalidParameterValue", f"The value {shown} of parameter `{path}` is not valid: {allowed}."
    )
