"""score_turns.py on transcripts made from the labels themselves, and on ones that are wrong in known ways."""

import copy
import json
import pathlib
import tempfile
import unittest

import score_turns

CALL = {
    "file": "a.wav",
    "turns": [
        {
            "role": "agent",
            "start": 1.0,
            "end": 3.0,
            "text": "您好，什么事？",
            "words": [["您", 1.0, 1.4], ["好", 1.4, 2.0], ["什么", 2.1, 2.6], ["事", 2.6, 3.0]],
        },
        {"role": "customer", "start": 3.5, "end": 4.5, "text": "退款", "words": [["退款", 3.5, 4.5]]},
        {"role": "agent", "start": 5.0, "end": 6.0, "text": "好", "words": [["好", 5.0, 6.0]]},
    ],
}
SYLLABLES = [["nin2", "hao3", "shen2", "me5", "shi4"], ["tui4", "kuan3"], ["hao3"]]


def perfect():
    """The transcript that says exactly what the labels say."""
    utterances = []
    for turn, syllables in zip(CALL["turns"], SYLLABLES):
        utterances.append(
            {
                "party": turn["role"],
                "start_ms": score_turns.ms(turn["start"]),
                "end_ms": score_turns.ms(turn["end"]),
                "syllables": [{"s": s} for s in syllables],
                "words": [
                    {"w": w, "start_ms": score_turns.ms(start), "end_ms": score_turns.ms(end)}
                    for w, start, end in turn["words"]
                ],
            }
        )
    return {"utterances": utterances}


def score(transcript):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "manifest.jsonl").write_text(json.dumps(CALL), encoding="utf-8")
        if transcript is not None:
            (pathlib.Path(folder) / "a.json").write_text(json.dumps(transcript), encoding="utf-8")
        return score_turns.score(folder, folder)


class ScoreTurns(unittest.TestCase):
    def check(self, transcript, **expected):
        result = score(transcript)
        self.assertEqual({name: result[name] for name in expected}, expected)

    def test_perfect(self):
        self.check(
            perfect(),
            turns=3,
            starts_found_percent=100.0,
            ends_found_percent=100.0,
            both_found_percent=100.0,
            whole_percent=100.0,
            extra_splitting=0,
            extra_elsewhere=0,
            words=6,
            word_start_error={"n": 6, "median_ms": 0, "p90_ms": 0, "late_ms": 0},
            missing=[],
        )

    @unittest.skipUnless(score_turns.lazy_pinyin, "pypinyin is not installed")
    def test_syllables(self):
        self.check(perfect(), syllables=8, toneless_error_percent=0.0, toned_error_percent=0.0)
        wrong = perfect()
        wrong["utterances"][1]["syllables"] = [{"s": "tui4"}, {"s": "kuan1"}, {"s": "a5"}]
        self.check(wrong, toneless_error_percent=12.5, toned_error_percent=25.0)

    def test_a_turn_that_is_split_is_not_whole(self):
        split = perfect()
        first = split["utterances"][0]
        second = copy.deepcopy(first)
        first["end_ms"], second["start_ms"] = 2000, 2100
        split["utterances"].insert(1, second)
        self.check(split, starts_found_percent=100.0, both_found_percent=100.0, whole_percent=66.7, extra_splitting=1)

    def test_late_starts_and_noise(self):
        late = perfect()
        late["utterances"][2]["start_ms"] += 301
        late["utterances"].append({"party": "agent", "start_ms": 9000, "end_ms": 9500})
        self.check(late, starts_found_percent=66.7, ends_found_percent=100.0, extra_splitting=1, extra_elsewhere=1)

    def test_the_other_partys_words_do_not_count(self):
        swapped = perfect()
        swapped["utterances"][1]["party"] = "agent"
        self.check(swapped, starts_found_percent=66.7, whole_percent=66.7, extra_elsewhere=1)

    def test_word_times_where_the_hanzi_are_right(self):
        moved = perfect()
        words = moved["utterances"][0]["words"]
        words[0]["start_ms"] += 100
        words[2]["w"] = "甚么"
        # 您 comes 100 ms late; 什么 was not recognised.
        self.check(moved, word_start_error={"n": 5, "median_ms": 0, "p90_ms": 100, "late_ms": 0})

    def test_missing(self):
        self.check(None, turns=0, missing=["a.wav"])


if __name__ == "__main__":
    unittest.main()
