"""Why a patch cannot be applied.

PatchError
├── MalformedPatchError   it is no patch of its kind
└── FailedPatchError      it is one, but does not fit the object (a test fails, a path is missing)
"""

from __future__ import annotations


class PatchError(Exception):
    """A patch that cannot be applied."""


class MalformedPatchError(PatchError):
    """It is no patch of its kind."""


class FailedPatchError(PatchError):
    """It is a patch, but does not fit the object."""
