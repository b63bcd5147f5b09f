"""The calls of fixtures/audio/calls: turns said by espeak, laid side by side on two channels, and their manifest.

    models/train/run.sh fixtures            # writes the recordings and manifest.jsonl beside calls.toml

What is said stands in `calls.toml`. The same texts give the same samples. The variants are among those that the
recogniser was trained on; the clauses are not (`--check TEXTS` compares with texts.jsonl).
"""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import espeak
from .features import SAMPLE_RATE_HZ
from .texts import clauses

FOLDER = Path(__file__).resolve().parents[2] / "fixtures/audio/calls"
#: Seconds before the first turn, between turns, and behind the last.
_BEFORE_SECS, _BETWEEN_SECS, _BEHIND_SECS = 0.6, 0.5, 0.8
#: Level of speech and of the line's noise, root mean square of full scale.
_SPEECH_RMS, _NOISE_RMS = 0.08, 0.0012
_ROLES = {"a": ("agent", 0), "c": ("customer", 1)}
_HANZI = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Said:
    """One turn: the channel it is on, its first sample, its samples."""

    channel: int
    first: int
    samples: np.ndarray


def make(call: dict, synthesiser: espeak.Synthesiser, seed: int) -> tuple[np.ndarray, dict]:
    """Samples [n, 2] of a call of `calls.toml`, the agent on the left, and its line of the manifest."""
    at_secs, said, turns = _BEFORE_SECS, [], []
    for turn in call["turns"]:
        role, channel = _ROLES[turn["role"]]
        voice = dict(call[role])
        loudness = voice.pop("loudness", 1.0)
        speech = synthesiser.say(espeak.Voice(**voice), hanzi=turn["text"])
        if said:
            at_secs += turn.get("after", _BETWEEN_SECS)
        level = float(np.sqrt((speech.samples**2).mean()))
        first = round(at_secs * SAMPLE_RATE_HZ)
        said.append(Said(channel, first, speech.samples * (_SPEECH_RMS * loudness / level)))
        turns.append(_turn(turn, role, at_secs, speech))
        at_secs = turns[-1]["end"]
    samples = _lay(said, round((at_secs + _BEHIND_SECS) * SAMPLE_RATE_HZ), seed)
    labels = {label for turn in turns for label in turn["labels"]} | set(call["labels"])
    line = {
        "file": f"{call['id']}.wav",
        "id": call["id"],
        "title": call["title"],
        "seconds": round(len(samples) / SAMPLE_RATE_HZ, 2),
        "codec": call["codec"],
        "channels": {"0": "agent", "1": "customer"},
        "labels": sorted(labels),
        "turns": turns,
    }
    return samples, line


def _turn(turn: dict, role: str, at_secs: float, speech: espeak.Speech) -> dict:
    """A turn as manifests have it, with the time of each character and its dictionary syllable."""
    hanzi = _HANZI.findall(turn["text"])
    times = [(round(at_secs + s.start_secs, 3), round(at_secs + s.end_secs, 3)) for s in speech.syllables]
    pii = [dict(zip(("kind", "text"), span.split(" "), strict=True)) for span in turn.get("pii", [])]
    return {
        "role": role,
        "start": times[0][0],
        "end": times[-1][1],
        "text": turn["text"],
        "labels": turn.get("labels", []),
        "pii": pii,
        "words": [[sign, *time] for sign, time in zip(hanzi, times, strict=True)],
        "syllables": [syllable.syllable for syllable in speech.syllables],
    }


def _lay(said: list[Said], n_samples: int, seed: int) -> np.ndarray:
    """All turns on their channels, with a line's quiet noise behind them."""
    n_samples = max([n_samples] + [turn.first + len(turn.samples) for turn in said])
    samples = np.random.default_rng(seed).standard_normal((n_samples, 2)) * _NOISE_RMS
    for turn in said:
        samples[turn.first : turn.first + len(turn.samples), turn.channel] += turn.samples
    return samples.clip(-0.98, 0.98)


def write(folder: Path) -> None:
    """Says all calls of `folder/calls.toml`."""
    import soundfile

    synthesiser, lines = espeak.Synthesiser(), []
    for seed, call in enumerate(_calls(folder)):
        samples, line = make(call, synthesiser, seed)
        path = folder / line["file"]
        soundfile.write(path, samples, SAMPLE_RATE_HZ, format="WAV", subtype=call["codec"])
        # A codec in blocks fills the last one up.
        line["seconds"] = round(soundfile.info(path).duration, 2)
        lines.append(json.dumps(line, ensure_ascii=False))
        print(f"fixtures: {line['file']}, {line['seconds']} s, {', '.join(line['labels']) or 'no labels'}")
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def sentences_in(folder: Path, texts: Path) -> list[str]:
    """Clauses of the calls that a sentence of the training holds."""
    trained = "\n".join(json.loads(line)[1] for line in texts.read_text(encoding="utf-8").splitlines())
    turns = (turn["text"] for call in _calls(folder) for turn in call["turns"])
    return [clause for text in turns for clause in clauses(text) if clause in trained]


def _calls(folder: Path) -> list[dict]:
    return tomllib.loads((folder / "calls.toml").read_text(encoding="utf-8"))["call"]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where calls.toml lies")
    parser.add_argument("--check", type=Path, metavar="TEXTS", help="only print clauses that texts.jsonl has")
    options = parser.parse_args()
    if options.check:
        known = sentences_in(options.folder, options.check)
        raise SystemExit("\n".join(known) or None)
    write(options.folder)


if __name__ == "__main__":
    main()
