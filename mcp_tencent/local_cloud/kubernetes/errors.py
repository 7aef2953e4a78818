"""How the API refuses: each error is a Status object with its HTTP code.

ApiError
├── BadRequestError            400  the body, a parameter or a type is wrong
├── UnauthorizedError          401  no token, or one that nobody has
├── ForbiddenError             403  RBAC, quota, or a namespace that is being deleted
├── NotFoundError              404  no such object
│   └── NoSuchPathError        404  no such path
├── MethodNotAllowedError      405  the resource does not know this verb
├── NotAcceptableError         406  the answer cannot be given in the form asked for
├── AlreadyExistsError         409  an object of that name exists
├── ConflictError              409  the object was changed by somebody else
├── ExpiredError               410  a resource version too old to watch from
├── BodyTooLargeError          413  more than the API reads
├── UnsupportedMediaTypeError  415  a patch type or body type that is not spoken
├── InvalidError               422  the object breaks a rule; carries every cause
├── TooManyRequestsError       429  a disruption budget says not now
└── RefusedError               any  a fault of the API, put there by a scenario
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from mcp_tencent.local_cloud.conditions import KubernetesObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing wrong with an object."""

    field: str
    """Where: spec.template.spec.containers[0].image."""
    reason: str
    """FieldValue… Invalid, Required, NotSupported, Duplicate, NotFound or Forbidden."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an error is about."""

    kind: str = ""
    """Plural for most errors, the kind itself for Invalid."""
    group: str = ""
    name: str = ""

    @property
    def qualified(self) -> str:
        """The plural with its group: deployments.apps."""
        return f"{self.kind}.{self.group}" if self.group else self.kind


class ApiError(Exception):
    """A request that is answered with a Status object of failure."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(self, message: str, *, subject: Subject | None = None, causes: Sequence[Cause] = ()) -> None:
        self.message = message
        self.subject = subject or Subject()
        self.causes = tuple(causes)
        self.retry_after_seconds: int | None = None
        super().__init__(message)

    @property
    def http_status(self) -> int:
        """The status code of the response."""
        return self.code

    def status(self) -> KubernetesObject:
        """Return the Status object that the client receives."""
        details: KubernetesObject = {
            key: value
            for key, value in (
                ("name", self.subject.name),
                ("group", self.subject.group),
                ("kind", self.subject.kind),
            )
            if value
        }
        if self.causes:
            details["causes"] = [
                {"reason": cause.reason, "message": cause.message, "field": cause.field}
                for cause in self.causes
            ]
        if self.retry_after_seconds is not None:
            details["retryAfterSeconds"] = self.retry_after_seconds
        answer: KubernetesObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.http_status,
        }
        if details:
            answer["details"] = details
        return answer


class BadRequestError(ApiError):
    """The body, a parameter or a type is wrong."""

    code = 400
    reason = "BadRequest"


class UnauthorizedError(ApiError):
    """No token, or one that nobody has."""

    code = 401
    reason = "Unauthorized"

    def __init__(self) -> None:
        super().__init__("Unauthorized")


class ForbiddenError(ApiError):
    """Not allowed: RBAC, quota, or a namespace that is being deleted."""

    code = 403
    reason = "Forbidden"


class NotFoundError(ApiError):
    """There is no such object."""

    code = 404
    reason = "NotFound"

    def __init__(self, subject: Subject) -> None:
        super().__init__(f'{subject.qualified} "{subject.name}" not found', subject=subject)


class NoSuchPathError(NotFoundError):
    """The server knows no such path."""

    def __init__(self) -> None:
        ApiError.__init__(self, "the server could not find the requested resource")


class MethodNotAllowedError(ApiError):
    """The resource does not know this verb."""

    code = 405
    reason = "MethodNotAllowed"

    def __init__(self) -> None:
        super().__init__("the server does not allow this method on the requested resource")


class NotAcceptableError(ApiError):
    """The answer cannot be given in the form asked for."""

    code = 406
    reason = "NotAcceptable"


class AlreadyExistsError(ApiError):
    """An object of that name exists."""

    code = 409
    reason = "AlreadyExists"

    def __init__(self, subject: Subject) -> None:
        super().__init__(f'{subject.qualified} "{subject.name}" already exists', subject=subject)


class ConflictError(ApiError):
    """The object is not what the client believes it to be."""

    code = 409
    reason = "Conflict"

    def __init__(self, subject: Subject, why: str, causes: Sequence[Cause] = ()) -> None:
        super().__init__(
            f'Operation cannot be fulfilled on {subject.qualified} "{subject.name}": {why}',
            subject=subject,
            causes=causes,
        )


class ExpiredError(ApiError):
    """A resource version too old to go on from."""

    code = 410
    reason = "Expired"


class BodyTooLargeError(ApiError):
    """More than the API reads."""

    code = 413
    reason = "RequestEntityTooLarge"


class UnsupportedMediaTypeError(ApiError):
    """A patch type or body type that is not spoken."""

    code = 415
    reason = "UnsupportedMediaType"


class InvalidError(ApiError):
    """The object breaks rules; every broken one is a cause."""

    code = 422
    reason = "Invalid"

    def __init__(self, subject: Subject, causes: Sequence[Cause]) -> None:
        told = [f"{cause.field}: {cause.message}" for cause in causes]
        joined = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
        super().__init__(
            f'{subject.qualified} "{subject.name}" is invalid: {joined}', subject=subject, causes=causes
        )


class TooManyRequestsError(ApiError):
    """Not now: a disruption budget forbids it."""

    code = 429
    reason = "TooManyRequests"


class RefusedError(ApiError):
    """A fault of the API itself, put there by a scenario."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self._code = code
        self._reason = reason

    @property
    def http_status(self) -> int:
        """The status code of the response."""
        return self._code

    def status(self) -> KubernetesObject:
        """Return the Status object that the client receives."""
        return {**super().status(), "reason": self._reason}
