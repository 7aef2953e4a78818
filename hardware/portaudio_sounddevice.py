"""PortAudio as one thing: its list of devices, frozen at the start, and renewing it without a trap.

PortAudio lists the devices once. To see one that was plugged in later it must be shut down and started again,
which kills every open stream: so microphone and loudspeaker share this, and each opens anew when the
generation has moved on.
"""

from __future__ import annotations

import atexit
import threading
from dataclasses import dataclass
from typing import Any, Literal

from hardware.errors import AudioDeviceNotFound, AudioUnavailable

_CLOSES_WITHIN_S = 1.0
Direction = Literal["input", "output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A sound device as PortAudio lists it.

    Args:
        index: Its place in the list of this generation.
        name: What it calls itself.
        channels: How many it has in the direction asked for.
        rate_hz: Its own rate.
    """

    index: int
    name: str
    channels: int
    rate_hz: int


class AudioSystem:
    """The machine's sound devices. One for the process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held while a stream is opened or closed and while the list is renewed."""
        self.generation = 0
        self._stuck: list[threading.Thread] = []

    def devices(self, direction: Direction) -> list[Device]:
        """List the devices of one direction.

        Raises:
            AudioUnavailable: there is no PortAudio.
        """
        library = sounddevice()
        with self.lock:
            listed = [dict(one) for one in library.query_devices()]
        return [_device(one, direction) for one in listed if one[f"max_{direction}_channels"] > 0]

    def find(self, direction: Direction, name: str | None) -> Device:
        """Return the device of that name (or the one whose name holds it), or the system's default.

        Raises:
            AudioUnavailable: there is no device at all.
            AudioDeviceNotFound: none is called that.
        """
        devices = self.devices(direction)
        if not devices:
            raise AudioUnavailable(f"no {direction} device")
        if name is None:
            return self._default(direction, devices)
        wanted = name.casefold()
        for fits in (lambda n: n == wanted, lambda n: wanted in n):
            for device in devices:
                if fits(device.name.casefold()):
                    return device
        raise AudioDeviceNotFound(name, [device.name for device in devices])

    def let_go(self, stream: Any) -> None:  # noqa: ANN401 - untyped library
        """Close a stream, and leave it behind when PortAudio hangs in it, as it may in a dead device."""
        closing = threading.Thread(target=_close, args=(stream,), name="sound-device-closing", daemon=True)
        closing.start()
        closing.join(_CLOSES_WITHIN_S)
        if closing.is_alive():
            self._stuck.append(closing)
            # At exit the library would shut PortAudio down and hang for good.
            atexit.unregister(sounddevice()._exit_handler)  # noqa: SLF001

    def renew(self, seen_generation: int) -> None:
        """List the devices anew, unless somebody has done it since that generation. Kills all streams.

        While PortAudio hangs in a dead stream the old list stays: shutting it down would hang as well.
        """
        library = sounddevice()
        with self.lock:
            self._stuck = [closing for closing in self._stuck if closing.is_alive()]
            if seen_generation != self.generation or self._stuck:
                return
            self.generation += 1
            library._terminate()  # noqa: SLF001 - there is no other way to renew PortAudio's list
            library._initialize()  # noqa: SLF001

    def _default(self, direction: Direction, devices: list[Device]) -> Device:
        index = sounddevice().default.device[0 if direction == "input" else 1]
        return next((device for device in devices if device.index == index), devices[0])


def sounddevice() -> Any:  # noqa: ANN401 - the library has no types
    """Return the library; it needs PortAudio installed to be imported.

    Raises:
        AudioUnavailable: PortAudio is not installed.
    """
    try:
        import sounddevice as library
    except OSError as error:
        raise AudioUnavailable(f"PortAudio cannot be loaded: {error}") from error
    return library


def _close(stream: Any) -> None:  # noqa: ANN401 - untyped library
    stream.abort(ignore_errors=True)
    stream.close(ignore_errors=True)


def _device(listed: dict[str, Any], direction: Direction) -> Device:
    return Device(
        index=int(listed["index"]),
        name=str(listed["name"]),
        channels=int(listed[f"max_{direction}_channels"]),
        rate_hz=round(float(listed["default_samplerate"])),
    )


AUDIO_SYSTEM = AudioSystem()
"""PortAudio is global to the process, and so is this."""
