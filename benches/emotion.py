#!/usr/bin/env python3
"""Anger told from the rest, by Auricle and by openSMILE's eGeMAPS with logistic regression, on the same recordings.

    emotion.py SHARED WORK VOICE_MEASURES EMOTION_SCORES

SHARED has audio/emotion-en and audio/zh-calls-dev; WORK is an empty folder; the others are the examples of those names.
benches/run_emotion.sh calls it. What is trained never hears the speaker it is judged on.
"""

import json
import os
import pathlib
import subprocess
import sys

# Many small regressions: threads within one cost more than they bring.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "models/emotion"))
import train  # noqa: E402

C_GRID = (0.001, 0.01, 0.1, 1.0)


def output(command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def scores_of(program, utterances, baseline):
    text = "\n".join(json.dumps(line) for line in utterances)
    return lines(output([program, baseline], text))


def area(is_angry, values):
    return roc_auc_score(is_angry, values)


def figures(area_all, is_angry, values, speakers):
    """The figure over all, and the mean of the figures by speaker, where no threshold is shared."""
    by_speaker = [roc_auc_score(is_angry[speakers == s], values[speakers == s]) for s in np.unique(speakers)]
    return f"{area_all:.3f}   {np.mean(by_speaker):.3f}"


def left_out(values, is_angry, speakers):
    """Scores by regressions that never heard the speaker; their strength is chosen on the other speakers."""

    def scores(where, test, c):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=5000, random_state=0))
        return model.fit(values[where & ~test], is_angry[where & ~test]).decision_function(values[test])

    found = np.zeros(len(is_angry))
    for speaker in np.unique(speakers):
        others = speakers != speaker
        inner = {}
        for c in C_GRID:
            guess = np.zeros(len(is_angry))
            for one in np.unique(speakers[others])[::3]:
                guess[speakers == one] = scores(others, speakers == one, c)
            seen = np.isin(speakers, np.unique(speakers[others])[::3])
            inner[c] = area(is_angry[seen], guess[seen])
        found[~others] = scores(others, ~others, max(inner, key=inner.get))
    return found


def beside_others(values, speakers):
    """Differences to the medians of the speaker's other utterances."""
    found = np.zeros_like(values)
    for at, speaker in enumerate(speakers):
        others = speakers == speaker
        others[at] = False
        found[at] = values[at] - np.median(values[others], axis=0)
    return found


def egemaps(folder, files):
    import opensmile
    import soundfile

    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    rows = []
    for file in files:
        samples, rate_hz = soundfile.read(folder / file, dtype="float32")
        rows.append(smile.process_signal(samples, rate_hz).to_numpy()[0])
    return np.array(rows, dtype=float)


def acted(shared, work, voice_measures, emotion_scores):
    folder = shared / "audio/emotion-en"
    manifest = lines((folder / "manifest.jsonl").read_text())
    files = [line["file"] for line in manifest]
    measured = lines(output([voice_measures, *(str(folder / file) for file in files)]))
    utterances = [
        {"id": line["file"], "group": str(line["actor"]), "party": "customer", "start_ms": 0,
         "end_ms": heard["end_ms"], "voice": heard["voice"]}
        for line, heard in zip(manifest, measured)
    ]
    # As in a call, where it is not known what comes: an order of no meaning, the same each time.
    shuffled = [utterances[at] for at in np.random.default_rng(1).permutation(len(utterances))]
    label_of = {line["file"]: line["label"] for line in manifest}
    actor_of = {line["file"]: line["actor"] for line in manifest}
    (work / "labels.jsonl").write_text(
        "".join(json.dumps({"id": f, "label": label_of[f], "speaker": actor_of[f]}) + "\n" for f in files))
    print(f"emotion-en: {len(files)} acted English utterances, {len(set(actor_of.values()))} speakers; angry against the rest")
    print("                                                                area   mean by speaker")
    for baseline, what in [("others", "beside the speaker's others"), ("before", "beside the speaker's earlier ones"),
                           ("none", "each alone")]:
        scores = scores_of(emotion_scores, shuffled, baseline)
        said = np.array([label_of[line["id"]] for line in scores])
        speakers = np.array([actor_of[line["id"]] for line in scores])
        shares = np.array([line["probabilities"] for line in scores])
        is_angry = said == "angry"
        figure = figures(area(is_angry, shares[:, 2]), is_angry, shares[:, 2], speakers)
        print(f"  auricle as shipped, {what:42} {figure}")
        if baseline == "others":
            (work / "scores.jsonl").write_text("".join(json.dumps(line) + "\n" for line in scores))
            halves = [area(is_angry[half], shares[half, 2]) for half in (speakers <= 6, speakers > 6)]
            others = train.areas(shares, said)
    names, values, said, speakers = train.table(
        train.read_lines(work / "scores.jsonl"), train.read_lines(work / "labels.jsonl"))
    is_angry, speakers = said == "angry", speakers.astype(int)
    figure = left_out(values, is_angry, speakers)
    print(f"  auricle trained (not shipped), beside the speaker's others    {figures(area(is_angry, figure), is_angry, figure, speakers)}")
    raw = np.array([flat(heard["voice"]) for heard in measured])
    is_angry = np.array([label_of[file] for file in files]) == "angry"
    speakers = np.array([actor_of[file] for file in files])
    figure = left_out(raw, is_angry, speakers)
    print(f"  auricle trained (not shipped), each alone                     {figures(area(is_angry, figure), is_angry, figure, speakers)}")
    peer = egemaps(folder, files)
    for values, what in [(beside_others(peer, speakers), "beside the speaker's others"), (peer, "each alone")]:
        figure = left_out(values, is_angry, speakers)
        print(f"  openSMILE eGeMAPS trained, {what:35} {figures(area(is_angry, figure), is_angry, figure, speakers)}")
    print(f"  as shipped, by halves of the speakers (1 to 6, which weights were chosen on; 7 to 12): {halves[0]:.3f} {halves[1]:.3f}")
    print("  as shipped, others: " + ", ".join(f"{what} {value:.3f}" for what, value in others.items()))


def flat(voice):
    values = []
    for name, value in voice.items():
        if name.startswith("pitch") and name.endswith("hz"):
            value = 12 * np.log2(max(value, 50.0) / 50.0)
        values.extend(value if isinstance(value, list) else [value])
    return values


def calls(shared, work, voice_measures, emotion_scores):
    folder = shared / "audio/zh-calls-dev"
    turns, spans = [], []
    for call in lines((folder / "manifest.jsonl").read_text()):
        channels = {party: channel for channel, party in call["channels"].items()}
        for turn in call["turns"]:
            turns.append((call["file"], turn))
            times = f"{int(turn['start'] * 1000)}\t{int(turn['end'] * 1000)}"
            spans.append(f"{folder / call['file']}\t{channels[turn['role']]}\t{times}")
    (work / "spans.tsv").write_text("\n".join(spans))
    measured = lines(output([voice_measures, "--spans", str(work / "spans.tsv")]))
    print("zh-calls-dev: turns of customers labelled angry, true text, without intents, beside the customer's earlier turns")
    for what, with_text, with_voice in [("words and voice", True, True), ("words alone", True, False), ("voice alone", False, True)]:
        utterances = [
            {"id": str(at), "group": file, "party": turn["role"], "text": turn["text"] if with_text else "",
             "start_ms": heard["start_ms"], "end_ms": heard["end_ms"], "voice": heard["voice"] if with_voice else None}
            for at, ((file, turn), heard) in enumerate(zip(turns, measured))
        ]
        scores = scores_of(emotion_scores, utterances, "before")
        is_customer = [line for line in scores if turns[int(line["id"])][1]["role"] == "customer"]
        is_angry = np.array(["angry" in turns[int(line["id"])][1]["labels"] for line in is_customer])
        told = np.array([line["label"] == "angry" for line in is_customer])
        shares = np.array([line["probabilities"][2] for line in is_customer])
        print(f"  {what:16} area {area(is_angry, shares):.3f}; told angry: {(told & is_angry).sum()} of {is_angry.sum()}, "
              f"wrongly {(told & ~is_angry).sum()} of {(~is_angry).sum()}")


def main():
    shared, work = (pathlib.Path(path) for path in sys.argv[1:3])
    acted(shared, work, *sys.argv[3:5])
    calls(shared, work, *sys.argv[3:5])


if __name__ == "__main__":
    main()
