"""Syllable errors of a model on recordings with transcripts: dictionary syllables, edit distance."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import espeak, pinyin
from .features import SAMPLE_RATE_HZ, log_mel

#: Silence before and behind a recording: an endpointer's pad, and what the model's delay needs.
_PAD_SECS = 0.4


@dataclass
class Score:
    """Sums over recordings; errors in percent."""

    n_syllables: int = 0
    n_toned: int = 0
    n_toneless: int = 0

    def add(self, reference: Sequence[str], heard: Sequence[str]) -> None:
        """Counts one recording."""
        self.n_syllables += len(reference)
        self.n_toned += edit_distance(reference, heard)
        bare = [[syllable[:-1] for syllable in row] for row in (reference, heard)]
        self.n_toneless += edit_distance(*bare)

    def toneless(self) -> float:
        """Toneless syllable error, percent."""
        return 100 * self.n_toneless / max(self.n_syllables, 1)

    def toned(self) -> float:
        """Toned syllable error, percent."""
        return 100 * self.n_toned / max(self.n_syllables, 1)

    def __str__(self) -> str:
        return f"toneless {self.toneless():.1f}% toned {self.toned():.1f}% over {self.n_syllables} syllables"


@dataclass(frozen=True)
class Spoken:
    """Features [T, N_MELS] of a recording and the syllables said in it."""

    features: np.ndarray
    syllables: list[str]


#: From features [B, T, N_MELS], T a multiple of the chunk, to log probabilities [B, T / stride, V].
Hearing = Callable[[np.ndarray], np.ndarray]


def edit_distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """Least insertions, deletions and substitutions."""
    row = list(range(len(heard) + 1))
    for count, wanted in enumerate(reference, 1):
        above, row[0] = row[0], count
        for at, found in enumerate(heard, 1):
            above, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, above + (wanted != found))
    return row[-1]


def greedy(log_probs: np.ndarray) -> list[tuple[int, int]]:
    """Best token of each frame [T, V], repeats and blanks dropped: token and the frame where it begins."""
    best = log_probs.argmax(axis=1)
    changed = np.flatnonzero(np.diff(best, prepend=-1) != 0)
    return [(int(best[at]), int(at)) for at in changed if best[at] != 0]


def best_row(log_probs: np.ndarray) -> list[str]:
    """Syllables of the best token of each frame."""
    table = pinyin.token_table()
    return pinyin.syllables_of([table[token] for token, _ in greedy(log_probs)])


def hear(
    hearing: Hearing,
    spoken: Sequence[Spoken],
    chunk_frames: int,
    search: Callable[[np.ndarray], list[str]] = best_row,
) -> Score:
    """Error over recordings, those of like length together; `search` turns log probabilities [T, V] into syllables."""
    score = Score()
    order = sorted(range(len(spoken)), key=lambda index: len(spoken[index].features))
    for first in range(0, len(order), 16):
        batch = [spoken[index] for index in order[first : first + 16]]
        longest = max(len(one.features) for one in batch)
        longest += -longest % chunk_frames
        features = np.stack([_lengthen(one.features, longest) for one in batch])
        for one, log_probs in zip(batch, hearing(features), strict=True):
            score.add(one.syllables, search(log_probs))
    return score


def read_sentences(folder: Path) -> list[Spoken]:
    """Recordings of a manifest with `file` and `text`; texts with letters or digits are left out."""
    import soundfile

    spoken = []
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        if any(letter.isascii() and letter.isalnum() for letter in row["text"]):
            continue
        samples, rate_hz = soundfile.read(folder / row["file"], dtype="float32")
        assert rate_hz == SAMPLE_RATE_HZ, row["file"]
        spoken.append(Spoken(padded_features(samples), pinyin.read_aloud(row["text"])))
    return spoken


def read_calls(folder: Path) -> list[Spoken]:
    """Turns of stereo calls, the agent on the left, each heard by itself."""
    import soundfile

    spoken = []
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        samples, rate_hz = soundfile.read(folder / row["file"], dtype="float32")
        for turn in row["turns"]:
            channel = 0 if turn["role"] == "agent" else 1
            part = samples[int(turn["start"] * rate_hz) : int(turn["end"] * rate_hz), channel]
            spoken.append(Spoken(padded_features(part), pinyin.read_aloud(turn["text"])))
    return spoken


def synthesised(sentences: Sequence[str], seed: int) -> list[Spoken]:
    """Sentences said by espeak in voices drawn for each, through µ-law."""
    draw, synthesiser, spoken = random.Random(seed), espeak.Synthesiser(), []
    for sentence in sentences:
        syllables = pinyin.read_aloud(sentence)
        if not syllables or any(s in espeak.UNSPEAKABLE or not pinyin.split(s) for s in syllables):
            continue
        voice = espeak.Voice(draw.choice(espeak.VARIANTS), draw.randint(160, 230), draw.randint(25, 75), 50)
        samples = synthesiser.say(voice, hanzi=sentence).samples * 0.5
        squeezed = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
        squeezed = np.round(squeezed * 127) / 127
        samples = np.sign(squeezed) * np.expm1(np.abs(squeezed) * np.log(256)) / 255
        spoken.append(Spoken(padded_features(samples.astype(np.float32)), syllables))
    return spoken


def padded_features(samples: np.ndarray) -> np.ndarray:
    """Features with the recording's own kind of silence around it: its quietest stretch, repeated."""
    pad = int(_PAD_SECS * SAMPLE_RATE_HZ)
    piece = SAMPLE_RATE_HZ // 20
    starts = range(0, max(len(samples) - piece, 1), piece)
    quiet = min(starts, key=lambda start: float((samples[start : start + piece] ** 2).sum()))
    silence = np.resize(samples[quiet : quiet + piece], pad)
    return log_mel(np.concatenate([silence, samples, silence]))


def _lengthen(features: np.ndarray, n_frames: int) -> np.ndarray:
    missing = n_frames - len(features)
    return np.concatenate([features, np.repeat(features[-1:], missing, axis=0)])
