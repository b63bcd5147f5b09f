"""The recipe's steps, in order texts, language, units, fit, export, evaluate; `all` runs them.

Each step leaves its result in the work folder and does nothing where that is there already.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import card, compose, ctc, evaluate, export, fit, language, pinyin, speech, streaming, texts, units, words
from .model import Sizes, flops_per_second

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/telephony-8k"
FIXTURES = ROOT / "fixtures/audio/calls"
SEED = 20240601
STORES = ("words", "gcin", "espeak", "speech")
#: Below the shared folder: without the first three nothing can be trained; the others are only measured on.
TRIGRAMS = "models/zh-gigatdt-lm/gigatdt.5000.arpa.gz"
TEACHER = "models/zh-zipformer-3.3m"
WORDS = "audio/train-words"
SENTENCES, CALLS = "audio/zh-dev", "audio/zh-calls-dev"


@dataclass(frozen=True)
class Step:
    """A step, and the paths that must be there when it begins: below the shared folder, and below the work folder,
    where earlier steps put them."""

    run: Callable[[argparse.Namespace], None]
    inputs: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


def main() -> None:
    """Reads the command line and runs one step or all. What is missing is told before anything runs, exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=[*STEPS, "all"])
    parser.add_argument("--work", type=Path, default=ROOT / ".native/train", help="folder for everything that is made")
    shared = Path(os.environ.get("AURICLE_SHARED") or ROOT / "../shared")
    parser.add_argument("--shared", type=Path, default=shared, help="folder of recordings and models (AURICLE_SHARED)")
    parser.add_argument("--model", type=Path, default=MODEL, help="folder of the model")
    parser.add_argument(
        "--threads", type=int, default=int(os.environ.get("AURICLE_TRAIN_THREADS", os.cpu_count() or 1))
    )
    parser.add_argument("--steps", type=int, default=24_000, help="batches to train on")
    options = parser.parse_args()
    steps = list(STEPS.values()) if options.step == "all" else [STEPS[options.step]]
    if lacking := what_lacks(steps, options):
        parser.exit(2, "\n".join(lacking) + "\n")
    options.work.mkdir(parents=True, exist_ok=True)
    for step in steps:
        step.run(options)


def what_lacks(steps: list[Step], options: argparse.Namespace) -> list[str]:
    """A line for each path that the steps need and that is not there, and a hint where there are any."""
    inputs = {options.shared / name for step in steps for name in step.inputs}
    results = {options.work / name for name in steps[0].results}
    lacking = [f"train: error: `{path}` is missing" for path in sorted(inputs | results) if not path.exists()]
    if any(not path.exists() for path in inputs):
        lacking.append("hint: --shared names the folder of inputs, models/train/README.md where they come from")
    if any(not path.exists() for path in results):
        lacking.append("hint: the steps before make it: `models/train/run.sh` runs all of them")
    return lacking


def run_texts(options: argparse.Namespace) -> None:
    """Sentences into `texts.jsonl`."""
    texts.write_texts(options.work / "texts.jsonl", ROOT, options.shared / TRIGRAMS, measured_on(options), 20_000, SEED)


def run_language(options: argparse.Namespace) -> None:
    """Bigrams of syllables into `syllables.lm`: calls count twice, rows of words of a lexicon little."""
    path = options.work / "syllables.lm"
    if path.exists():
        return
    weights = {"domain": 2.0, "trigram": 1.0, "lexicon": 0.3}
    rows = texts.read_texts(options.work / "texts.jsonl")
    sentences = [(weights[kind], syllables) for kind, pairs in rows.items() for _, syllables in pairs]
    more = texts.from_trigrams(options.shared / TRIGRAMS, 100_000, SEED + 3)
    more = texts.unmeasured(more, measured_on(options))
    read = map(pinyin.read_aloud, more)
    sentences += [(1.0, syllables) for syllables in read if all(map(pinyin.split, syllables))]
    partial = path.with_suffix(".part")
    language.write(language.count(sentences, 22_000), partial)
    partial.rename(path)
    print(f"language: {len(sentences)} sentences, {path.stat().st_size / 1000:.0f} kB")


def run_units(options: argparse.Namespace) -> None:
    """Recordings, synthesised phrases and real voices into the stores that `STORES` names."""
    packages = options.work / "packages"
    speech.unpack(packages)
    recordings = words.train_words(options.shared / WORDS)
    units.write_store(options.work / "words", recordings, options.threads, "words")
    rows = texts.read_texts(options.work / "texts.jsonl")
    known = sorted({syllable[:-1] for kind in rows.values() for _, syllables in kind for syllable in syllables})
    units.write_store(options.work / "gcin", words.gcin_syllables(packages, known), options.threads, "gcin")
    teacher = options.shared / TEACHER
    units.write_store(options.work / "speech", speech.recordings(packages, SEED), options.threads, "speech", teacher)
    sentences = [hanzi for hanzi, _ in rows["domain"] * 3 + rows["trigram"] + rows["lexicon"]]
    phrases = words.espeak_phrases(sentences, 2.5, SEED)
    units.write_store(options.work / "espeak", phrases, options.threads, "espeak")


def run_fit(options: argparse.Namespace) -> None:
    """Trains; everything is in `fit.pt`, from which an interrupted run goes on."""
    folder = options.shared / SENTENCES
    if not folder.exists():
        print(f"fit: `{folder}` is missing: nothing is heard on the way", flush=True)
    check = evaluate.read_sentences(folder) if folder.exists() else []
    fit.fit(batches_of(options), options.work, options.steps, options.threads, check)


def run_export(options: argparse.Namespace) -> None:
    """The averaged network of `fit.pt` and `syllables.lm` into the model's folder; sums and sizes into the card, where
    that is the repository's own."""
    network = fit.trained(options.work / "fit.pt")
    batches = batches_of(options)
    unseen = (batches[step] for step in range(10**8, 10**8 + 8))
    delay_frames = round(ctc.delay_frames(fit.as_hearing(network), unseen))
    export.write_model(network, options.model, delay_frames)
    shutil.copyfile(options.work / "syllables.lm", options.model / "syllables.lm")
    if options.model.resolve() == MODEL:
        card.write_files(ROOT / "models/cards/telephony-8k.toml", MODEL)
    size_mb = (options.model / "model.onnx").stat().st_size / 1e6
    print(f"export: {size_mb:.2f} MB, tokens come {delay_frames * 10} ms behind the middle of their syllable")


def run_evaluate(options: argparse.Namespace) -> None:
    """Figures of the exported model, heard in chunks as an engine hears."""
    model = streaming.Streams(options.model / "model.onnx")
    sets = {
        "espeak, sentences never trained on": evaluate.synthesised(others_sentences(), SEED + 7),
        "fixtures/audio/calls, turn by turn": evaluate.read_calls(FIXTURES),
    }
    readers = {CALLS: evaluate.read_calls, SENTENCES: evaluate.read_sentences}
    told = {CALLS: "zh-calls-dev, turn by turn", SENTENCES: "zh-dev, voices never heard"}
    for name, read in readers.items():
        if (options.shared / name).exists():
            sets[told[name]] = read(options.shared / name)
        else:
            print(f"evaluate: `{options.shared / name}` is missing: skipped", flush=True)
    searches = {"greedy": evaluate.best_row}
    if (options.model / "syllables.lm").exists():
        searches["search"] = language.Search(language.read(options.model / "syllables.lm"))
    for name, spoken in sets.items():
        for kind, search in searches.items():
            score = evaluate.hear(model.hear, spoken, model.chunk_frames, search)
            print(f"evaluate: {name}, {kind}: {score}", flush=True)
    mflops = flops_per_second(Sizes(len(pinyin.token_table()))) / 1e6
    streams = streaming.streams_per_core(options.model / "model.onnx")
    print(f"evaluate: {mflops:.1f} MFLOP a second of audio, {streams:.0f} streams a core in batches of 64")


def measured_on(options: argparse.Namespace) -> set[str]:
    """Clauses of all that is measured on, as far as it is there."""
    folders = [FIXTURES, options.shared / CALLS, options.shared / SENTENCES]
    for folder in folders:
        if not folder.exists():
            print(f"texts: `{folder}` is missing: its sentences are not left out", flush=True)
    said = {clause for sentence in others_sentences() for clause in texts.clauses(sentence)}
    return said | texts.measured_on(folders)


def others_sentences() -> list[str]:
    """Some of the sentences by which the packs are measured: other people's wording."""
    pages = [path.read_text() for path in sorted((ROOT / "benches/packs").glob("zh-*.a.yaml"))]
    return [text for page in pages for text in re.findall(r'text: "([^"]+)"', page)][:200]


def batches_of(options: argparse.Namespace) -> fit.Batches:
    """Training batches out of the stores and texts in the work folder."""
    store = units.read_stores([options.work / name for name in STORES])
    composer = compose.Composer(store, texts.read_texts(options.work / "texts.jsonl"))
    return fit.Batches(store, composer, SEED)


_TAUGHT = ("texts.jsonl", *(f"{name}/units.json" for name in STORES))
STEPS = {
    "texts": Step(run_texts, inputs=(TRIGRAMS,)),
    "language": Step(run_language, inputs=(TRIGRAMS,), results=("texts.jsonl",)),
    "units": Step(run_units, inputs=(WORDS, TEACHER), results=("texts.jsonl",)),
    "fit": Step(run_fit, results=_TAUGHT),
    "export": Step(run_export, results=(*_TAUGHT, "fit.pt", "syllables.lm")),
    "evaluate": Step(run_evaluate),
}


if __name__ == "__main__":
    main()
