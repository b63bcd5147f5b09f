"""The store of sounds: recordings analysed once, from which utterances are put together.

A unit is a recording (a word, a syllable, a synthesised phrase) with its dictionary syllables. Of each frame (5 ms)
the store keeps, in columns of one table on disk:

| columns | what |
| --- | --- |
| 0 .. 40 | log mel features of the recording as it is |
| 40 .. 104 | spectral envelope without pitch: log energies of filters as wide as the features' |
| 104 | pitch in Hz, 0 where unvoiced |

(the envelope at 64 points from 0 to 4 kHz, evenly on the mel scale), and beside it a clock (`change`), which runs with
how much the sound changes: compressing a word along it shortens the steady parts, as quick speech does. Recordings
whose syllables nobody wrote down have what a teacher heard in them instead, for every eight frames.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from .features import (
    N_MELS,
    PRE_EMPHASIS,
    SAMPLE_RATE_HZ,
    hertz,
    log_mel,
    mel,
    mel_centres,
)
from .teacher import TAUGHT_FRAME_SECS, Heard, Teacher

STORE_FRAME_SECS = 0.005
#: Samples of a frame.
STORE_HOP = int(SAMPLE_RATE_HZ * STORE_FRAME_SECS)
#: Frames of the store for one of the teacher's.
TAUGHT_FRAMES = round(TAUGHT_FRAME_SECS / STORE_FRAME_SECS)
N_POINTS = 64
N_COLUMNS = N_MELS + N_POINTS + 1
POINT_MELS = np.linspace(0.0, float(mel(SAMPLE_RATE_HZ / 2)), N_POINTS)
_PARTS = ("change", "begins", "tokens", "shares")
#: Recordings after which everything is saved.
_SAVE_EVERY = 500
#: Frames at the edges this far below the loudest (natural log of energy) are silence.
_EDGE_BELOW = 8.5


@dataclass
class Unit:
    """One recording in the store. `bounds` are frames from its first one, one more than syllables."""

    first: int
    n_frames: int
    voice: str
    hanzi: str
    syllables: list[str]
    bounds: list[int]


@dataclass
class Store:
    """Frames [N, N_COLUMNS] float16, clock [N] float32, what the teacher heard [N / TAUGHT_FRAMES], and the units that
    lie in them."""

    frames: np.ndarray
    change: np.ndarray
    heard: Heard
    units: list[Unit]


@dataclass(frozen=True)
class Recording:
    """What is analysed: samples at 8 kHz, and syllable starts in seconds where they are known. With no syllables the
    teacher is asked; such a recording is kept with its silent edges, and is a multiple of TAUGHT_FRAME_SECS
    long."""

    samples: np.ndarray
    voice: str
    hanzi: str = ""
    syllables: list[str] = field(default_factory=list)
    starts_secs: list[float] | None = None


def analyse(recording: Recording) -> tuple[np.ndarray, np.ndarray, list[int]] | None:
    """Frames [n, N_COLUMNS] float16 and clock [n] of a recording without its silent edges, and the bounds of its
    syllables; none where nothing sounds."""
    import pyworld

    samples = np.ascontiguousarray(recording.samples, np.float64)
    if len(samples) < SAMPLE_RATE_HZ // 10:
        return None
    raw = log_mel(recording.samples, STORE_HOP)
    rough, times = pyworld.dio(samples, SAMPLE_RATE_HZ, 65.0, 420.0, frame_period=1000 * STORE_FRAME_SECS)
    pitch = pyworld.stonemask(samples, rough, times, SAMPLE_RATE_HZ)
    power = pyworld.cheaptrick(samples, pitch, times, SAMPLE_RATE_HZ)
    n_frames = min(len(raw), len(pitch))
    raw, pitch = raw[:n_frames], pitch[:n_frames]
    level = np.log(np.exp(raw).sum(axis=1))
    loud = np.flatnonzero(level > level.max() - _EDGE_BELOW)
    first, last = max(int(loud[0]) - 3, 0), min(int(loud[-1]) + 6, n_frames)
    if not recording.syllables:
        first, last = 0, n_frames
    if last - first < 12:
        return None
    envelope = _envelope(raw, power[:n_frames], pitch)
    table = np.concatenate([raw, envelope, pitch[:, None]], axis=1)[first:last]
    return table.astype(np.float16), _clock(envelope[first:last]), _bounds(recording, first, last)


def write_store(
    folder: Path, recordings: Iterable[Recording], n_workers: int, note: str, teacher: Path | None = None
) -> None:
    """Analyses recordings and writes the store into a folder, going on where it was stopped: `units.json` is saved last
    and tells how much of the tables holds. With a teacher's folder recordings without syllables are heard by it, and
    kept where it hears speech."""
    index = folder / "units.json"
    saved = json.loads(index.read_text()) if index.exists() else {"analysed": 0, "units": [], "done": False}
    if saved["done"]:
        return
    folder.mkdir(parents=True, exist_ok=True)
    units = [Unit(**fields) for fields in saved["units"]]
    at, n_analysed = sum(unit.n_frames for unit in units), saved["analysed"]
    n_taught = sum(unit.n_frames // TAUGHT_FRAMES for unit in units if teacher and not unit.syllables)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in _PARTS}
    if units:
        known = {name: at if name == "change" else n_taught for name in _PARTS}
        parts = {name: [np.load(folder / f"{name}.npy")[:count]] for name, count in known.items()}
    with open(folder / "frames.f16", "r+b" if units else "wb") as out:
        out.seek(at * N_COLUMNS * 2)
        out.truncate()
        for found in _analysed(itertools.islice(recordings, n_analysed, None), n_workers, teacher):
            n_analysed += 1
            if found:
                unit, frames, clock, heard = found
                out.write(frames.tobytes())
                columns = (clock, heard.begins, heard.tokens, heard.shares)
                for name, column in zip(_PARTS, columns, strict=True):
                    parts[name].append(column)
                unit.first = at
                units.append(unit)
                at += len(frames)
            if n_analysed % _SAVE_EVERY == 0:
                print(f"{note}: {n_analysed} recordings, {at * STORE_FRAME_SECS / 3600:.2f} h", flush=True)
                out.flush()
                _save(folder, parts, units, n_analysed, False)
    _save(folder, parts, units, n_analysed, True)


def _save(folder: Path, parts: dict[str, list[np.ndarray]], units: list[Unit], n_analysed: int, done: bool) -> None:
    for name, columns in parts.items():
        columns[:] = [np.concatenate(columns)]
        partial = folder / f"{name}.part"
        with open(partial, "wb") as out:
            np.save(out, columns[0])
        partial.rename(folder / f"{name}.npy")
    rows = [asdict(unit) for unit in units]
    partial = folder / "units.part"
    partial.write_text(json.dumps({"analysed": n_analysed, "done": done, "units": rows}, ensure_ascii=False))
    partial.rename(folder / "units.json")


def read_stores(folders: list[Path]) -> Store:
    """Several stores as one. What the teacher heard where none was asked: that nothing begins."""
    frames, units, at = [], [], 0
    parts: dict[str, list[np.ndarray]] = {name: [] for name in _PARTS}
    for folder in folders:
        rows = [Unit(**fields) for fields in json.loads((folder / "units.json").read_text())["units"]]
        n_frames = sum(unit.n_frames for unit in rows)
        spare = -n_frames % TAUGHT_FRAMES
        table = np.fromfile(folder / "frames.f16", np.float16, n_frames * N_COLUMNS)
        frames += [table.reshape(-1, N_COLUMNS), np.zeros((spare, N_COLUMNS), np.float16)]
        n_taught = (n_frames + spare) // TAUGHT_FRAMES
        for name, columns in parts.items():
            column = np.load(folder / f"{name}.npy")
            wanted = n_frames + spare if name == "change" else n_taught
            columns.append(np.concatenate([column, np.zeros((wanted - len(column), *column.shape[1:]), column.dtype)]))
        for unit in rows:
            unit.first += at
            units.append(unit)
        at += n_frames + spare
    change, *heard = (np.concatenate(columns) for columns in parts.values())
    return Store(np.concatenate(frames), change, Heard(*heard), units)


_Analysed = tuple[Unit, np.ndarray, np.ndarray, Heard]


def _analysed(recordings: Iterable[Recording], n_workers: int, teacher: Path | None) -> Iterator[_Analysed | None]:
    work = functools.partial(_analyse_one, teacher=teacher)
    if n_workers <= 1:
        yield from map(work, recordings)
        return
    with get_context("fork").Pool(n_workers) as pool:
        yield from pool.imap(work, recordings, chunksize=8)


def _analyse_one(recording: Recording, teacher: Path | None) -> _Analysed | None:
    found = analyse(recording)
    if found is None:
        return None
    frames, clock, bounds = found
    heard = Heard.nothing()
    if teacher and not recording.syllables:
        heard = _teacher(teacher).hear(recording.samples).first(len(frames) // TAUGHT_FRAMES)
        if not heard.is_speech():
            return None
    return Unit(0, len(frames), recording.voice, recording.hanzi, recording.syllables, bounds), frames, clock, heard


@functools.cache
def _teacher(folder: Path) -> Teacher:
    return Teacher(folder)


def _point_filters(n_fft: int) -> np.ndarray:
    """Triangles of the features' width around the envelope's points, pre-emphasis squared in them; [bins, N_POINTS]."""
    width = mel_centres()[1] - mel_centres()[0]
    hz = np.arange(n_fft // 2 + 1) * SAMPLE_RATE_HZ / n_fft
    distance = np.abs(mel(hz)[:, None] - POINT_MELS[None, :])
    weights = (1 - distance / width).clip(0.0)
    # An end point has half a triangle: give it the weight of a whole one.
    expected = width * (hertz(POINT_MELS + 0.5) - hertz(POINT_MELS - 0.5)) / (hz[1])
    weights *= expected / np.maximum(weights.sum(axis=0), 1e-9)
    angle = 2 * np.pi * hz / SAMPLE_RATE_HZ
    emphasis = np.abs(1 - PRE_EMPHASIS * np.exp(-1j * angle)) ** 2
    return weights * emphasis[:, None]


_POINT_FILTERS: dict[int, np.ndarray] = {}


def _envelope(raw: np.ndarray, power: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Log energies [n, N_POINTS]: from WORLD where there is a pitch, from the features where there is none; WORLD's is
    shifted frame by frame to the features' level, so that its scale does not matter."""
    n_fft = 2 * (power.shape[1] - 1)
    if n_fft not in _POINT_FILTERS:
        _POINT_FILTERS[n_fft] = _point_filters(n_fft)
    centres = mel_centres()
    own = np.log(power @ _POINT_FILTERS[n_fft] + 1e-12)
    at = np.interp(POINT_MELS, centres, np.arange(N_MELS))
    low = np.floor(at).astype(int).clip(0, N_MELS - 2)
    plain = raw[:, low] + (at - low) * (raw[:, low + 1] - raw[:, low])
    weight = np.exp(plain - plain.max(axis=1, keepdims=True))
    expected = np.log((np.exp(own - own.max(axis=1, keepdims=True))).sum(axis=1)) + own.max(axis=1)
    level = np.log(weight.sum(axis=1)) + plain.max(axis=1)
    return np.where(pitch[:, None] > 0, own + (level - expected)[:, None], plain)


def _clock(envelope: np.ndarray) -> np.ndarray:
    """Runs from 0 to 1 over the unit; steady stretches run at about a third of the mean speed."""
    before, after = np.roll(envelope, 3, axis=0), np.roll(envelope, -3, axis=0)
    before[:3], after[-3:] = envelope[:1], envelope[-1:]
    moved = np.abs(after - before).mean(axis=1).clip(0, 3.0)
    speed = moved + 0.5 * moved.mean() + 1e-3
    total = np.cumsum(speed)
    return ((total - total[0]) / (total[-1] - total[0])).astype(np.float32)


def _bounds(recording: Recording, first: int, last: int) -> list[int]:
    """Frames where syllables begin, and the end: known times, or even parts."""
    count = max(len(recording.syllables), 1)
    if recording.starts_secs is None:
        return [round((last - first) * at / count) for at in range(count + 1)]
    starts = [round(secs / STORE_FRAME_SECS) - first for secs in recording.starts_secs]
    return [min(max(start, 0), last - first) for start in starts] + [last - first]
