"""Secrets at rest: sealed with a key that lies apart from them.

A sealed text is `sealed:<key id>:<Fernet token>`; a sealed blob is the same without the word in front. The
key id is the start of the key's SHA-256, so that a wrong key and a damaged secret can be told apart. The key
file holds one Fernet key a line, the current one first; older ones only open what they sealed, until a
rotation has gone through everything. Fernet: https://github.com/fernet/spec (AES-128-CBC, HMAC-SHA256).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from assistant.atomic_files import create_file, replace_file
from assistant.errors import KeyDamaged, KeyExposed, KeyMissing, KeyNotWritable, SecretDamaged, WrongKey
from assistant.home import Home

SEALED_PREFIX = "sealed:"
CREDENTIAL_NAME = "xiaozhi.key"
_KEY_BYTES = 32


def is_sealed(text: str) -> bool:
    """Tell whether `text` is a sealed secret rather than a plain one."""
    return text.startswith(SEALED_PREFIX)


class Sealer:
    """Seals with the current key, opens with any key it holds. Never shows a key."""

    def __init__(self, keys: Sequence[str]) -> None:
        from cryptography.fernet import Fernet  # 35 ms that a device without secrets never pays

        self._ciphers = {_key_id(key): Fernet(key) for key in keys}
        self.current_key_id = _key_id(keys[0])

    def __repr__(self) -> str:
        return f"Sealer(current_key_id={self.current_key_id!r})"

    def seal(self, plain: bytes) -> bytes:
        """Return `plain` sealed with the current key."""
        return f"{self.current_key_id}:".encode() + self._ciphers[self.current_key_id].encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            WrongKey: it was sealed with a key that is not here.
            SecretDamaged: it was altered, cut, or never sealed.
        """
        from cryptography.fernet import InvalidToken

        key_id, colon, token = sealed.partition(b":")
        name = key_id.decode("ascii", "replace")
        if not colon or len(name) != len(self.current_key_id):
            raise SecretDamaged("a sealed value has lost its beginning, so it cannot be opened")
        cipher = self._ciphers.get(name)
        if cipher is None:
            held = ", ".join(self._ciphers)
            raise WrongKey(f"sealed with key {name}, but this device holds key {held}")
        damaged = SecretDamaged(f"sealed with key {name}, but altered or cut since")
        if not _is_canonical(token):
            raise damaged
        try:
            return cipher.decrypt(token)
        except InvalidToken as exc:
            raise damaged from exc

    def seal_text(self, plain: str) -> str:
        """Return `plain` as a sealed text that fits into a settings file."""
        return SEALED_PREFIX + self.seal(plain.encode()).decode("ascii")

    def unseal_text(self, sealed: str) -> str:
        """Return the text that was sealed; raises as `unseal` does."""
        body = sealed.removeprefix(SEALED_PREFIX)
        return self.unseal(body.encode()).decode()

    def is_current(self, sealed: bytes) -> bool:
        """Tell whether the current key sealed it, so that a rotation may leave it alone."""
        return sealed.startswith(f"{self.current_key_id}:".encode())


def open_sealer(home: Home, environ: Mapping[str, str], *, create: bool = False) -> Sealer:
    """Return the sealer of this installation, from systemd's credential or from the key file.

    Args:
        home: where the key file lies.
        environ: `CREDENTIALS_DIRECTORY` is set by systemd for a service with `LoadCredential=xiaozhi.key:…`.
        create: make a key file (mode 0600) when there is no key yet.

    Raises:
        KeyMissing: there is no key and `create` is false.
        KeyExposed: somebody other than its owner can read the key file.
        KeyDamaged: what the file holds is no key.
    """
    credential = credential_file(environ)
    if credential is not None:
        return Sealer(_read_keys(credential))
    if create:
        with contextlib.suppress(FileExistsError):
            create_file(home.key_file, f"{new_key()}\n".encode(), mode=0o600)
    return Sealer(read_key_file(home.key_file))


def credential_file(environ: Mapping[str, str]) -> Path | None:
    """Return systemd's credential with our key, or None where there is none."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    path = Path(folder) / CREDENTIAL_NAME if folder else None
    return path if path is not None and path.is_file() else None


def read_key_file(path: Path) -> list[str]:
    """Return the keys in the file, the current one first; raises as `open_sealer` does."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError as exc:
        raise KeyMissing(f"there is no key file {path}") from exc
    if mode & 0o077:
        raise KeyExposed(f"the key file {path} has mode {mode:04o} and must have 0600: run chmod 600 {path}")
    return _read_keys(path)


def write_key_file(home: Home, environ: Mapping[str, str], keys: Sequence[str]) -> None:
    """Replace the key file in one step.

    Raises:
        KeyNotWritable: systemd provides the key.
    """
    credential = credential_file(environ)
    if credential is not None:
        raise KeyNotWritable(f"the key is the systemd credential {credential}, which cannot be changed here")
    replace_file(home.key_file, "".join(f"{key}\n" for key in keys).encode(), mode=0o600)


def new_key() -> str:
    """Return a fresh random key."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode("ascii")


def _read_keys(path: Path) -> list[str]:
    try:
        keys = path.read_text(encoding="ascii").split()
        sound = [len(base64.b64decode(key, altchars=b"-_", validate=True)) == _KEY_BYTES for key in keys]
    except (UnicodeDecodeError, binascii.Error) as exc:
        raise KeyDamaged(f"the key file {path} holds something that is no key") from exc
    except OSError as exc:
        raise KeyMissing(f"the key file {path} cannot be read: {exc.strerror}") from exc
    if not keys or not all(sound):
        raise KeyDamaged(f"the key file {path} holds something that is no key")
    return keys


def _is_canonical(token: bytes) -> bool:
    """Tell whether this is the one right spelling: readers of Base64 overlook some altered characters."""
    try:
        return base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)) == token
    except binascii.Error:
        return False


def _key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]
