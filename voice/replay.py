"""Refusing sound that was heard before: nobody says a thing twice in exactly the same way, a recording does.

The fingerprint is that of J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System" (ISMIR
2002): for each frame, 32 bits tell where the differences between neighbouring bands rise or fall in time.
They survive rooms, loudspeakers and some noise; two utterances of the same words by one person do not share
them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hardware.audio import RATE_HZ
from voice.voiceprint import Sound

_FRAME = 4096
_HOP = 256
_BANDS = 33
_LOW_HZ, _HIGH_HZ = 300.0, 3000.0
MIN_OVERLAP = 30
"""Frames that must lie over one another to be compared: about half a second of sound."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fingerprint:
    """An utterance by the rise and fall of its bands.

    Attributes:
        bits: frames × 32.
    """

    bits: NDArray[np.bool_]


def fingerprint(sound: Sound) -> Fingerprint:
    """Return the fingerprint of mono sound at 16 kHz; sound shorter than 0.3 s has no frames."""
    if len(sound) < _FRAME + _HOP:
        return Fingerprint(bits=np.zeros((0, _BANDS - 1), dtype=np.bool_))
    frames = np.lib.stride_tricks.sliding_window_view(sound, _FRAME)[::_HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_FRAME), axis=1)) ** 2
    edges = np.geomspace(_LOW_HZ, _HIGH_HZ, _BANDS + 1) * _FRAME / RATE_HZ
    bands = np.add.reduceat(power, edges.astype(int)[:-1], axis=1)
    slope = bands[:, :-1] - bands[:, 1:]
    return Fingerprint(bits=np.diff(slope, axis=0) > 0)


def difference(left: Fingerprint, right: Fingerprint) -> float:
    """Return the least share of differing bits over all shifts in time: 0 for one sound, 0.5 for two.

    1.0 where one of them is too short to be compared.
    """
    shorter, longer = sorted((left.bits, right.bits), key=len)
    overlap = max(MIN_OVERLAP, int(0.6 * len(shorter)))
    if len(shorter) < MIN_OVERLAP:
        return 1.0
    # Sliding one over the other is a convolution of signs, so all shifts come out of one product of spectra.
    size = len(shorter) + len(longer) - 1
    signs = [np.where(bits, 1.0, -1.0) for bits in (shorter, longer)]
    spectra = [np.fft.rfft(one, size, axis=0) for one in (signs[0][::-1], signs[1])]
    agreement = np.fft.irfft(spectra[0] * spectra[1], size, axis=0).sum(axis=1)
    places = np.arange(size)
    frames = np.minimum(np.minimum(places + 1, size - places), len(shorter))
    shares = 0.5 - 0.5 * agreement[frames >= overlap] / (frames[frames >= overlap] * (_BANDS - 1))
    return float(shares.min())


SAME_SOUND = 0.28
"""Fingerprints that differ by less are of one recording."""


class ReplayGuard:
    """Remembers the last utterances of each person, and tells when one comes again.

    In memory only: what was heard before a restart is not known any more.

    Args:
        remembered: how many utterances of each person.
    """

    def __init__(self, *, remembered: int = 30) -> None:
        self._remembered = remembered
        self._heard: dict[str, deque[Fingerprint]] = {}

    def is_replay(self, person: str, heard: Fingerprint) -> bool:
        """Tell whether this person's utterance was heard before."""
        return any(difference(heard, earlier) < SAME_SOUND for earlier in self._heard.get(person, ()))

    def remember(self, person: str, heard: Fingerprint) -> None:
        """Keep an utterance; the oldest of this person gives way."""
        self._heard.setdefault(person, deque(maxlen=self._remembered)).append(heard)

    def forget(self, person: str) -> None:
        """Forget everything about a person."""
        self._heard.pop(person, None)
