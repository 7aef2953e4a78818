"""What can go wrong with the body, each with the sentence that a person hears.

    HardwareError
    ├── AudioUnavailable          no sound system, or no device in it
    ├── AudioDeviceNotFound       none of that name
    ├── AudioDeviceRefused        it is there and will not open
    ├── PinsUnavailable           lamp or button: no such pins, or they are taken
    └── RecordingError            a file in place of a device
        ├── RecordingNotFound
        ├── RecordingUnreadable   no audio, or damaged
        └── RecordingEmpty        audio without a sample

A device that is lost while it is open raises nothing: it is opened again, and its state
tells (`DeviceState`).
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class HardwareError(Exception):
    """Something of the body does not work. `str(error)` is English, for logs."""

    sentence: ClassVar[str] = "设备出了点问题"
    hint: ClassVar[str] = "See the log; `xiaozhi doctor` checks the device."

    @property
    def spoken(self) -> str:
        """One short Chinese sentence, fit to be spoken."""
        return self.sentence


class AudioUnavailable(HardwareError):
    """The machine has no sound system, or it has no device."""

    sentence = "没有找到可用的声卡"
    hint = "Plug in a sound card; check that libportaudio2 is installed and `arecord -l` lists the device."


class AudioDeviceNotFound(HardwareError):
    """No device answers to that name.

    Args:
        name: What was asked for.
        known: What is there.
    """

    sentence = "没有找到设置里的声音设备"
    hint = "Set audio.microphone and audio.loudspeaker to one of the listed names, or leave them unset."

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no audio device is called {name!r}; there are: {', '.join(known) or 'none'}")
        self.name = name
        self.known = tuple(known)


class AudioDeviceRefused(HardwareError):
    """The device is there and cannot be opened: busy, or it takes none of our formats."""

    sentence = "声音设备打不开，可能被占用了"
    hint = "Close what else uses the device (`fuser -v /dev/snd/*`), or choose another."


class PinsUnavailable(HardwareError):
    """A lamp or a button cannot be reached: no pins on this machine, or others hold them."""

    sentence = "灯或者按钮接不上"
    hint = "Check the pin numbers under [lamp] and [buttons], and that the user is in the group gpio."


class RecordingError(HardwareError):
    """A recording cannot be used."""

    sentence = "这段录音用不了"
    hint = "Give a sound file that soundfile reads: WAV, FLAC, Ogg or MP3."


class RecordingNotFound(RecordingError):
    """There is no such file, or it may not be read."""

    sentence = "找不到这段录音"
    hint = "Check the path and its permissions."


class RecordingUnreadable(RecordingError):
    """The file is no audio, or damaged."""

    sentence = "这段录音损坏了，读不出来"


class RecordingEmpty(RecordingError):
    """The file holds no sample."""

    sentence = "这段录音是空的"
    hint = "Record again; the file has no sound in it."
