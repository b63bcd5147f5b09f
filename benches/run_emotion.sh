#!/usr/bin/env bash
# Anger told from the rest, beside openSMILE's eGeMAPS with logistic regression, in the same run (benches/README.md).
#
#   benches/run_emotion.sh
#
# AURICLE_SHARED  folder with audio/emotion-en and audio/zh-calls-dev   [../shared]
# PROFILE         profile the programs are built with                   [release]
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
shared="${AURICLE_SHARED:-$root/../shared}" profile="${PROFILE:-release}"
peer="$root/.native/emotion-peer"

fail() {
    printf 'run_emotion: error: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}
[ -d "$shared/audio/emotion-en" ] || fail "there are no recordings in $shared/audio/emotion-en" "AURICLE_SHARED names the folder that has audio/"

[ -x "$peer/bin/python" ] || python3 -m venv "$peer" || fail "no Python environment could be made in $peer" "install python3-venv"
"$peer/bin/python" -c 'import numpy, pandas, sklearn, soundfile, opensmile' 2>/dev/null || {
    printf 'installing the peer into .native/emotion-peer\n'
    "$peer/bin/pip" install --quiet --disable-pip-version-check --requirement "$root/benches/emotion-requirements.txt"
}

cd "$root"
cargo build --quiet --locked --profile "$profile" -p auricle-audio --example voice_measures
cargo build --quiet --locked --profile "$profile" -p auricle-insight --example emotion_scores
built="${CARGO_TARGET_DIR:-$root/target}/$([ "$profile" = dev ] && echo debug || echo "$profile")/examples"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
PYTHONDONTWRITEBYTECODE=1 "$peer/bin/python" "$root/benches/emotion.py" "$shared" "$work" "$built/voice_measures" "$built/emotion_scores"
