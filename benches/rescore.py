#!/usr/bin/env python3
"""How fast past calls are assessed again from their texts.

    python3 benches/rescore.py [--auricle BIN] [--utterances N] FOLDER…

FOLDER has transcripts as `auricle analyze --out` writes them. They are imported, again and again under other names,
into a store of their own until it has N utterances. Then `auricle rescore` runs: from nothing, which is what
everything else is measured against, after one rule of the pack changed, after a rule was added that fires nowhere,
and after the score card changed. Store, search index and program start are all included; the fastest of three counts.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACK = ROOT / "packs" / "zh-telemarketing.yaml"
CARD = ROOT / "packs" / "cards" / "zh-telemarketing.yaml"
N_ROUNDS = 3


def copies(folders, n_wanted, path):
    """Writes calls to import; how many utterances they have."""
    calls = [
        json.loads(file.read_text())
        for folder in folders
        for file in sorted(folder.glob("*.json"))
    ]
    if not any(call["utterances"] for call in calls):
        sys.exit("rescore.py: no utterances in " + ", ".join(map(str, folders)))
    n_utterances = turn = 0
    with path.open("w") as out:
        while n_utterances < n_wanted:
            for call in calls:
                name = f"{call['call_id']}-{turn}"
                copy = {"call_id": name, "file": name + ".wav"}
                kept = ("duration_ms", "engine", "layout", "metadata", "utterances")
                copy |= {key: call[key] for key in kept if key in call}
                out.write(json.dumps(copy, ensure_ascii=False) + "\n")
                n_utterances += len(call["utterances"])
            turn += 1
    return n_utterances


def run(auricle, *args):
    """Seconds by the clock, and of all processors."""
    before = os.times()
    began = time.monotonic()
    done = subprocess.run([auricle, *map(str, args)], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"rescore.py: {' '.join(map(str, args))}: {done.stderr[-2000:]}")
    after = os.times()
    busy = after.children_user + after.children_system
    return seconds, busy - before.children_user - before.children_system


def changed(text, what, number):
    """The pack or card, differently each time: what was assessed once by these rules is up to date."""
    match what:
        case "one rule changed":
            return re.sub(r"deduct: \d+", f"deduct: {31 + number}", text, count=1)
        case "one rule added":
            rule = f"  - {{id: added, title: {number}, when: {{says: 至尊会员专线}}}}\n"
            return text.replace("rules:\n", "rules:\n" + rule, 1)
        case _:
            return re.sub(r"pass_mark: \d+", f"pass_mark: {60 + number}", text, count=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--auricle", default=ROOT / "target" / "release" / "auricle")
    parser.add_argument("--utterances", type=int, default=200_000)
    parser.add_argument("folders", nargs="+", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        os.environ["AURICLE_DATA"] = str(folder / "data")
        n_utterances = copies(args.folders, args.utterances, folder / "calls.jsonl")
        run(args.auricle, "import", folder / "calls.jsonl")
        size = (folder / "data" / "auricle.db").stat().st_size
        print(f"{n_utterances} utterances, {size / n_utterances:.0f} bytes of store an utterance")
        rescore = ("rescore", "--audio", "never")
        first = None
        for what in ("from nothing", "one rule changed", "one rule added", "card changed"):
            rounds = []
            for number in range(N_ROUNDS):
                if what == "from nothing":
                    rounds.append(run(args.auricle, *rescore, "--force"))
                    continue
                option, path = ("--card", CARD) if what == "card changed" else ("--rules", PACK)
                given = folder / path.name
                given.write_text(changed(path.read_text(), what, number))
                for include in (PACK.parent / "shared").glob("*.yaml"):
                    (folder / "shared").mkdir(exist_ok=True)
                    (folder / "shared" / include.name).write_text(include.read_text())
                rounds.append(run(args.auricle, *rescore, option, given))
            seconds, busy = min(rounds)
            first = first or seconds
            print(
                f"{what:17} {n_utterances / seconds:9.0f} utterances/s by the clock, "
                f"{1e6 * busy / n_utterances:5.1f} us of processor an utterance, {first / seconds:4.1f} times"
            )


if __name__ == "__main__":
    main()
