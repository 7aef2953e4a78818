"""What readings of the device mean, and that this machine can be read."""

from __future__ import annotations

import dataclasses

import pytest

from hardware.device_health import DeviceReading, Weight, judge, read_device

WELL = DeviceReading(
    temperature_celsius=50.0,
    throttled=0,
    disk_free_bytes=20 * 1024**3,
    memory_available_bytes=1024**3,
    clock_synchronised=True,
)


def weights(reading: DeviceReading) -> dict[str, Weight]:
    return {one.subject: one.weight for one in judge(reading)}


def test_a_device_that_is_well_has_only_fine_findings():
    assert set(weights(WELL)) == {"temperature", "power", "disk", "memory", "clock"}
    assert set(weights(WELL).values()) == {Weight.FINE}


@pytest.mark.parametrize(
    ("field", "value", "subject", "weight"),
    [
        ("temperature_celsius", 76.0, "temperature", Weight.WARNING),
        ("temperature_celsius", 84.0, "temperature", Weight.BROKEN),
        ("throttled", 0x50005, "power", Weight.BROKEN),
        ("throttled", 0x50000, "power", Weight.WARNING),
        ("disk_free_bytes", 500 * 1024**2, "disk", Weight.WARNING),
        ("disk_free_bytes", 1024, "disk", Weight.BROKEN),
        ("memory_available_bytes", 50 * 1024**2, "memory", Weight.WARNING),
        ("clock_synchronised", False, "clock", Weight.WARNING),
    ],
)
def test_what_is_wrong_is_found_and_has_a_remedy(field, value, subject, weight):
    reading = dataclasses.replace(WELL, **{field: value})
    finding = next(one for one in judge(reading) if one.subject == subject)
    assert finding.weight is weight
    assert finding.remedy


def test_what_this_machine_does_not_tell_is_no_finding():
    reading = dataclasses.replace(WELL, temperature_celsius=None, throttled=None, clock_synchronised=None)
    assert set(weights(reading)) == {"disk", "memory"}


def test_this_machine_can_be_read_even_where_the_folder_is_missing(tmp_path):
    reading = read_device(tmp_path / "not" / "there")
    assert reading.disk_free_bytes > 0
    assert reading.memory_available_bytes > 0


def test_the_raspberry_pi_tells_by_its_own_command(tmp_path, monkeypatch):
    command = tmp_path / "vcgencmd"
    command.write_text("#!/bin/sh\necho throttled=0x50005\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert read_device(tmp_path).throttled == 0x50005
