"""A window of speech before it is heard: which frames of the store sound when, and which tokens may be told when."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

#: Frames (10 ms) of a window, a multiple of CHUNK_FRAMES as the network wants it.
WINDOW_FRAMES = 608
#: A token may be told this many output frames after its syllable has ended.
DELAY = 3


def _zeros() -> np.ndarray:
    return np.zeros(WINDOW_FRAMES, np.float32)


def _silence() -> np.ndarray:
    return np.full(WINDOW_FRAMES, -1.0)


@dataclass
class Window:
    """For each of WINDOW_FRAMES frames: its place in the store (5 ms frames, fractions between them; −1 is silence),
    its gain (natural log of energy), the pitch (ln Hz) that its recording's voice lies around, and by how much a phrase
    lifts it. At joints also the place of the sound before, which fades: `fade` is its share, `under_gain` its gain less
    the frame's own. Tokens with the first and last output frame where they may be told; none where a teacher tells
    (`is_taught`)."""

    is_raw: bool = False
    is_taught: bool = False
    place: np.ndarray = field(default_factory=_silence)
    gain: np.ndarray = field(default_factory=_zeros)
    centre: np.ndarray = field(default_factory=_zeros)
    lift: np.ndarray = field(default_factory=_zeros)
    under: np.ndarray = field(default_factory=_silence)
    fade: np.ndarray = field(default_factory=_zeros)
    under_gain: np.ndarray = field(default_factory=_zeros)
    tokens: list[int] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    last_end: float = 0.0

    def join(self, at: int, n_frames: int, gain: float) -> None:
        """Lets the sound before `at` go on under the first frames of the next one, whose gain is given."""
        onward = self.place[at - 1] + 2.0 * np.arange(1, n_frames + 1)
        self.under[at : at + n_frames] = np.minimum(onward, self.last_end)
        self.fade[at : at + n_frames] = np.linspace(0.8, 0.2, n_frames)
        self.under_gain[at : at + n_frames] = self.gain[at - 1] - gain

    def intone(self, begin: int, end: int, draw: random.Random) -> None:
        """Lays a falling or rising line over the pitch and the loudness of a phrase."""
        end = min(end, WINDOW_FRAMES)
        if end - begin < 2:
            return
        line = np.linspace(1.0, -1.0, end - begin, dtype=np.float32)
        self.lift[begin:end] += draw.uniform(-0.05, 0.15) * line
        self.gain[begin:end] += draw.uniform(-0.3, 0.8) * line
