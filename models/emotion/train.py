#!/usr/bin/env python3
"""Fits weights of the built-in form on labelled utterances of one's own, and says what they are worth.

    train.py SCORES LABELS [--out weights.json] [--c 0.1]

SCORES is what `cargo run --release -p auricle-insight --example emotion_scores others` wrote: one line of JSON with `id`
and `features` for each utterance. LABELS has a line `{"id", "label", "speaker"}` for each, with the labels neutral,
happy, angry and sad. What it prints was found with each speaker left out of the training in turn; the file is
fitted on all. Weights of words and their bias are taken from hand-set.json: labelled sound rarely has its words.
Needs numpy and scikit-learn. The same input gives the same file.
"""

import argparse
import json
import pathlib
import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

LABELS = ["neutral", "happy", "angry", "sad"]
NO_VOICE = ("text_angry", "text_happy", "text_sad", "utterances_before", "secs", "rate_octaves")
MOST_UNITS = 4.0
warnings.filterwarnings("ignore", message=".*n_jobs.*")


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def table(scores, labels):
    """Names, features, labels and speakers of the utterances that have all of them."""
    by_id = {line["id"]: line for line in labels}
    rows = [(line["features"], by_id[line["id"]]) for line in scores if line["id"] in by_id]
    names = [name for name in rows[0][0] if name not in NO_VOICE]
    values = np.array([[features[name] for name in names] for features, _ in rows])
    said = np.array([label["label"] for _, label in rows])
    return names, values, said, np.array([str(label["speaker"]) for _, label in rows])


def fit(values, said, c):
    """Units of the features, and a regression on the features in their units."""
    units = np.where(values.std(0) > 1e-9, values.std(0), 1.0)
    model = LogisticRegression(C=c, max_iter=5000, random_state=0)
    return units, model.fit(in_units(values, units), said)


def in_units(values, units):
    return np.clip(values / units, -MOST_UNITS, MOST_UNITS)


def held_out(values, said, speakers, c):
    """Probabilities of LABELS by models that never heard the speaker."""
    found = np.zeros((len(said), len(LABELS)))
    for speaker in np.unique(speakers):
        test = speakers == speaker
        units, model = fit(values[~test], said[~test], c)
        by_label = model.predict_proba(in_units(values[test], units))
        for column, label in enumerate(model.classes_):
            found[test, LABELS.index(label)] = by_label[:, column]
    return found


def areas(probabilities, said):
    """Area under the curve of each label against the rest, and mean recall."""
    found = {}
    for column, label in enumerate(LABELS):
        is_it = said == label
        if is_it.any() and not is_it.all():
            found[label] = roc_auc_score(is_it, probabilities[:, column])
    best = np.array(LABELS)[probabilities.argmax(1)]
    found["mean recall"] = np.mean([(best[said == label] == label).mean() for label in np.unique(said)])
    return found


def weights(names, units, model, hand_set):
    """The file, in the form of hand-set.json."""
    labels = json.loads(json.dumps(hand_set["labels"]))
    for label in LABELS:
        words = {name: value for name, value in labels[label].get("weights", {}).items() if name in NO_VOICE}
        of_voice = model.coef_[list(model.classes_).index(label)] if label in model.classes_ else np.zeros(len(names))
        labels[label]["weights"] = {**{name: round(float(w), 4) for name, w in zip(names, of_voice)}, **words}
    words = {name: unit for name, unit in hand_set["units"].items() if name in NO_VOICE}
    units = {**{name: float(f"{unit:.4g}") for name, unit in zip(names, units)}, **words}
    keep = lambda part: {name: value for name, value in hand_set[part].items() if name in units}
    # Arousal keeps its weights, which are in the units of hand-set.json.
    arousal = {name: value * units[name] / hand_set["units"][name] for name, value in keep("arousal").items()}
    return {
        "name": "trained",
        "priors": keep("priors"),
        "units": units,
        "most_units": MOST_UNITS,
        "arousal": {name: round(value, 4) for name, value in arousal.items()},
        "labels": labels,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores")
    parser.add_argument("labels")
    parser.add_argument("--out")
    parser.add_argument("--c", type=float, default=0.1, help="inverse strength of regularisation")
    wanted = parser.parse_args()
    names, values, said, speakers = table(read_lines(wanted.scores), read_lines(wanted.labels))
    print(f"{len(said)} utterances, {len(set(speakers))} speakers, {len(names)} features; each speaker left out in turn")
    for what, area in areas(held_out(values, said, speakers, wanted.c), said).items():
        print(f"  {what:12} {area:.3f}")
    if wanted.out:
        hand_set = json.loads(pathlib.Path(__file__).with_name("hand-set.json").read_text())
        units, model = fit(values, said, wanted.c)
        text = json.dumps(weights(names, units, model, hand_set), indent=2)
        pathlib.Path(wanted.out).write_text(text + "\n")


if __name__ == "__main__":
    main()
