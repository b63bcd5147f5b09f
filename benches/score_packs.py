#!/usr/bin/env python3
"""How many of other people's sentences and calls the packs judge right.

    python3 benches/score_packs.py [--auricle BIN] [--set a|b] [--show] [PACK…]

benches/packs holds tests in the format of packs/*.tests.yaml, by writers who knew only the names and titles of a
pack's rules. Set a may be read, and packs mended by it; the errors of set b are to stay unread, so that its figures
stay honest: --show is refused for it.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = {"sentences": False, "calls": True}
FAILED = re.compile(r"(?:.*: )?(\d+):\d+: ")
NAMES = re.compile(r"  (expected|got): +(.*)")


def expected_rules(lines):
    """The rules that each test names, by its line, and whether it is a call."""
    tests, number, is_call = {}, 0, False
    for place, line in enumerate(lines, 1):
        if line.startswith("  - "):
            number, is_call = place, re.match(r"  - *\{? *call:", line) is not None
        found = re.search(r"fires: \[([^\]]*)\]", line)
        if found:
            names = [name.strip() for name in found[1].split(",") if name.strip()]
            tests[number] = (is_call, names)
    return tests


def failures(output):
    """What was expected and what fired, by the line of a test that failed."""
    failed, number = {}, None
    for line in output.splitlines():
        start, names = FAILED.match(line), NAMES.match(line)
        if start and not line.startswith(" "):
            number = int(start[1])
            failed[number] = {}
        elif names and number is not None:
            rules = [] if names[2] == "nothing" else names[2].split(", ")
            failed[number][names[1]] = rules
    return failed


def score(auricle, pack, name, show):
    """Prints recall and precision of one pack on one set."""
    tests_file = ROOT / "benches" / "packs" / f"{pack}.{name}.yaml"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "packs" / f"{pack}.yaml", folder)
        shutil.copy(tests_file, Path(folder) / f"{pack}.tests.yaml")
        command = [auricle, "rules", "test", str(Path(folder) / f"{pack}.yaml")]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    output = run.stdout + run.stderr
    if "tests passed" not in output:
        sys.exit(f"score_packs: error: {' '.join(command)} says\n{output}")
    tests = expected_rules(tests_file.read_text(encoding="utf-8").splitlines())
    failed = failures(output)
    for kind, is_call in KINDS.items():
        found, missed, false = Counter(), Counter(), Counter()
        for number, (of_call, wanted) in tests.items():
            if of_call != is_call:
                continue
            got = failed.get(number, {}).get("got", wanted)
            found.update(set(wanted) & set(got))
            missed.update(set(wanted) - set(got))
            false.update(set(got) - set(wanted))
        n_found, n_missed, n_false = (sum(one.values()) for one in (found, missed, false))
        recall = 100 * n_found / max(1, n_found + n_missed)
        precision = 100 * n_found / max(1, n_found + n_false)
        print(
            f"{pack:22} {name} {kind:9} recall {recall:5.1f} precision {precision:5.1f}"
            f"  ({n_found} found, {n_missed} missed, {n_false} false)"
        )
    if show:
        print(output)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("packs", metavar="PACK", nargs="*", help="default: all")
    parser.add_argument("--auricle", default=str(ROOT / "target" / "release" / "auricle"))
    parser.add_argument("--set", dest="name", choices=["a", "b"], default="b")
    parser.add_argument("--show", action="store_true", help="each error; of set a only")
    args = parser.parse_args()
    if args.show and args.name == "b":
        sys.exit("score_packs: error: the errors of set b are to stay unread\nhint: --set a --show")
    files = sorted((ROOT / "benches" / "packs").glob(f"*.{args.name}.yaml"))
    for pack in args.packs or [file.name.removesuffix(f".{args.name}.yaml") for file in files]:
        score(args.auricle, pack, args.name, args.show)


if __name__ == "__main__":
    main()
