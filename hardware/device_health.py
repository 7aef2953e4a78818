"""How the device fares: read in one place, judged in another (pure)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

HOT_CELSIUS, TOO_HOT_CELSIUS = 75.0, 82.0
"""A Raspberry Pi slows down from 80 °C; soft limit 60 °C on a 3B+ only."""
LITTLE_DISK_BYTES, NO_DISK_BYTES = 1024**3, 100 * 1024**2
LITTLE_MEMORY_BYTES = 100 * 1024**2
_UNDER_VOLTAGE_NOW, _THROTTLED_NOW = 1 << 0, 1 << 2
_UNDER_VOLTAGE_SINCE_BOOT, _THROTTLED_SINCE_BOOT = 1 << 16, 1 << 18
_COMMAND_TIMEOUT_S = 5.0


class Weight(StrEnum):
    """How much a finding matters."""

    BROKEN = "broken"
    WARNING = "warning"
    FINE = "fine"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReading:
    """What was read; None where this machine does not tell.

    Args:
        temperature_celsius: Of the hottest sensor of the processor.
        throttled: Flags of `vcgencmd get_throttled`, as the Raspberry Pi documentation defines them.
        disk_free_bytes: On the disk of the data folder.
        memory_available_bytes: Without swapping.
        clock_synchronised: Whether something keeps the clock right.
    """

    temperature_celsius: float | None
    throttled: int | None
    disk_free_bytes: int
    memory_available_bytes: int
    clock_synchronised: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFinding:
    """One thing about the device.

    Args:
        subject: temperature, power, disk, memory or clock.
        weight: How much it matters.
        problem: What it is, in English.
        remedy: What to do; empty when it is fine.
    """

    subject: str
    weight: Weight
    problem: str
    remedy: str = ""


def judge(reading: DeviceReading) -> tuple[HealthFinding, ...]:
    """Return what a reading means, one finding for each subject that was read at least (pure)."""
    return tuple(_judged(reading))


def read_device(data_folder: Path) -> DeviceReading:
    """Read the machine: /sys, `vcgencmd` and `timedatectl` where there are any."""
    existing = next(one for one in (data_folder, *data_folder.parents) if one.exists())
    return DeviceReading(
        temperature_celsius=_temperature(),
        throttled=_throttled(),
        disk_free_bytes=shutil.disk_usage(existing).free,
        memory_available_bytes=psutil.virtual_memory().available,
        clock_synchronised=_clock_synchronised(),
    )


def _judged(reading: DeviceReading) -> Iterator[HealthFinding]:
    if (celsius := reading.temperature_celsius) is not None:
        weight = _above(celsius, HOT_CELSIUS, TOO_HOT_CELSIUS)
        remedy = "" if weight is Weight.FINE else "Give it a heat sink, a fan or a cooler place."
        yield HealthFinding(
            subject="temperature", weight=weight, problem=f"the processor has {celsius:.0f} °C", remedy=remedy
        )
    if reading.throttled is not None:
        yield _power(reading.throttled)
    yield _space("disk", reading.disk_free_bytes, LITTLE_DISK_BYTES, NO_DISK_BYTES, "Free some space.")
    yield _space(
        "memory",
        reading.memory_available_bytes,
        LITTLE_MEMORY_BYTES,
        LITTLE_MEMORY_BYTES // 4,
        "End other programs; 1 GiB of memory is enough for xiaozhi alone.",
    )
    if reading.clock_synchronised is False:
        yield HealthFinding(
            subject="clock",
            weight=Weight.WARNING,
            problem="nothing keeps the clock right",
            remedy="Run: sudo timedatectl set-ntp true. The cloud refuses requests that are 5 minutes off.",
        )
    elif reading.clock_synchronised:
        yield HealthFinding(subject="clock", weight=Weight.FINE, problem="the clock is kept right")


def _power(flags: int) -> HealthFinding:
    remedy = "Use the official power supply and a short cable; cool the device."
    if flags & (_UNDER_VOLTAGE_NOW | _THROTTLED_NOW):
        problem = "the voltage is too low" if flags & _UNDER_VOLTAGE_NOW else "it is slowed down by heat"
        return HealthFinding(subject="power", weight=Weight.BROKEN, problem=problem, remedy=remedy)
    if flags & (_UNDER_VOLTAGE_SINCE_BOOT | _THROTTLED_SINCE_BOOT):
        problem = "the voltage was too low, or it was too hot, since it was started"
        return HealthFinding(subject="power", weight=Weight.WARNING, problem=problem, remedy=remedy)
    return HealthFinding(subject="power", weight=Weight.FINE, problem="voltage and speed are right")


def _space(subject: str, free_bytes: int, little: int, none: int, remedy: str) -> HealthFinding:
    weight = Weight.BROKEN if free_bytes < none else Weight.WARNING if free_bytes < little else Weight.FINE
    problem = f"{free_bytes / 1024**2:,.0f} MiB are free"
    return HealthFinding(
        subject=subject, weight=weight, problem=problem, remedy="" if weight is Weight.FINE else remedy
    )


def _above(value: float, warning: float, broken: float) -> Weight:
    return Weight.BROKEN if value >= broken else Weight.WARNING if value >= warning else Weight.FINE


def _temperature() -> float | None:
    sensors: dict[str, list[object]] = psutil.sensors_temperatures()
    heats = [
        float(getattr(one, "current", 0.0))
        for name in ("cpu_thermal", "coretemp", "k10temp", "soc_thermal", "acpitz")
        for one in sensors.get(name, [])
    ]
    return max(heats, default=None)


def _throttled() -> int | None:
    told = _output("vcgencmd", "get_throttled")
    value = told.strip().partition("=")[2] if told else ""
    return int(value, 16) if value.startswith("0x") else None


def _clock_synchronised() -> bool | None:
    told = _output("timedatectl", "show", "--property=NTPSynchronized", "--value")
    return None if told is None or told.strip() not in {"yes", "no"} else told.strip() == "yes"


def _output(*command: str) -> str | None:
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, its program found on the path
            (program, *command[1:]), capture_output=True, text=True, timeout=_COMMAND_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
