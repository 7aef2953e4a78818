"""What all tests may use."""

from __future__ import annotations

import ctypes
import ctypes.util

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.postgres", "tests.databases")

# A loaded machine is slow now and then: that says nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_LIBM = ctypes.CDLL(ctypes.util.find_library("m") or "libm.so.6")
_DEFAULT_ENVIRONMENT = ctypes.c_void_p(-1)


@pytest.fixture(autouse=True)
def untouched_by_speech_libraries() -> None:
    """Undo what speech libraries do to their process: they flush the smallest floats to zero."""
    _LIBM.fesetenv(_DEFAULT_ENVIRONMENT)
