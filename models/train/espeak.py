"""Speech by espeak-ng (`cmn-latn-pinyin`): a turn of text in, samples at 8 kHz and the time of each syllable out.

The library and its data come in the PyPI wheel `espeakng-loader`; nothing is installed into the system. The same
calls in the same order give the same samples. Used for training data and for recordings of fixtures.

    voice = Voice(variant="f2", words_per_minute=170, pitch=45, pitch_range=60)
    speech = Synthesiser().say(voice, hanzi="您好，请问是王先生吗")
    speech.samples, speech.syllables        # float32 at 8 kHz; [Timed("nin2", 0.05, 0.21), ...]
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from . import pinyin

#: Variants that sound like people; the wheel's others are robots, whispers and jokes. Not `rob`: where its low voice is
#: given a wide range of pitch, espeak divides by zero, and the process dies.
VARIANTS = (
    "Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael Mike Nguyen "
    "Reed adam anika antonio aunty belinda benjamin boris caleb david ed edward edward2 f1 f2 f3 f4 f5 grandma "
    "grandpa gustave ian iven iven2 iven3 iven4 john kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 linda m1 m2 "
    "m3 m4 m5 m6 m7 m8 marcelo max michel miguel mike2 norbert pablo paul pedro quincy robert sandro shelby "
    "steph steph2 steph3 travis victor zac"
).split()
#: Syllables that `cmn-latn-pinyin` reads as English words.
UNSPEAKABLE = frozenset(f"{bare}{tone}" for bare in ("jiong", "qiong", "xiong") for tone in "12345")
_LANGUAGE = "cmn-latn-pinyin"
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_WORD, _END, _PAUSES = 1, 5, re.compile(r"[^\u4e00-\u9fff]+")


@dataclass(frozen=True)
class Voice:
    """Who speaks. Words a minute as espeak counts them (a syllable is a word: 170 is about 4 syllables a second);
    pitch and its range in 0 to 100."""

    variant: str = "m3"
    words_per_minute: int = 170
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True)
class Timed:
    """A dictionary syllable and where it sounds, seconds from the first sample."""

    syllable: str
    start_secs: float
    end_secs: float


@dataclass(frozen=True)
class Speech:
    """Samples in −1 to 1 at 8 kHz, and what they say."""

    samples: np.ndarray
    syllables: list[Timed]


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Synthesiser:
    """espeak-ng, opened once for a process: the library keeps its state in globals."""

    def __init__(self) -> None:
        self._library, self._rate_hz = _open()
        self._pieces: list[np.ndarray] = []
        self._words: list[tuple[int, int]] = []
        self._callback = _CALLBACK(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, voice: Voice, hanzi: str = "", syllables: Sequence[str] = ()) -> Speech:
        """One turn, from hanzi (punctuation makes pauses) or from dictionary syllables (`["ni3", "hao3"]`); tones are
        changed as speech changes them, the times carry the dictionary's.

        Raises ValueError where espeak has no such variant, or no such syllable (`UNSPEAKABLE`)."""
        clauses = _clauses(hanzi, syllables)
        unknown = UNSPEAKABLE.intersection(label for labels, _ in clauses for label in labels)
        if unknown:
            raise ValueError(f"espeak cannot say `{' '.join(sorted(unknown))}`")
        text, spoken_at = "", []
        for labels, spoken in clauses:
            for label, syllable in zip(labels, spoken, strict=True):
                spoken_at.append((len(text), label))
                text += syllable + " "
            text = text.rstrip() + ", "
        self._pieces, self._words = [], []
        # Breath is drawn at random, from the clock unless it is told otherwise.
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        name = f"{_LANGUAGE}+{voice.variant}".encode()
        if self._library.espeak_SetVoiceByName(name) != 0:
            raise ValueError(f"espeak has no voice `{name.decode()}`")
        settings = {_RATE: voice.words_per_minute, _PITCH: voice.pitch, _RANGE: voice.pitch_range, _VOLUME: 90}
        for parameter, value in settings.items():
            self._library.espeak_SetParameter(parameter, int(value), 0)
        encoded = text.rstrip(", ").encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, 1, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate(self._pieces or [np.zeros(0, np.int16)]).astype(np.float32) / 32768.0
        return self._timed(samples, spoken_at)

    def _receive(self, wave: object, n_samples: int, events: object) -> int:
        if wave and n_samples > 0:
            self._pieces.append(np.ctypeslib.as_array(wave, (n_samples,)).copy())
        at = 0
        while events[at].type != 0:
            if events[at].type == _WORD:
                self._words.append((events[at].text_position - 1, events[at].audio_position))
            at += 1
        return 0

    def _timed(self, samples: np.ndarray, spoken_at: list[tuple[int, str]]) -> Speech:
        """Word events name characters of the text; a syllable lasts until the next one, at most 0.6 s."""
        from scipy.signal import resample_poly

        starts = dict(self._words)
        total_secs = len(samples) / self._rate_hz
        begins = [starts.get(position, -1) / 1000 for position, _ in spoken_at] + [total_secs]
        timed = []
        for at, (_, label) in enumerate(spoken_at):
            end = min(next((time for time in begins[at + 1 :] if time >= 0), total_secs), begins[at] + 0.6)
            timed.append(Timed(label, begins[at], end))
        samples = resample_poly(samples, 160, 441).clip(-1.0, 1.0).astype(np.float32)
        if any(syllable.start_secs < 0 for syllable in timed):
            raise RuntimeError("espeak gave no time for a syllable")
        return Speech(samples, timed)


def _clauses(hanzi: str, syllables: Sequence[str]) -> list[tuple[list[str], list[str]]]:
    """Dictionary and spoken syllables of each clause."""
    if not hanzi:
        return [(list(syllables), pinyin.sandhi("", list(syllables)))]
    parts = [part for part in _PAUSES.split(hanzi) if part]
    read = [(part, pinyin.read_aloud(part)) for part in parts]
    return [(labels, pinyin.sandhi(part, labels)) for part, labels in read]


@functools.cache
def _open() -> tuple[ctypes.CDLL, int]:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate_hz = library.espeak_Initialize(1, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate_hz != 22050:
        raise RuntimeError(f"espeak-ng opens at 22,050 Hz, got `{rate_hz}`")
    return library, rate_hz
