"""Windows into features, each in a voice, a room and a telephone of its own; all in the log mel domain, batched.

The spectral envelope of a recording is warped along frequency (another vocal tract), coloured (another voice and
microphone), and voiced frames get the harmonics of another pitch, by a table of what harmonics do to the mel filters.
Then come reverberation, noise, voices behind, the band and noise of the line, lost packets. Levels are natural logs of
energy, as in the features.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from .features import (
    ENERGY_FLOOR,
    HIGH_HZ,
    N_FFT,
    N_MELS,
    PRE_EMPHASIS,
    SAMPLE_RATE_HZ,
    comb_table,
    hertz,
    log_mel,
    mel,
    mel_centres,
    mel_filters,
)
from .units import N_POINTS, POINT_MELS, Store
from .windows import Window

_FLOOR = math.log(ENERGY_FLOOR)
_DB = math.log(10) / 10
#: Pitches of the comb table, evenly in the logarithm.
_PITCH_LOW, _PITCH_HIGH, _N_PITCHES = math.log(55.0), math.log(500.0), 256


class Augmenter:
    """Holds the store's frames and the tables; `features` draws from a generator, so that a seed gives the same
    batch."""

    def __init__(self, store: Store) -> None:
        self._frames = torch.from_numpy(store.frames)
        pitches = np.exp(np.linspace(_PITCH_LOW, _PITCH_HIGH, _N_PITCHES))
        self._comb = torch.from_numpy(comb_table(pitches))
        centres = mel_centres()
        self._hz = torch.from_numpy(hertz(centres)).float()
        self._octaves = torch.log2(self._hz)
        angle = 2 * np.pi * hertz(centres) / SAMPLE_RATE_HZ
        self._emphasis = torch.from_numpy(2 * np.log(np.abs(1 - PRE_EMPHASIS * np.exp(-1j * angle)))).float()
        self._white = torch.from_numpy(np.log(mel_filters().sum(axis=1))).float() + self._emphasis
        noise = log_mel(np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ * 120).astype(np.float32) * 0.1)
        self._ripple = torch.from_numpy(noise - np.log(np.exp(noise).mean(axis=0)))
        at = (torch.arange(N_MELS) + 0.5) / N_MELS
        self._waves = torch.stack([torch.cos(math.pi * wave * at) for wave in range(1, 7)])

    def features(self, windows: list[Window], draw: torch.Generator) -> torch.Tensor:
        """Log mel features [windows, frames, N_MELS]."""
        place = torch.from_numpy(np.stack([window.place for window in windows]))
        gain = torch.from_numpy(np.stack([window.gain for window in windows]))
        is_raw = torch.tensor([window.is_raw for window in windows])
        speech = torch.empty(*place.shape, N_MELS)
        sounding = place >= 0
        for raw in (True, False):
            rows = torch.nonzero(is_raw == raw).flatten()
            if len(rows):
                some = [windows[row] for row in rows.tolist()]
                speech[rows] = (self._recorded if raw else self._voiced)(place[rows].clamp_min(0), some, draw)
        speech += gain[..., None] + self._curve(len(windows), (2.5, 2.0, 1.2, 0.8, 0.5, 0.4), draw)
        speech = torch.where(sounding[..., None], speech, torch.tensor(-30.0))
        speech = self._reverberate(speech, draw)
        level = _uniform(len(windows), -4.5, 3.5, draw)[:, None, None]
        heard = self._surround(speech, draw) + level
        heard = self._line(heard, draw)
        return self._mask(heard, draw)

    def _lerp(self, place: torch.Tensor, first: int, last: int) -> torch.Tensor:
        low = place.floor()
        part = (place - low).float()[..., None]
        rows = low.long()
        below = self._frames[rows, first:last].float()
        above = self._frames[(rows + 1).clamp_max(len(self._frames) - 1), first:last].float()
        return below + part * (above - below)

    def _joined(self, place: torch.Tensor, windows: list[Window], first: int, last: int) -> torch.Tensor:
        """Columns of the store at places [count, frames], joints faded: [count, frames, last − first]."""
        sound = self._lerp(place, first, last)
        fade = torch.from_numpy(np.stack([window.fade for window in windows]))
        row, at = torch.nonzero(fade, as_tuple=True)
        under = torch.from_numpy(np.stack([window.under for window in windows]))[row, at]
        gain = torch.from_numpy(np.stack([window.under_gain for window in windows]))[row, at]
        before = self._lerp(under, first, last) + gain[:, None]
        sound[row, at] += fade[row, at][:, None] * (before - sound[row, at])
        return sound

    def _recorded(self, place: torch.Tensor, windows: list[Window], draw: torch.Generator) -> torch.Tensor:
        """The recording's own features, its frequency axis stretched a little (its pitch with it)."""
        count = len(windows)
        stretch = torch.exp(_normal((count, 1), 0.07, draw)).clamp(0.82, 1.2)
        source = _mel(self._hz[None] * stretch)
        at = (source - source.new_tensor(mel_centres()[0])) / float(mel_centres()[1] - mel_centres()[0])
        return _take(self._joined(place, windows, 0, N_MELS), at)

    def _voiced(self, place: torch.Tensor, windows: list[Window], draw: torch.Generator) -> torch.Tensor:
        """The recording's envelope in another vocal tract, with another pitch."""
        count = len(windows)
        envelope = self._joined(place, windows, N_MELS, N_MELS + N_POINTS)
        blur = _uniform(count, -0.05, 0.3, draw)[:, None, None]
        for _ in range(2):
            beside = torch.nn.functional.pad(envelope, (0, 0, 1, 1), mode="replicate")
            envelope = (1 - 2 * blur) * envelope + blur * (beside[:, 2:] + beside[:, :-2])
        # Sharper or flatter formants: what stands out of a smoothed spectrum is stretched.
        smooth = torch.nn.functional.avg_pool1d(envelope, 17, 1, 8, count_include_pad=False)
        envelope = smooth + _uniform(count, 0.7, 1.35, draw)[:, None, None] * (envelope - smooth)
        centre = torch.from_numpy(np.stack([window.centre for window in windows]))
        # Most of those recorded are women; men's tracts are some 15 percent longer.
        low = centre.amax(dim=1) < math.log(160.0)
        around = torch.where(low, -0.04, 0.10) + _uniform(count, -0.20, 0.20, draw)
        stretch = around[:, None] + self._curve(count, (0.05, 0.04, 0.03), draw).squeeze(1)
        source = _mel(self._hz[None] * torch.exp(stretch))
        shaped = _take(envelope, source / float(POINT_MELS[1] - POINT_MELS[0]))
        own = self._frames[place.round().long(), N_MELS + N_POINTS].float()
        lift = torch.from_numpy(np.stack([window.lift for window in windows]))
        # A long tract goes with a low voice, loosely: women's and men's means are some 210 and 120 Hz.
        tract = torch.where(low, around + 0.12, around)
        middle = math.log(210.0) - 2.8 * tract + _normal((count,), 0.22, draw)
        span = _uniform(count, 0.5, 1.2, draw)[:, None]
        pitch = middle[:, None] + span * (own.clamp_min(1.0).log() - centre) + lift
        row = ((pitch - _PITCH_LOW) / (_PITCH_HIGH - _PITCH_LOW) * (_N_PITCHES - 1)).round().long()
        comb = self._comb[row.clamp(0, _N_PITCHES - 1)]
        edge_hz = _uniform(count, 1200.0, 5000.0, draw)[:, None]
        breath = torch.sigmoid((self._hz[None] - edge_hz) / 400.0).clamp_min(0.02)[:, None]
        ripple = torch.exp(self._noise(count, place.shape[1], draw))
        excited = comb * (1 - breath) + ripple * breath
        return shaped + torch.where(own[..., None] > 0, excited.clamp_min(1e-4), torch.ones(())).log()

    def _noise(self, count: int, n_frames: int, draw: torch.Generator) -> torch.Tensor:
        """How the energies of white noise ripple around their mean, [count, n_frames, N_MELS]."""
        starts = torch.randint(0, len(self._ripple) - n_frames, (count,), generator=draw)
        return self._ripple[starts[:, None] + torch.arange(n_frames)[None]]

    def _curve(self, count: int, sizes: tuple[float, ...], draw: torch.Generator) -> torch.Tensor:
        """Random smooth colours, [count, 1, N_MELS]."""
        parts = _normal((count, len(sizes)), 1.0, draw) * torch.tensor(sizes)
        return (parts @ self._waves[: len(sizes)])[:, None]

    def _reverberate(self, speech: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """An exponential tail behind the sound, in a third of the windows."""
        count = len(speech)
        decay_frames = _uniform(count, 3.0, 25.0, draw)
        share = torch.where(torch.rand(count, generator=draw) < 0.35, _uniform(count, 0.02, 0.35, draw), 0.0)
        lags = torch.arange(40.0)
        kernel = torch.exp(-lags[None] / decay_frames[:, None])
        kernel = share[:, None] * kernel / kernel.sum(dim=1, keepdim=True)
        kernel[:, 0] += 1 - share
        power = speech.exp().permute(2, 0, 1)
        padded = torch.nn.functional.pad(power, (39, 0))
        tail = torch.nn.functional.conv1d(padded, kernel.flip(1)[:, None], groups=count)
        return tail.permute(1, 2, 0).clamp_min(1e-13).log()

    def _surround(self, speech: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """Noise of any colour, and in some windows the voice of another one behind."""
        count, n_frames, _ = speech.shape
        below = _uniform(count, 8.0, 75.0, draw) * _DB
        slow = torch.nn.functional.interpolate(_normal((count, 1, 9), 0.4, draw), n_frames, mode="linear")
        colour = self._white - self._white.exp().sum().log() + self._curve(count, (2.0, 1.2, 0.7), draw)
        noise = colour + self._noise(count, n_frames, draw) - below[:, None, None] + slow.transpose(1, 2)
        behind = torch.where(torch.rand(count, generator=draw) < 0.12, _uniform(count, 10.0, 25.0, draw), 90.0) * _DB
        shift = int(torch.randint(50, n_frames - 50, (1,), generator=draw))
        babble = speech.roll(1, 0).roll(shift, 1) - behind[:, None, None]
        return torch.logaddexp(torch.logaddexp(speech, noise), babble)

    def _line(self, heard: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """The band of the line and its handset, noise of coding, idle steps, packets lost as silence."""
        count, n_frames, _ = heard.shape
        low = _uniform(count, 40.0, 380.0, draw).log2()[:, None]
        high = _uniform(count, 2900.0, HIGH_HZ + 600, draw).log2()[:, None]
        slope = _uniform(count, 4.0, 30.0, draw)[:, None] * _DB
        band = -slope * (low - self._octaves).clamp_min(0) - 60 * _DB * (self._octaves - high).clamp_min(0)
        heard = heard + band[:, None] + self._curve(count, (0.8, 0.8, 0.5), draw)
        total = torch.logsumexp(heard - self._emphasis, dim=2, keepdim=True) - math.log(N_FFT / 2)
        coding = _uniform(count, 30.0, 60.0, draw)[:, None, None] * _DB
        coded = torch.logaddexp(heard, total - coding + self._white + self._noise(count, n_frames, draw))
        idle = _uniform(count, -25.0, -12.0, draw)[:, None, None]
        coded = torch.logaddexp(coded, idle + self._white + self._noise(count, n_frames, draw))
        lossy = torch.rand(count, generator=draw) < 0.08
        lost = torch.rand(count, n_frames // 2, generator=draw).repeat_interleave(2, 1) < 0.03
        return torch.where((lossy[:, None] & lost)[..., None], torch.tensor(_FLOOR), coded).clamp_min(_FLOOR)

    def _mask(self, heard: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """Bands and short stretches made flat (SpecAugment, Park et al. 2019)."""
        count, n_frames, _ = heard.shape
        middle = heard.mean(dim=(1, 2), keepdim=True)
        for size, length, times in ((N_MELS, 5, 1), (n_frames, 8, 2)):
            for _ in range(times):
                width = torch.randint(0, length + 1, (count,), generator=draw)
                first = torch.randint(0, size - length, (count,), generator=draw)
                at = torch.arange(size)[None]
                hit = (at >= first[:, None]) & (at < (first + width)[:, None])
                hit = hit[:, None, :] if size == N_MELS else hit[:, :, None]
                heard = torch.where(hit, middle, heard)
        return heard


def _mel(hz: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(mel(hz.numpy())).float()


def _take(values: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """Values [count, frames, points] at fractional points [count, N_MELS], ends repeated."""
    at = at.clamp(0, values.shape[2] - 1.001)
    low = at.floor().long()
    part = (at - low)[:, None]
    wide = low[:, None].expand(-1, values.shape[1], -1)
    below, above = values.gather(2, wide), values.gather(2, wide + 1)
    return below + part * (above - below)


def _uniform(count: int, low: float, high: float, draw: torch.Generator) -> torch.Tensor:
    return low + (high - low) * torch.rand(count, generator=draw)


def _normal(shape: tuple[int, ...], deviation: float, draw: torch.Generator) -> torch.Tensor:
    return deviation * torch.randn(shape, generator=draw)
