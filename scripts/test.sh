#!/usr/bin/env bash
# Everything a change must pass; `make test` and .ci/run call it.
#
#   scripts/test.sh         all
#   scripts/test.sh lint    formatting, scripts and clippy only
#
# Every step runs even if an earlier one failed, so that one run tells all. The end lists which tests were
# skipped for want of data, and the closing lines of the test runners as they wrote them.
set -uo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit 1
mode="${1:-all}"
case "$mode" in
all | lint) ;;
*)
    printf 'test: error: unknown option `%s`\nhint: use lint, or nothing\n' "$mode" >&2
    exit 2
    ;;
esac

export AURICLE_SHARED="${AURICLE_SHARED:-$root/../shared}"
# What the tests look for must be what they put there.
unset AURICLE_DATA AURICLE_MODELS AURICLE_LOG
target="${CARGO_TARGET_DIR:-$root/target}"
logs="$target/test-logs"
# Every engine at once. benches/Cargo.toml holds the features of what all share the same in both builds, so
# that only our own crates build twice.
engines="auricle-models/vosk,auricle-models/whisper,auricle-models/tract,auricle/vosk,auricle/whisper,auricle/tract"
has() { command -v "$1" >/dev/null 2>&1; }
summary=() failed=() notes=()

# step TITLE COMMAND…: runs it and remembers how it went.
step() {
    local title="$1" started="$SECONDS" took
    shift
    printf '\n=== %s\n' "$title"
    if "$@"; then
        took="$((SECONDS - started))"
        summary+=("$(printf 'ok      %4d s  %s' "$took" "$title")")
    else
        took="$((SECONDS - started))"
        summary+=("$(printf 'FAILED  %4d s  %s' "$took" "$title")")
        failed+=("$title")
    fi
}

note() {
    printf 'note: %s\n' "$1"
    notes+=("$1")
}

toolchain() {
    cargo --version && cargo fmt --version && cargo clippy --version && return 0
    printf 'test: error: rustfmt or clippy is missing\nhint: rustup component add rustfmt clippy\n' >&2
    return 1
}

# The package that features are checked against, pinyin for the scoring scripts, a client of `/v1/listen`, a validator of
# OpenAPI documents; all only for tests.
reference_packages() {
    local packages="$root/.native/python" wanted="import deepgram, kaldi_native_fbank, numpy, openapi_spec_validator, pypinyin"
    export PYTHONPATH="$packages${PYTHONPATH:+:$PYTHONPATH}"
    python3 -c "$wanted" 2>/dev/null && return 0
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --upgrade --target "$packages" \
        --requirement scripts/test-requirements.txt && python3 -c "$wanted" && return 0
    note "the packages of scripts/test-requirements.txt could not be installed: the tests that need them are skipped"
}

# The browser that pages are looked at in.
browser() {
    has chromium || has chromium-browser || has google-chrome && return 0
    if has apt-get && [ "$(id -u)" = 0 ]; then
        local install=(apt-get install -y -q --no-install-recommends chromium)
        DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1 && return 0
        apt-get update -q >/dev/null 2>&1
        DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1 && return 0
    fi
    note "there is no browser (Debian's package is chromium): the tests that need one are skipped"
}

# Other people's user agents, which call over SIP.
user_agents() {
    local missing=()
    has sipp || missing+=(sip-tester)
    has baresip || missing+=(baresip-core)
    [ "${#missing[@]}" -gt 0 ] || return 0
    if has apt-get && [ "$(id -u)" = 0 ]; then
        local install=(apt-get install -y -q --no-install-recommends "${missing[@]}")
        DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1 && return 0
        apt-get update -q >/dev/null 2>&1
        DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1 && return 0
    fi
    note "missing, so that the tests that need them are skipped (Debian's packages): ${missing[*]}"
}

# Every script parses; shellcheck looks closer where it is installed.
scripts() {
    local shell python
    mapfile -t shell < <(git ls-files '*.sh' .ci/run)
    mapfile -t python < <(git ls-files '*.py')
    for script in "${shell[@]}"; do bash -n "$script" || return 1; done
    python3 - "${python[@]}" <<'PYTHON' || return 1
import ast, pathlib, sys
for name in sys.argv[1:]:
    ast.parse(pathlib.Path(name).read_text(encoding="utf-8"), name)
PYTHON
    if has shellcheck; then
        shellcheck --severity=warning "${shell[@]}" || return 1
    else
        note "shellcheck is not installed: shell scripts were only parsed"
    fi
    python3 models/lm/generate.py --check || return 1
    python3 fuzz/seed.py >/dev/null || return 1
    python3 -m unittest discover --start-directory benches --pattern 'test_*.py'
}

licences_and_advisories() {
    has cargo-deny || {
        note "cargo-deny is not installed: licences and advisories were not checked (cargo install cargo-deny)"
        return 0
    }
    cargo deny --locked check --hide-inclusion-graph licenses bans sources || return 1
    if cargo deny fetch db >/dev/null 2>&1; then
        cargo deny --locked check --hide-inclusion-graph --disable-fetch advisories
    else
        note "the advisory database could not be fetched: advisories were not checked"
    fi
}

# run_tests NAME ARGUMENT…: with nextest where it is installed, else with cargo's own runner.
run_tests() {
    local name="$1" status
    shift
    mkdir -p "$logs"
    rm -f "$target/nextest/default/junit.xml"
    if has cargo-nextest; then
        cargo nextest run --locked --no-fail-fast "$@" 2>&1 | tee "$logs/$name.log"
        status="${PIPESTATUS[0]}"
        cp "$target/nextest/default/junit.xml" "$logs/$name.xml" 2>/dev/null
    else
        cargo test --locked --no-fail-fast --lib --bins --tests "$@" -- --show-output 2>&1 | tee "$logs/$name.log"
        status="${PIPESTATUS[0]}"
    fi
    return "$status"
}

# The tests once more as they run where nothing lies beside the project: by the recogniser in the program.
bare_tests() {
    AURICLE_SHARED="$target/nothing" run_tests bare --workspace
}

# demo NAME WORDS [VARIABLE…]: the demo in a folder of its own, by the program that the tests built; it must say the words.
demo() {
    local name="$1" words="$2" log="$logs/demo-$1.log"
    shift 2
    mkdir -p "$logs"
    rm -rf "$target/demo-$name"
    env "$@" AURICLE="$target/debug/auricle" AURICLE_DEMO="$target/demo-$name" scripts/demo.sh >"$log" 2>&1 &&
        grep -F "$words" "$log" && tail -n 5 "$log" && return 0
    tail -n 60 "$log"
    return 1
}

# The recipe of the recogniser in the program, as far as it goes without PyTorch; models/train/run.sh runs the rest.
recipe() {
    python3 -c "import numpy, pypinyin" 2>/dev/null || {
        note "the recipe's checks were skipped: they need the packages of scripts/test-requirements.txt"
        return 0
    }
    (cd models && python3 -m train.test_text)
}

doc_tests() {
    mkdir -p "$logs"
    cargo test --locked --workspace --doc 2>&1 | tee "$logs/doc.log"
    return "${PIPESTATUS[0]}"
}

# What threads tell each other without locks, in every order that the memory of a machine allows.
orders_of_memory() {
    mkdir -p "$logs"
    RUSTFLAGS="--cfg loom" cargo test --locked --release --target-dir "$target/loom" -p auricle-progress --test orders 2>&1 |
        tee "$logs/orders.log"
    return "${PIPESTATUS[0]}"
}

# Tests that found no data say `skipped: …` on their output.
skipped_tests() {
    python3 - "$logs" <<'PYTHON'
import pathlib, re, sys
import xml.etree.ElementTree as tree

seen = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*")):
    if path.stem == "bare" or path.stem.startswith("demo"):
        continue
    if path.suffix == ".xml":
        for case in tree.parse(path).iter("testcase"):
            for output in case.iter():
                for line in re.findall(r"^skipped: .*", output.text or "", re.M):
                    seen[f"{case.get('classname')} {case.get('name')}"] = line
    elif not path.with_suffix(".xml").exists():
        for line in re.findall(r"^skipped: .*", path.read_text(errors="replace"), re.M):
            seen[line] = ""
for name, line in sorted(seen.items()):
    print(f"  {name}  {line}".rstrip())
if not seen:
    print("  none: all tests with real data ran")
PYTHON
}

closing_lines() {
    local log
    for log in features orders doc workspace bare; do
        [ -f "$logs/$log.log" ] || continue
        printf -- '--- %s\n' "$log"
        sed 's/\x1b\[[0-9;]*m//g' "$logs/$log.log" | grep -E '^ *Summary \[|^test result:|^error: test run failed' ||
            printf 'no closing line: the runner did not come to its end\n'
    done
}

rm -rf "$logs"
step "set-up" scripts/setup.sh
step "toolchain" toolchain
step "reference packages" reference_packages
step "formatting" cargo fmt --all --check
step "scripts" scripts
step "recipe" recipe
step "clippy" cargo clippy --locked --workspace --all-targets -- -D warnings
step "clippy, all engines" cargo clippy --locked --workspace --all-targets --features "$engines" -- -D warnings
if [ "$mode" = all ]; then
    step "browser" browser
    step "user agents" user_agents
    step "fuzz targets build" cargo check --locked --manifest-path fuzz/Cargo.toml --target-dir "$target/fuzz"
    step "licences and advisories" licences_and_advisories
    step "tests, all engines" run_tests features -p auricle-models -p auricle-speech -p auricle -p auricle-benches \
        --features "$engines"
    step "orders of memory" orders_of_memory
    step "documentation tests" doc_tests
    step "tests" run_tests workspace --workspace
    step "tests, nothing beside the project" bare_tests
    step "demo" demo shared "model: "
    step "demo, a recogniser and no recordings" demo models "model: " \
        AURICLE_SHARED="$target/nothing" AURICLE_MODELS="${AURICLE_MODELS:-${AURICLE_SHARED:-$root/../shared}/models}"
    step "demo, nothing beside the project, no native library that works" demo bare "model: tract/telephony-8k, bundled" \
        AURICLE_SHARED="$target/nothing" AURICLE_ONNXRUNTIME="$target/nothing" HOME="$target/nothing" XDG_DATA_HOME=
    printf '\n=== skipped tests\n'
    skipped_tests
fi

printf '\n=== steps\n'
printf '%s\n' "${summary[@]}"
[ "${#notes[@]}" -eq 0 ] || printf 'note: %s\n' "${notes[@]}"
if [ "$mode" = all ]; then
    printf '\n=== closing lines of the test runners\n'
    closing_lines
fi
if [ "${#failed[@]}" -gt 0 ]; then
    printf '\nFAILED: %s\n' "$(IFS=,; echo "${failed[*]}")"
    exit 1
fi
printf '\nall passed\n'
