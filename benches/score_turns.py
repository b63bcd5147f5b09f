#!/usr/bin/env python3
"""Scores whole calls against labelled turns: are the turns found, the syllables right, the word times true?

    python3 benches/score_turns.py MANIFEST_DIR JSON_DIR [--tolerance-ms 300] [--json]

MANIFEST_DIR holds manifest.jsonl, one call a line: `file`, `turns` of `role`, `start`, `end` (seconds), `text` and
`words` ([word, start, end]). JSON_DIR holds what `auricle analyze --out` wrote. Needs nothing but the standard
library; syllables are scored where pypinyin can be imported.

Turns       start found: an utterance of the same party starts within the tolerance of the turn's start; end found: one
            ends within it of the turn's end. Both: start and end found. Whole: by one and the same utterance.
Extra       utterances that start no turn: those inside of a turn split it, the others lie where nobody speaks.
Syllables   edit distance between a party's utterances, all in order, and the readings of its turns' texts. Turns with
            digits or Latin letters have no certain reading: they are left out, with the utterances over them.
Word times  of the words whose hanzi were all recognised, where the recogniser cut the words at the same place.
"""

import argparse
import json
import pathlib
import re
import statistics
import sys

try:
    from pypinyin import Style, lazy_pinyin
except ImportError:  # everything else is scored without it
    lazy_pinyin = None

NO_CERTAIN_READING = re.compile("[A-Za-z0-9]")
NOT_HANZI = re.compile(r"[^\u4e00-\u9fff]")


def align(reference, heard):
    """Edit alignment: the distance, and pairs of indices that stand for each other (equal or not)."""
    rows = [list(range(len(heard) + 1))]
    for i, wanted in enumerate(reference, 1):
        row = [i]
        for j, found in enumerate(heard, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (wanted != found)))
        rows.append(row)
    pairs, i, j = [], len(reference), len(heard)
    while i and j:
        if rows[i][j] == rows[i - 1][j - 1] + (reference[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return rows[-1][-1], pairs[::-1]


def readings(text):
    """The syllables of a text, as `analyze` writes them: numbered, v for ü, 5 for the neutral tone."""
    hanzi = NOT_HANZI.sub("", text)
    spelled = lazy_pinyin(hanzi, style=Style.TONE3, neutral_tone_with_five=True)
    return [syllable.replace("ü", "v") for syllable in spelled]


def toneless(syllables):
    return [syllable.rstrip("12345") for syllable in syllables]


def ms(secs):
    return round(secs * 1000)


def overlaps(utterance, turn):
    middle = (utterance["start_ms"] + utterance["end_ms"]) / 2
    return ms(turn["start"]) <= middle <= ms(turn["end"])


class Figures:
    def __init__(self, tolerance_ms):
        self.tolerance_ms = tolerance_ms
        self.n_turns = self.n_starts = self.n_ends = self.n_both = self.n_whole = 0
        self.n_splitting = self.n_elsewhere = 0
        self.n_syllables = self.n_wrong_toneless = self.n_wrong_toned = 0
        self.n_left_out = 0
        self.start_errors_ms, self.end_errors_ms = [], []
        self.n_words = 0
        self.missing = []

    def near(self, a_ms, b_ms):
        return abs(a_ms - b_ms) <= self.tolerance_ms

    def add_turns(self, turns, utterances):
        for turn in turns:
            starts = [self.near(u["start_ms"], ms(turn["start"])) for u in utterances]
            ends = [self.near(u["end_ms"], ms(turn["end"])) for u in utterances]
            self.n_turns += 1
            self.n_starts += any(starts)
            self.n_ends += any(ends)
            self.n_both += any(starts) and any(ends)
            self.n_whole += any(start and end for start, end in zip(starts, ends))
        for utterance in utterances:
            if any(self.near(utterance["start_ms"], ms(turn["start"])) for turn in turns):
                continue
            if any(overlaps(utterance, turn) for turn in turns):
                self.n_splitting += 1
            else:
                self.n_elsewhere += 1

    def add_syllables(self, turns, utterances):
        unsure = [turn for turn in turns if NO_CERTAIN_READING.search(turn["text"])]
        self.n_left_out += len(unsure)
        wanted = [s for turn in turns if turn not in unsure for s in readings(turn["text"])]
        heard = [
            syllable["s"].replace("ü", "v")
            for utterance in utterances
            if not any(overlaps(utterance, turn) for turn in unsure)
            for syllable in utterance.get("syllables") or []
        ]
        self.n_syllables += len(wanted)
        self.n_wrong_toned += align(wanted, heard)[0]
        self.n_wrong_toneless += align(toneless(wanted), toneless(heard))[0]

    def add_word_times(self, turns, utterances):
        def characters(words):
            """Each character with its word's index and whether it begins and ends it."""
            return [
                (character, word, at == 0, at == len(text) - 1)
                for word, (text, _, _) in enumerate(words)
                for at, character in enumerate(text)
            ]

        wanted = [(w, ms(start), ms(end)) for turn in turns for w, start, end in turn.get("words") or []]
        heard = [(w["w"], w["start_ms"], w["end_ms"]) for u in utterances for w in u.get("words") or []]
        self.n_words += len(wanted)
        left, right = characters(wanted), characters(heard)
        _, pairs = align([c[0] for c in left], [c[0] for c in right])
        partner = {i: j for i, j in pairs if left[i][0] == right[j][0]}
        recognised = {}
        for i, character in enumerate(left):
            recognised[character[1]] = recognised.get(character[1], True) and i in partner
        for i, j in partner.items():
            (_, word, begins, ends), (_, other, other_begins, other_ends) = left[i], right[j]
            if recognised[word] and begins and other_begins:
                self.start_errors_ms.append(heard[other][1] - wanted[word][1])
            if recognised[word] and ends and other_ends:
                self.end_errors_ms.append(heard[other][2] - wanted[word][2])

    def add_call(self, call, transcript):
        for role in sorted({turn["role"] for turn in call["turns"]}):
            turns = [turn for turn in call["turns"] if turn["role"] == role]
            utterances = [u for u in transcript["utterances"] if u["party"] == role]
            utterances.sort(key=lambda u: u["start_ms"])
            self.add_turns(turns, utterances)
            if lazy_pinyin:
                self.add_syllables(turns, utterances)
            self.add_word_times(turns, utterances)

    def result(self):
        def percent(part, whole):
            return round(100 * part / whole, 1) if whole else None

        def spread(errors_ms):
            if not errors_ms:
                return None
            ordered = sorted(map(abs, errors_ms))
            p90_ms = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
            return {
                "n": len(ordered),
                "median_ms": statistics.median(ordered),
                "p90_ms": p90_ms,
                "late_ms": statistics.median(errors_ms),
            }

        return {
            "turns": self.n_turns,
            "starts_found_percent": percent(self.n_starts, self.n_turns),
            "ends_found_percent": percent(self.n_ends, self.n_turns),
            "both_found_percent": percent(self.n_both, self.n_turns),
            "whole_percent": percent(self.n_whole, self.n_turns),
            "extra_splitting": self.n_splitting,
            "extra_elsewhere": self.n_elsewhere,
            "syllables": self.n_syllables,
            "toneless_error_percent": percent(self.n_wrong_toneless, self.n_syllables),
            "toned_error_percent": percent(self.n_wrong_toned, self.n_syllables),
            "turns_without_certain_reading": self.n_left_out,
            "words": self.n_words,
            "word_start_error": spread(self.start_errors_ms),
            "word_end_error": spread(self.end_errors_ms),
            "missing": self.missing,
        }


def score(manifest_dir, json_dir, tolerance_ms=300):
    figures = Figures(tolerance_ms)
    for line in (pathlib.Path(manifest_dir) / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        call = json.loads(line)
        path = pathlib.Path(json_dir) / (pathlib.Path(call["file"]).stem + ".json")
        if path.exists():
            figures.add_call(call, json.loads(path.read_text(encoding="utf-8")))
        else:
            figures.missing.append(call["file"])
    return figures.result()


def tell(result, tolerance_ms):
    print(
        f"turns within {tolerance_ms} ms: starts {result['starts_found_percent']}%, ends {result['ends_found_percent']}%, "
        f"both {result['both_found_percent']}%, whole {result['whole_percent']}%, over {result['turns']} turns"
    )
    print(f"extra utterances: {result['extra_splitting']} split a turn, {result['extra_elsewhere']} elsewhere")
    if lazy_pinyin:
        print(
            f"syllables through whole channels: toneless {result['toneless_error_percent']}%, "
            f"toned {result['toned_error_percent']}%, over {result['syllables']} "
            f"({result['turns_without_certain_reading']} turns left out)"
        )
    else:
        print("syllables: not scored, pypinyin is not installed")
    for what in ("start", "end"):
        spread = result[f"word_{what}_error"]
        if spread:
            print(
                f"word {what}s: median {spread['median_ms']:.0f} ms, 90% within {spread['p90_ms']} ms, "
                f"{spread['late_ms']:+.0f} ms late in the middle ({spread['n']} of {result['words']} words)"
            )
    if result["missing"]:
        print(f"missing: {', '.join(result['missing'])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest_dir", metavar="MANIFEST_DIR")
    parser.add_argument("json_dir", metavar="JSON_DIR")
    parser.add_argument("--tolerance-ms", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    args = parser.parse_args()
    result = score(args.manifest_dir, args.json_dir, args.tolerance_ms)
    if args.json:
        print(json.dumps(result, indent=2))
    else:
        tell(result, args.tolerance_ms)
    return 1 if result["missing"] or not result["turns"] else 0


if __name__ == "__main__":
    sys.exit(main())
