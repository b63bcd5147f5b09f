"""Utterances put together from units: which frames of the store sound when, and what they say.

Isolated words are two to three times slower than speech on the telephone, so units are compressed along their clock;
third tones are halved before others and sandhi is spoken, while labels stay the dictionary's.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from . import pinyin
from .features import N_MELS
from .model import STRIDE
from .units import N_POINTS, TAUGHT_FRAMES, Store, Unit
from .windows import DELAY, WINDOW_FRAMES, Window

_FRAMES_PER_SEC = 100
#: A token may be told this many output frames before the teacher told it, and twice DELAY after.
SLACK = 4
#: Voices of words and syllables.
WORDS = ("hsk", "syl", "pin", "gcin3", "gcin5")
#: Voices whose recordings are phrases, each by whoever speaks it.
PHRASES = ("espeak", "speech")


@dataclass(frozen=True)
class Style:
    """How a window is spoken: `share` of all windows, seconds a syllable, share of windows that keep the recording's
    own pitch (`raw_prob`), seconds between words; `natural` words last as long as they were recorded."""

    voices: tuple[str, ...]
    share: float
    syllable_secs: tuple[float, float]
    raw_prob: float
    gap_secs: tuple[float, float] = (0.0, 0.0)
    natural: bool = False


STYLES = (
    Style(("hsk",), 0.10, (0.17, 0.42), 0.3),
    Style(("hsk",), 0.13, (0.40, 0.50), 0.7, (0.0, 0.12), natural=True),
    Style(("syl",), 0.05, (0.19, 0.42), 0.3),
    Style(("pin",), 0.05, (0.19, 0.42), 0.3),
    Style(("gcin3",), 0.05, (0.19, 0.42), 0.3),
    Style(("gcin5",), 0.05, (0.19, 0.42), 0.3),
    Style(WORDS, 0.07, (0.17, 0.40), 0.2),
    Style(("espeak",), 0.20, (0.0, 0.0), 0.7),
    Style(("speech",), 0.30, (0.0, 0.0), 0.4),
)


class Composer:
    """Makes windows out of a store and texts; the same draw gives the same window."""

    def __init__(self, store: Store, texts: dict[str, list[tuple[str, list[str]]]]) -> None:
        self._store, self._texts = store, texts
        self._ids = {token: number for number, token in enumerate(pinyin.token_table())}
        self._words: dict[str, Unit] = {}
        self._syllables: dict[str, dict[str, list[Unit]]] = defaultdict(lambda: defaultdict(list))
        self._phrases: dict[str, list[Unit]] = {voice: [] for voice in PHRASES}
        self._level, self._centre = _levels(store), _centres(store)
        known = {unit.voice for unit in store.units}
        self._styles = [style for style in STYLES if known.intersection(style.voices)]
        for unit in store.units:
            if unit.voice in PHRASES:
                self._phrases[unit.voice].append(unit)
            elif len(unit.syllables) == 1:
                self._syllables[unit.voice][unit.syllables[0]].append(unit)
            else:
                self._words[unit.hanzi] = unit

    def window(self, draw: random.Random) -> Window:
        """One window of speech with pauses."""
        style = draw.choices(self._styles, [style.share for style in self._styles])[0]
        window = Window(is_raw=draw.random() < style.raw_prob)
        if style.voices == ("speech",):
            return self._overheard(window, draw)
        at = draw.uniform(0.05, 0.8) * _FRAMES_PER_SEC
        while at < WINDOW_FRAMES - 40:
            begun = at
            pieces = self._pieces(style, draw)
            pace = draw.uniform(*style.syllable_secs)
            for index, (unit, labels) in enumerate(pieces):
                frames = self._frames(
                    unit, len(labels), pace * (1.25 if index + 1 == len(pieces) else 1.0), style, draw
                )
                if at + frames > WINDOW_FRAMES - STRIDE * DELAY:
                    return window
                self._place(window, unit, labels, round(at), frames, index + 1 == len(pieces), style, draw)
                at += frames + draw.uniform(*style.gap_secs) * _FRAMES_PER_SEC
            window.intone(int(begun), int(at), draw)
            at += draw.choice([draw.uniform(0.04, 0.3), draw.uniform(0.2, 1.0)]) * _FRAMES_PER_SEC
        return window

    def _overheard(self, window: Window, draw: random.Random) -> Window:
        """Stretches of real speech, one after another; what they say the teacher knows."""
        window.is_taught = True
        at = draw.randint(0, 30)
        while at < WINDOW_FRAMES - 80:
            unit = draw.choice(self._phrases["speech"])
            step = 2 * draw.uniform(0.93, 1.18)
            spare = unit.n_frames - int(step * WINDOW_FRAMES)
            begin = draw.randint(0, spare) if spare > 0 else 0
            frames = min(int((unit.n_frames - begin) / step), WINDOW_FRAMES - 2 * DELAY * STRIDE - at)
            window.place[at : at + frames] = unit.first + begin + step * np.arange(frames)
            window.gain[at : at + frames] = -self._level[unit.first] + draw.gauss(0.0, 0.6)
            window.centre[at : at + frames] = self._centre[unit.first]
            self._note(window, at, frames, step, draw)
            at += frames + draw.choice([0, draw.randint(5, 30), draw.randint(20, 120)])
        return window

    def _note(self, window: Window, at: int, frames: int, step: float, draw: random.Random) -> None:
        """Writes down the tokens that the teacher heard in so many frames, each drawn by the teacher's shares, so that
        its doubts are learnt too."""
        heard, begin = self._store.heard, window.place[at]
        for row in range(math.ceil(begin / TAUGHT_FRAMES), int(window.place[at + frames - 1] / TAUGHT_FRAMES)):
            if heard.begins[row] > 0.5:
                frame = int((at + ((row + 0.5) * TAUGHT_FRAMES - begin) / step) / STRIDE)
                window.tokens += draw.choices(heard.tokens[row].tolist(), heard.shares[row].tolist())
                window.spans.append((max(frame - SLACK, 0), frame + 2 * DELAY))

    def _pieces(self, style: Style, draw: random.Random) -> list[tuple[Unit, list[str]]]:
        """Units of one phrase and the syllables that they stand for."""
        if style.voices == ("espeak",):
            unit = draw.choice(self._phrases["espeak"])
            return [(unit, unit.syllables)]
        while True:
            kind = draw.choices(["domain", "trigram", "lexicon"], [0.35, 0.35, 0.3])[0]
            hanzi, labels = draw.choice(self._texts.get(kind) or self._texts["domain"])
            length = draw.randint(2, 14)
            first = draw.randint(0, max(0, len(hanzi) - length))
            hanzi, labels = hanzi[first : first + length], labels[first : first + length]
            pieces = self._cut(hanzi, labels, style, draw)
            if pieces:
                return pieces

    def _cut(self, hanzi: str, labels: list[str], style: Style, draw: random.Random) -> list[tuple[Unit, list[str]]]:
        """Longest words first where the voice has words, else syllable by syllable; empty where a sound is nowhere."""
        spoken = pinyin.sandhi(hanzi, labels)
        pieces, at = [], 0
        while at < len(hanzi):
            voice = draw.choice(style.voices)
            length = 1
            if voice == "hsk":
                length = next((n for n in (4, 3, 2) if at + n <= len(hanzi) and hanzi[at : at + n] in self._words), 1)
            if length > 1:
                unit = self._words[hanzi[at : at + length]]
                pieces.append((unit, unit.syllables))
            else:
                unit = self._sound(voice, spoken[at], draw)
                if unit is None:
                    return []
                pieces.append((unit, [labels[at]]))
            at += length
        return pieces

    def _sound(self, voice: str, syllable: str, draw: random.Random) -> Unit | None:
        others = [other for other in WORDS if other != voice]
        for wanted in (syllable, syllable[:-1] + "4" if syllable.endswith("5") else syllable):
            for name in [voice, *draw.sample(others, len(others))]:
                if found := self._syllables[name].get(wanted):
                    return draw.choice(found)
        return None

    def _frames(self, unit: Unit, count: int, pace: float, style: Style, draw: random.Random) -> int:
        """How long a unit sounds, in frames: at its pace, never longer than it is."""
        own = unit.n_frames / 2
        if unit.voice == "espeak":
            return round(own * draw.uniform(0.75, 1.15))
        if style.natural:
            return round(own * draw.uniform(0.85, 1.05))
        wanted = sum(pace * draw.lognormvariate(0.0, 0.2) for _ in range(count)) * _FRAMES_PER_SEC
        if unit.syllables[-1].endswith("5"):
            wanted *= 0.8
        return max(round(min(wanted, own)), 7 * count)

    def _place(
        self,
        window: Window,
        unit: Unit,
        labels: list[str],
        at: int,
        frames: int,
        is_last: bool,
        style: Style,
        draw: random.Random,
    ) -> None:
        """Writes a unit of so many frames into the window."""
        clock = self._store.change[unit.first : unit.first + unit.n_frames]
        begin, end, bend = 0.0, 1.0, 0.0
        if unit.voice != "espeak" and not style.natural:
            begin, end = draw.uniform(0.0, 0.04), 1.0 - draw.uniform(0.0, 0.10)
            bend = draw.uniform(0.3, 1.0)
            if len(labels) == 1 and labels[0].endswith("3") and not is_last:
                end *= draw.uniform(0.6, 0.8)
        share = np.linspace(begin, end, frames, dtype=np.float32)
        steady = share * (unit.n_frames - 1)
        moved = np.interp(share, clock, np.arange(unit.n_frames, dtype=np.float32)) if bend else steady
        source = (bend * moved + (1 - bend) * steady).clip(0, unit.n_frames - 1.001)
        gain = -self._level[unit.first] + draw.gauss(0.0, 0.6)
        if at and window.place[at - 1] >= 0 and not style.natural:
            window.join(at, draw.randint(0, min(5, frames)), gain)
        window.place[at : at + frames] = unit.first + source
        window.gain[at : at + frames] = gain
        window.last_end = unit.first + unit.n_frames - 1.0
        window.centre[at : at + frames] = self._centre[unit.first]
        bounds = np.interp(unit.bounds, source, np.arange(frames)) + at
        loose = 0.0 if unit.voice == "espeak" or len(labels) == 1 else 0.4
        for index, syllable in enumerate(labels):
            slack = loose * (bounds[index + 1] - bounds[index])
            span = (
                int((bounds[index] - slack) / STRIDE),
                min(int((bounds[index + 1] + slack) / STRIDE) + DELAY, WINDOW_FRAMES // STRIDE - 1),
            )
            for token in pinyin.tokens_of(syllable) or []:
                window.tokens.append(self._ids[token])
                window.spans.append(span)


def _levels(store: Store) -> dict[int, float]:
    """Mean energy of each unit, natural log, by its first frame."""
    energy = np.exp(store.frames[:, :N_MELS].astype(np.float32)).sum(axis=1)
    return {unit.first: float(np.log(energy[unit.first : unit.first + unit.n_frames].mean())) for unit in store.units}


def _centres(store: Store) -> dict[int, float]:
    """Pitch (ln Hz) that the voice of a unit lies around, by the unit's first frame: of all recordings of a speaker, so
    that tones keep their height; of the phrase itself where each has a voice of its own."""
    pitch = store.frames[:, N_MELS + N_POINTS].astype(np.float32)
    logs = np.log(np.where(pitch > 0, pitch, 1.0))
    centres: dict[int, float] = {}
    voices: dict[str, list[float]] = defaultdict(list)
    for unit in store.units:
        part = logs[unit.first : unit.first + unit.n_frames]
        centres[unit.first] = float(part[part > 0].mean()) if (part > 0).any() else 5.3
        voices[unit.voice].append(centres[unit.first])
    shared = {voice: float(np.mean(values)) for voice, values in voices.items() if voice not in PHRASES}
    return {unit.first: shared.get(unit.voice, centres[unit.first]) for unit in store.units}
