"""Chinese characters of everyday writing."""

from __future__ import annotations

import functools

_FIRST_ROW, _LAST_ROW, _LAST_OF_LAST_ROW = 0xB0, 0xD7, 0xF9


@functools.lru_cache(maxsize=1)
def common_characters() -> tuple[str, ...]:
    """The 3,755 characters of level 1 of GB/T 2312-1980, in its order (by pinyin)."""
    return tuple(
        bytes([row, column]).decode("gb2312")
        for row in range(_FIRST_ROW, _LAST_ROW + 1)
        for column in range(0xA1, 0xFF)
        if not (row == _LAST_ROW and column > _LAST_OF_LAST_ROW)
    )
