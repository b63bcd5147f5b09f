"""Recordings to analyse: single words and syllables of `train-words`, syllables of gcin, phrases of espeak's voices."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from . import espeak, pinyin
from .features import SAMPLE_RATE_HZ
from .units import Recording

_GCIN_TONES = (("", 1), ("2", 2), ("3", 3), ("4", 4), ("1", 5))


def train_words(folder: Path) -> Iterator[Recording]:
    """Each recording of `train-words` whose label is plain hanzi or a Mandarin syllable. The voice is its set:
    `hsk` (words), `syl`, `pin` (single syllables)."""
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        row = json.loads(line)
        hanzi = row["label"] if re.fullmatch(r"[\u4e00-\u9fff]+", row["label"]) else ""
        syllables = pinyin.read_aloud(hanzi) if hanzi else [pinyin.normalise(row["label"])]
        if row["label"].startswith("_") or any(pinyin.split(syllable) is None for syllable in syllables):
            continue
        yield Recording(read_sound(folder / row["file"]), row["set"], hanzi, syllables)


def gcin_syllables(packages: Path, known: Iterable[str]) -> Iterator[Recording]:
    """Those of the known syllables (without tones) that the input method gcin says, in two voices; its folders are
    named in zhuyin, the first tone without a figure and 1 for the neutral one."""
    names = {f"{pinyin.zhuyin(bare)}{mark}": f"{bare}{tone}" for bare in known for mark, tone in _GCIN_TONES}
    for folder in sorted((packages / "gcin-voice/usr/share/gcin-voice/ogg").iterdir()):
        for number in ("3", "5"):
            path = folder / f"{number}.ogg"
            if path.exists() and (syllable := names.get(folder.name)):
                yield Recording(read_sound(path), f"gcin{number}", "", [syllable])


def read_sound(path: Path) -> np.ndarray:
    """Samples at 8 kHz of a sound file of any rate, its first channel."""
    import soundfile
    from scipy.signal import resample_poly

    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    common = math.gcd(rate_hz, SAMPLE_RATE_HZ)
    if rate_hz == SAMPLE_RATE_HZ:
        return samples[:, 0]
    return resample_poly(samples[:, 0], SAMPLE_RATE_HZ // common, rate_hz // common).astype(np.float32)


def espeak_phrases(texts: list[str], hours: float, seed: int) -> Iterator[Recording]:
    """Phrases of 3 to 14 syllables of texts (hanzi alone), in voices drawn for each, until there are so many hours."""
    draw = random.Random(seed)
    synthesiser = espeak.Synthesiser()
    left_secs = hours * 3600
    while left_secs > 0:
        text = draw.choice(texts)
        first = draw.randint(0, max(0, len(text) - 8))
        hanzi = text[first : first + draw.randint(3, 14)]
        syllables = pinyin.read_aloud(hanzi)
        known = all(pinyin.split(syllable) and syllable not in espeak.UNSPEAKABLE for syllable in syllables)
        if len(hanzi) < 2 or not known:
            continue
        voice = espeak.Voice(
            draw.choice(espeak.VARIANTS), draw.randint(150, 300), draw.randint(10, 90), draw.randint(20, 90)
        )
        speech = synthesiser.say(voice, hanzi=hanzi)
        left_secs -= len(speech.samples) / SAMPLE_RATE_HZ
        starts = [timed.start_secs for timed in speech.syllables]
        yield Recording(speech.samples, "espeak", hanzi, syllables, starts)
