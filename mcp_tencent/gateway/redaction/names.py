"""Which names are names of secrets: DB_PASSWORD is, tokenCount and secretName are not (pure)."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_SECRET_WORDS = _set(
    "password passwd passphrase passcode pwd secret token credential credentials authorization cookie "
    "apikey secretkey accesskey privatekey secretid keydata jwt otp"
)
_SECRET_ENDINGS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "pwd",
)
_SECRET_PAIRS = frozenset(
    {
        *(("api", "key"), ("access", "key"), ("secret", "key"), ("private", "key"), ("secret", "id")),
        *(("auth", "key"), ("encryption", "key"), ("signing", "key"), ("client", "key"), ("master", "key")),
        *(("app", "key"), ("session", "key"), ("key", "data"), ("account", "key"), ("shared", "key")),
        *(
            ("db", "pass"),
            ("user", "pass"),
            ("auth", "pass"),
            ("root", "pass"),
            ("redis", "pass"),
            ("smtp", "pass"),
        ),
    }
)
_ABOUT_A_SECRET = _set(
    "name names ref count counts type types length size expiry expires expired expiration ttl policy "
    "required enabled disabled status state version path file mount limit limits used usage budget age at "
    "rotation namespace provider review request requests bucket buckets class"
)
"""A name that ends so speaks about a secret but does not hold it: secretName, token_ttl, passwordPolicy."""


@lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Tell whether a field, variable, flag or header of this name holds a secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT_A_SECRET:
        return False
    if name in {"PWD", "OLDPWD"}:  # every shell's working directory
        return False
    if any(word in _SECRET_WORDS or (len(word) > 3 and word.endswith(_SECRET_ENDINGS)) for word in words):
        return True
    return any(pair in _SECRET_PAIRS for pair in itertools.pairwise(words))


_ORDINARY_VALUES = _set(
    "null none nil true false undefined required optional invalid expired missing incorrect empty unset "
    "not is was has must cannot are for and or in of to the from with wrong rejected mismatch failed "
    "authentication changed updated verified accepted redacted hidden string boolean object array integer "
    "number ***** ****** *** <nil> <none> <redacted> {} []"
)


def is_ordinary_value(value: str) -> bool:
    """Tell whether `value`, found after a secret's name in prose, is a word about it, or nothing at all."""
    return not value or value.lower() in _ORDINARY_VALUES
