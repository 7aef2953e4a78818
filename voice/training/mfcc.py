"""Kaldi's high-resolution MFCC in numpy: 40 coefficients of 25 ms every 10 ms, as Vosk computes them.

Follows Kaldi's ``feat/feature-mfcc.cc`` with ``--num-mel-bins=40 --num-ceps=40 --low-freq=20
--high-freq=7600 --use-energy=false --dither=0`` (Povey window, pre-emphasis 0.97, lifter 22), the values of
``conf/mfcc.conf``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

FRAME_SAMPLES, SHIFT_SAMPLES, FFT_SIZE = 400, 160, 512
COEFFICIENTS = 40
LOW_HZ, HIGH_HZ = 20.0, 7600.0
FRAMES_PER_SECOND = 100
SAMPLES_PER_SECOND = 16_000
_PRE_EMPHASIS, _LIFTER = 0.97, 22.0
_SMALLEST_ENERGY = np.float32(np.finfo(np.float32).eps)

Samples = NDArray[np.float32]
Features = NDArray[np.float32]


def _mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0))


def _mel_banks() -> NDArray[np.float32]:
    low, high = float(_mel(LOW_HZ)), float(_mel(HIGH_HZ))
    width = (high - low) / (COEFFICIENTS + 1)
    bins = _mel(np.arange(FFT_SIZE // 2) * SAMPLES_PER_SECOND / FFT_SIZE)
    banks = np.zeros((FFT_SIZE // 2 + 1, COEFFICIENTS), np.float32)
    for bank in range(COEFFICIENTS):
        left = low + bank * width
        rising, falling = (bins - left) / width, (left + 2 * width - bins) / width
        banks[: FFT_SIZE // 2, bank] = np.maximum(0.0, np.minimum(rising, falling))
    return banks


def _liftered_cosines() -> NDArray[np.float32]:
    index = np.arange(COEFFICIENTS)
    cosines = np.sqrt(2.0 / COEFFICIENTS) * np.cos(
        np.pi / COEFFICIENTS * (index[None, :] + 0.5) * index[:, None]
    )
    cosines[0] = np.sqrt(1.0 / COEFFICIENTS)
    lifter = 1 + 0.5 * _LIFTER * np.sin(np.pi * index / _LIFTER)
    return np.asarray((cosines * lifter[:, None]).T, np.float32)


_BANKS = _mel_banks()
_COSINES = _liftered_cosines()
_WINDOW = np.asarray(
    (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME_SAMPLES) / (FRAME_SAMPLES - 1))) ** 0.85, np.float32
)


def mfcc(samples: Samples) -> Features:
    """Compute features of speech at 16 kHz in the scale of int16: one row of 40 for each whole frame."""
    count = 1 + (len(samples) - FRAME_SAMPLES) // SHIFT_SAMPLES
    if count < 1:
        return np.zeros((0, COEFFICIENTS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::SHIFT_SAMPLES][:count]
    frames = np.asarray(frames - frames.mean(axis=1, keepdims=True), np.float32)
    emphasised = np.empty_like(frames)
    emphasised[:, 1:] = frames[:, 1:] - _PRE_EMPHASIS * frames[:, :-1]
    emphasised[:, 0] = frames[:, 0] * (1 - _PRE_EMPHASIS)
    spectrum = fft.rfft(emphasised * _WINDOW, FFT_SIZE, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    energies = np.log(np.maximum(power @ _BANKS, _SMALLEST_ENERGY))
    return np.asarray(energies @ _COSINES, np.float32)
