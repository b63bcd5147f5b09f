"""Sentences to be spoken: the project's own calls, sentences drawn from a word trigram model, and words of a large
lexicon in a row. Sentences of which a clause is said in recordings that are measured on are left out."""

from __future__ import annotations

import gzip
import json
import math
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import pinyin

_HANZI = re.compile(r"[\u4e00-\u9fff]+")
#: Shorter clauses (好的, 谢谢你) anybody says: only those of so many hanzi tell that a text is known.
_LEAST_CLAUSE = 5


def domain(root: Path) -> list[str]:
    """Lines of models/lm/corpus."""
    lines = [line for path in sorted((root / "models/lm/corpus").glob("*.txt")) for line in _lines(path)]
    return [line for line in dict.fromkeys(lines) if len("".join(_HANZI.findall(line))) > 2]


def clauses(text: str) -> list[str]:
    """What stands between the punctuation of a text, where it is long enough to be known again."""
    return [clause for clause in _HANZI.findall(text) if len(clause) >= _LEAST_CLAUSE]


def measured_on(folders: Iterable[Path]) -> set[str]:
    """Clauses said in the recordings of manifests (`text`, or `turns` with `text`); folders that are not there have
    none."""
    manifests = (folder / "manifest.jsonl" for folder in folders)
    rows = (json.loads(line) for path in manifests if path.exists() for line in _lines(path))
    return {clause for row in rows for turn in row.get("turns", [row]) for clause in clauses(turn["text"])}


def unmeasured(sentences: Iterable[str], measured: set[str]) -> Iterator[str]:
    """Those of the sentences, with or without punctuation, that hold none of the clauses."""
    for sentence in sentences:
        hanzi = "".join(_HANZI.findall(sentence))
        if not any(clause in hanzi for clause in measured):
            yield sentence


def from_trigrams(arpa: Path, count: int, seed: int) -> list[str]:
    """Sentences drawn from an ARPA model in gzip: trigrams first, bigrams where a history has none."""
    follow: dict[tuple[str, ...], tuple[list[str], list[float]]] = {}
    for order, words, log10 in _ngrams(arpa):
        if order > 1 and words[-1] != "<s>":
            choice = follow.setdefault(words[:-1], ([], []))
            choice[0].append(words[-1])
            choice[1].append(10.0**log10)
    draw = random.Random(seed)
    sentences: list[str] = []
    while len(sentences) < count:
        words = ["<s>"]
        while len(words) < 14:
            two, one = follow.get(tuple(words[-2:])), follow.get(tuple(words[-1:]))
            options = two if two and draw.random() < min(0.9, sum(two[1])) else one
            if not options:
                break
            words.append(draw.choices(*options)[0])
            if words[-1] == "</s>":
                break
        sentence = "".join(word for word in words if _HANZI.fullmatch(word))
        if len(sentence) > 3:
            sentences.append(sentence)
    return sentences


def from_lexicon(count: int, seed: int) -> list[str]:
    """Two to six words of jieba's dictionary in a row, frequent ones more often, so that rare syllables come up."""
    import jieba

    words, weights = [], []
    for line in _lines(Path(jieba.__file__).parent / "dict.txt"):
        word, frequency, _ = line.split(" ")
        if _HANZI.fullmatch(word) and len(word) < 5:
            words.append(word)
            weights.append(math.sqrt(float(frequency) + 1))
    draw = random.Random(seed)
    drawn = iter(draw.choices(words, weights, k=count * 6))
    return ["".join(next(drawn) for _ in range(draw.randint(2, 6))) for _ in range(count)]


def write_texts(path: Path, root: Path, arpa: Path, measured: set[str], count: int, seed: int) -> None:
    """One line a sentence: its kind, hanzi and dictionary syllables, as JSON; those that hold a clause of `measured`
    are left out. Done already, it does nothing."""
    if path.exists():
        return
    kinds = {
        "domain": domain(root),
        "trigram": from_trigrams(arpa, count, seed),
        "lexicon": from_lexicon(count, seed + 1),
    }
    rows = []
    for kind, sentences in kinds.items():
        kept = list(unmeasured(sentences, measured))
        print(f"texts: {kind}: {len(sentences) - len(kept)} of {len(sentences)} are measured on, left out", flush=True)
        for sentence in kept:
            hanzi = "".join(_HANZI.findall(sentence))
            syllables = pinyin.read_aloud(hanzi)
            if len(syllables) == len(hanzi) and all(pinyin.split(syllable) for syllable in syllables):
                rows.append(json.dumps([kind, hanzi, syllables], ensure_ascii=False))
    partial = path.with_suffix(".part")
    partial.write_text("\n".join(rows) + "\n")
    partial.rename(path)
    print(f"texts: {len(rows)} sentences", flush=True)


def read_texts(path: Path) -> dict[str, list[tuple[str, list[str]]]]:
    """Hanzi and syllables of the sentences of each kind."""
    kinds: dict[str, list[tuple[str, list[str]]]] = {}
    for line in _lines(path):
        kind, hanzi, syllables = json.loads(line)
        kinds.setdefault(kind, []).append((hanzi, syllables))
    return kinds


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _ngrams(arpa: Path) -> Iterator[tuple[int, tuple[str, ...], float]]:
    """Order, words and log10 probability of each entry."""
    order = 0
    with gzip.open(arpa, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\"):
                order = int(line[1]) if line[1].isdigit() else 0
            elif order and (fields := line.split()):
                yield order, tuple(fields[1 : 1 + order]), float(fields[0])
