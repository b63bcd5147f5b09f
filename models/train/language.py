"""A bigram model of syllables, and the search that uses it.

The file `syllables.lm` is UTF-8 text, as `models/src/ctc/syllables.rs` reads it. Lines that begin with `#` are for
people. `weight`, `bonus` and `less_blank` are the settings of the search. Then syllables, one a line:
its tokens joined by `+`, the natural log of its probability, and the log of the weight with which it backs off;
indented under it the syllables that may follow it: tokens and log probability. What follows and is not listed has the
first one's back-off plus its own log probability. `<s>` begins an utterance.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import pinyin

BEGIN = "<s>"
#: What absolute discounting (Ney et al. 1994) takes from each count.
_DISCOUNT = 0.75
_SETTINGS = ("weight", "bonus", "less_blank")


@dataclass
class Bigrams:
    """Natural logs of probabilities and of back-off weights. Of the search: `weight` is the model's, `bonus` is given
    for each syllable, `less_blank` taken from the blank's log probability (where voices are new the network doubts, and
    doubt says nothing); chosen on zh-dev."""

    alone: dict[str, float] = field(default_factory=dict)
    back_off: dict[str, float] = field(default_factory=dict)
    follow: dict[str, dict[str, float]] = field(default_factory=dict)
    weight: float = 0.5
    bonus: float = 2.0
    less_blank: float = 1.0

    def log_prob(self, before: str, syllable: str) -> float:
        """Of a syllable behind another one; any legal syllable has some."""
        listed = self.follow.get(before, {}).get(syllable)
        if listed is not None:
            return listed
        return self.back_off.get(before, 0.0) + self.alone.get(syllable, -14.0)


def count(sentences: Iterable[tuple[float, Sequence[str]]], n_pairs: int) -> Bigrams:
    """Model of weighted sentences with the `n_pairs` pairs that tell most beyond their single syllables."""
    singles: Counter[str] = Counter()
    pairs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for weight, syllables in sentences:
        for before, syllable in zip([BEGIN, *syllables], syllables, strict=False):
            singles[syllable] += weight
            pairs[before][syllable] += weight
    legal = {f"{syllable[:-1]}{tone}" for syllable in singles for tone in (1, 2, 3, 4, 5)}
    total = sum(singles.values()) + 0.05 * len(legal)
    model = Bigrams({syllable: math.log((singles[syllable] + 0.05) / total) for syllable in sorted(legal)})
    found = []
    for before, after in pairs.items():
        whole = sum(after.values())
        for syllable, times in after.items():
            share = max(times - _DISCOUNT, 0.0) / whole
            if share > 0:
                gain = times * (math.log(share) - model.alone[syllable])
                found.append((gain, before, syllable, share))
    found.sort(reverse=True)
    for _, before, syllable, share in found[:n_pairs]:
        model.follow.setdefault(before, {})[syllable] = share
    for before, after in model.follow.items():
        left = max(1.0 - sum(after.values()), 1e-4)
        for syllable in after:
            after[syllable] = math.log(after[syllable] + left * math.exp(model.alone[syllable]))
        model.back_off[before] = math.log(left)
    return model


def write(model: Bigrams, path: Path) -> None:
    """The model as text, two decimals."""
    lines = ["# Bigrams of syllables for the search: models/train/language.py says what is what."]
    lines += [f"{name} {getattr(model, name)}" for name in _SETTINGS]
    for before in [BEGIN, *model.alone]:
        lines.append(f"{_joined(before)} {model.alone.get(before, 0.0):.2f} {model.back_off.get(before, 0.0):.2f}")
        after = sorted(model.follow.get(before, {}).items())
        lines += [f" {_joined(syllable)} {score:.2f}" for syllable, score in after]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(path: Path) -> Bigrams:
    """The model of a file."""
    model, before = Bigrams(), BEGIN
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if line.startswith("#"):
            continue
        if fields[0] in _SETTINGS:
            setattr(model, fields[0], float(fields[1]))
            continue
        syllable = _parted(fields[0])
        if line.startswith(" "):
            model.follow.setdefault(before, {})[syllable] = float(fields[1])
            continue
        before = syllable
        if before != BEGIN:
            model.alone[before] = float(fields[1])
        model.back_off[before] = float(fields[2])
    return model


def _joined(syllable: str) -> str:
    return syllable if syllable == BEGIN else "+".join(pinyin.tokens_of(syllable) or [])


def _parted(tokens: str) -> str:
    return tokens if tokens == BEGIN else pinyin.syllables_of(tokens.split("+"))[0]


@dataclass(frozen=True)
class Search:
    """Prefix beam search over CTC (Hannun et al. 2014): only tokens that go on to a legal syllable; a finished syllable
    pays the model. Of a frame only the `most` likeliest tokens above `least` open prefixes, as in
    `models/src/ctc/prefix.rs`."""

    model: Bigrams
    beam: int = 8
    least: float = -6.0
    most: int = 12

    def __call__(self, log_probs: np.ndarray) -> list[str]:
        """Syllables of log probabilities [T, V]."""
        table = pinyin.token_table()
        #: Prefix (syllables, initial told) → log probability with and without a blank last, model's score, last token.
        beams: dict[tuple[tuple[str, ...], str], list[float]] = {((), ""): [0.0, -math.inf, 0.0, 0]}
        for frame in log_probs:
            order = np.argsort(-frame[1:], kind="stable")[: self.most] + 1
            likely = [int(token) for token in order if frame[token] > self.least]
            grown: dict[tuple[tuple[str, ...], str], list[float]] = {}
            for (syllables, initial), (blank, sound, score, last) in beams.items():
                either = _add(blank, sound)
                silent = either + float(frame[0]) - self.model.less_blank
                self._put(grown, (syllables, initial), silent, -math.inf, score, last)
                if last:
                    stays = sound + float(frame[int(last)])
                    self._put(grown, (syllables, initial), -math.inf, stays, score, last)
                for token in likely:
                    source = blank if token == last else either
                    if source == -math.inf:
                        continue
                    text, told = table[token], source + float(frame[token])
                    if token <= len(pinyin.INITIALS):
                        if not initial:
                            self._put(grown, (syllables, text), -math.inf, told, score, token)
                        continue
                    syllable = f"{initial}{pinyin.toneless(text)}{pinyin.tone_of(text)}"
                    if syllable in self.model.alone:
                        before = syllables[-1] if syllables else BEGIN
                        paid = score + self.model.weight * self.model.log_prob(before, syllable) + self.model.bonus
                        self._put(grown, ((*syllables, syllable), ""), -math.inf, told, paid, token)
            ranked = sorted(grown.items(), key=lambda item: -(_add(item[1][0], item[1][1]) + item[1][2]))
            beams = dict(ranked[: self.beam])
        return list(next(iter(beams))[0])

    @staticmethod
    def _put(grown: dict, key: tuple, blank: float, sound: float, score: float, last: float) -> None:
        found = grown.get(key)
        if found is None:
            grown[key] = [blank, sound, score, last]
            return
        found[0], found[1] = _add(found[0], blank), _add(found[1], sound)


def _add(one: float, other: float) -> float:
    """Log of the sum of two probabilities given as logs."""
    high, low = max(one, other), min(one, other)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
