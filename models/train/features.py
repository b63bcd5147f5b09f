"""Log mel features at 8 kHz, as `pipeline/audio/src/fbank.rs` computes them (Kaldi, `snip-edges=false`, no dither).

25 ms Povey windows, DC removed, pre-emphasis 0.97, power spectrum of 256 points, triangular mel filters,
natural log. Samples are in −1 to 1. Frame `f` is centred on `f · hop + hop / 2`.
"""

from __future__ import annotations

import numpy as np

SAMPLE_RATE_HZ = 8000
N_MELS = 40
LOW_HZ = 20.0
HIGH_HZ = 3900.0
WINDOW = 200
HOP = 80
N_FFT = 256
PRE_EMPHASIS = 0.97
ENERGY_FLOOR = float(np.finfo(np.float32).eps)


def mel(hz: np.ndarray | float) -> np.ndarray:
    """Kaldi's mel scale."""
    return 1127.0 * np.log1p(np.asarray(hz, np.float64) / 700.0)


def hertz(mels: np.ndarray | float) -> np.ndarray:
    """Inverse of `mel`."""
    return 700.0 * np.expm1(np.asarray(mels, np.float64) / 1127.0)


def mel_centres(n_mels: int = N_MELS, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ) -> np.ndarray:
    """Centre of each filter, in mel, [n_mels]."""
    step = (mel(high_hz) - mel(low_hz)) / (n_mels + 1)
    return mel(low_hz) + step * np.arange(1, n_mels + 1)


def mel_filters(
    n_mels: int = N_MELS, n_fft: int = N_FFT, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ
) -> np.ndarray:
    """Filter weights, [n_mels, n_fft / 2 + 1]; the bin at Nyquist is left out, as in Kaldi."""
    step = (mel(high_hz) - mel(low_hz)) / (n_mels + 1)
    left = mel(low_hz) + step * np.arange(n_mels)[:, None]
    at = mel(np.arange(n_fft // 2 + 1) * SAMPLE_RATE_HZ / n_fft)[None, :]
    weights = np.minimum((at - left) / step, (left + 2 * step - at) / step).clip(0.0)
    weights[:, -1] = 0.0
    return weights.astype(np.float32)


def povey_window(length: int = WINDOW) -> np.ndarray:
    """A Hann window to the power 0.85."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / (length - 1))) ** 0.85


_FILTERS = mel_filters().T.copy()
_WINDOW = povey_window().astype(np.float32)


def log_mel(samples: np.ndarray, hop: int = HOP) -> np.ndarray:
    """Features of a whole recording: samples [N] in −1 to 1 → [frames, N_MELS] float32."""
    samples = np.asarray(samples, np.float32)
    n_frames = (len(samples) + hop // 2) // hop
    if n_frames == 0:
        return np.zeros((0, N_MELS), np.float32)
    starts = np.arange(n_frames) * hop + hop // 2 - WINDOW // 2
    before = max(0, -int(starts[0]))
    after = max(0, int(starts[-1]) + WINDOW - len(samples))
    mirrored = np.pad(samples, (before, after), mode="symmetric")
    out = np.empty((n_frames, N_MELS), np.float32)
    for first in range(0, n_frames, 4096):
        part = starts[first : first + 4096]
        frames = mirrored[part[:, None] + before + np.arange(WINDOW)[None, :]]
        frames = frames - frames.mean(axis=1, keepdims=True)
        shifted = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
        frames = (frames - PRE_EMPHASIS * shifted) * _WINDOW
        power = np.abs(np.fft.rfft(frames, N_FFT)) ** 2
        energy = power.astype(np.float32) @ _FILTERS
        out[first : first + len(part)] = np.log(np.maximum(energy, ENERGY_FLOOR))
    return out


def comb_table(f0_hz: np.ndarray) -> np.ndarray:
    """What voicing does to the filters: energy of a harmonic sound of each pitch through each filter, relative to
    noise of the same envelope; [len(f0_hz), N_MELS], linear power. Phases between harmonics are left out."""
    n_fine = 4096
    spectrum = np.abs(np.fft.rfft(povey_window(), n_fine)) ** 2
    hz = np.arange(n_fine // 2 + 1) * SAMPLE_RATE_HZ / n_fine
    step_hz = hz[1]
    filters = mel_filters(n_fft=n_fine).astype(np.float64)
    weight = filters.sum(axis=1)
    total = 2 * spectrum.sum() * step_hz
    reach = int(400 / step_hz)
    lobe = np.concatenate([spectrum[reach:0:-1], spectrum[: reach + 1]])
    table = np.empty((len(f0_hz), N_MELS), np.float32)
    for row, f0 in enumerate(f0_hz):
        line = np.zeros(len(hz) + 2 * reach)
        for harmonic in np.arange(f0, SAMPLE_RATE_HZ / 2, f0):
            at = round(float(harmonic / step_hz))
            line[at : at + 2 * reach + 1] += lobe
        comb = line[reach : reach + len(hz)] * f0 / total
        table[row] = filters @ comb / weight
    return table.clip(1e-4)
