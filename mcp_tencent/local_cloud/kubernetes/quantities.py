"""Resource quantities ("250m", "1Gi") as numbers and back. Pure.

Wire format: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip
_DECIMAL_EXPONENTS = {"E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "": 0, "m": -3, "u": -6, "n": -9}
"""Largest first."""
_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))(?:([eE][+-]?[0-9]{1,2})|([A-Za-z]{0,2}))"
)


@lru_cache(maxsize=4096)
def parse_quantity(text: str) -> float:
    """Return `text` in the resource's own unit (cores, bytes, pieces).

    Raises:
        ValueError: it is no quantity.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None or (found[3] or "") not in _SUFFIXES:
        raise ValueError(
            f"quantities must match the regular expression "
            f"'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$', got {text!r}"
        )
    number = float(found[1] + (found[2] or ""))
    return number * _SUFFIXES[found[3] or ""]


def canonical_quantity(text: str) -> str:
    """Return `text` as the API stores it: in the largest suffix of its own kind that leaves a whole number.

    "1024Mi" becomes "1Gi", "1000m" becomes "1"; what has an exponent, or is no quantity, stays as it is.
    """
    found = _QUANTITY.fullmatch(text)
    if found is None or found[2] or (found[3] or "") not in _SUFFIXES:
        return text
    suffix = found[3] or ""
    if suffix.endswith("i"):
        size_bytes = Fraction(found[1]) * int(_SUFFIXES[suffix])
        return format_memory(int(size_bytes)) if size_bytes.denominator == 1 else text
    billionths = Fraction(found[1]) * Fraction(10) ** (_DECIMAL_EXPONENTS[suffix] + 9)
    if billionths.denominator != 1:
        return text
    whole = int(billionths)
    for name, exponent in _DECIMAL_EXPONENTS.items():
        if whole % 10 ** (exponent + 9) == 0:
            return f"{whole // 10 ** (exponent + 9)}{name}" if whole else "0"
    return text


def format_cpu(cores: float) -> str:
    """Return cores as Kubernetes writes them: whole ones plain, others in millicores."""
    millicores = round(cores * 1000)
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def format_memory(size_bytes: float) -> str:
    """Return bytes in the largest binary unit that divides them."""
    whole = round(size_bytes)
    for suffix, factor in (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if whole and whole % factor == 0:
            return f"{whole // factor}{suffix}"
    return str(whole)
