"""The policy file: read with precise findings, and read again when it has changed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mcp_tencent.checked_yaml import DocumentInvalid, read_document
from mcp_tencent.devops.policy.errors import PolicyError, PolicyInvalid, PolicyUnreadable
from mcp_tencent.devops.policy.model import DEFAULTS, LoadedPolicy, Policy, version_of

_log = logging.getLogger(__name__)


class PolicySource(Protocol):
    """Knows the policy in force."""

    def current(self) -> LoadedPolicy:
        """Return the policy in force at this moment."""
        ...

    @property
    def trouble(self) -> PolicyError | None:
        """What is wrong with the policy as it stands written; None when that is in force."""
        ...


def parse_policy(text: str, *, file: str) -> Policy:
    """Read a policy; `file` is how findings name it. An empty text is the defaults.

    Raises:
        PolicyInvalid: it is no YAML, no mapping, or no policy; carries every finding.
    """
    if not any(line.split("#", 1)[0].strip() for line in text.splitlines()):
        return Policy()
    try:
        return read_document(text, Policy, file=file, begin_with="`importance:` or `guards:`").content
    except DocumentInvalid as error:
        raise PolicyInvalid(error.findings) from error


def read_policy(path: Path) -> LoadedPolicy:
    """Read the policy of a file that exists.

    Raises:
        PolicyUnreadable: it cannot be read, or is no text.
        PolicyInvalid: see `parse_policy`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyUnreadable(f"{path} cannot be read: {error}") from error
    policy = parse_policy(text, file=str(path))
    return LoadedPolicy(policy=policy, version=version_of(policy), source=str(path))


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What shows that a file is another than before."""

    changed_ns: int
    size: int
    inode: int


class PolicyFile:
    """The policy of a file, followed while the program runs; satisfies `PolicySource`.

    A file that is not there means the defaults. A file that is or becomes wrong changes nothing: the last
    good policy, at first the defaults, stays in force for scores and for what people do, and `trouble` says
    why; until it is right nothing is healed. So a slip in the file stops the healing, not the looking. One
    look at the file's metadata each time is all that an unchanged file costs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: _Stamp | None = None
        self._loaded = DEFAULTS
        self._trouble: PolicyError | None = None
        self.current()

    @property
    def trouble(self) -> PolicyError | None:
        """What is wrong with the file as it is now; None when it is in force."""
        return self._trouble

    def current(self) -> LoadedPolicy:
        """Return the policy in force, read anew when the file has changed."""
        try:
            # Looked at before it is read: a change in between is seen the next time.
            stamp = self._look()
            # What could not be read may be readable now, though the file is the same.
            if stamp != self._stamp or isinstance(self._trouble, PolicyUnreadable):
                self._stamp = stamp
                self._loaded = DEFAULTS if stamp is None else read_policy(self._path)
                self._trouble = None
                _log.info("the policy is now %s of %s", self._loaded.version, self._loaded.source)
        except PolicyError as error:
            self._trouble = error
            _log.error("the policy stays at %s: %s", self._loaded.version, error)
        return self._loaded

    def _look(self) -> _Stamp | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PolicyUnreadable(f"{self._path} cannot be looked at: {error}") from error
        return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


class FixedPolicy:
    """A policy that never changes; satisfies `PolicySource`."""

    def __init__(self, policy: Policy) -> None:
        self._loaded = LoadedPolicy(policy=policy, version=version_of(policy), source="given")

    def current(self) -> LoadedPolicy:
        """Return it."""
        return self._loaded

    @property
    def trouble(self) -> PolicyError | None:
        """Nothing ever is."""
        return None


class ProtectedNamespaces:
    """The namespaces that the policy in force protects; whatever it says, kube-system is one."""

    def __init__(self, source: PolicySource) -> None:
        self._source = source

    def __contains__(self, namespace: object) -> bool:
        """Tell whether nothing may be changed in `namespace`."""
        return isinstance(namespace, str) and self._source.current().policy.is_protected(namespace)
