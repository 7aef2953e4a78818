"""What all tests may use."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.postgres", "tests.databases")

# A loaded machine is slow now and then: that says nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
