#!/usr/bin/env bash
# Auricle beside sherpa-onnx (from PyPI) on the same recordings, models and beam, in the same run.
#
#   benches/run_peer.sh [accuracy|speed]      both without an argument
#
# AURICLE_SHARED  folder with audio/, models/ and tools/   [../shared]
# AURICLE         the binary                               [target/release/auricle]
# BEAM            paths of both beam searches in accuracy  [8]; the peer's script for speed has 8
# ROUNDS          times each is measured, alternating      [3]
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
shared="${AURICLE_SHARED:-$root/../shared}"
auricle="${AURICLE:-${CARGO_TARGET_DIR:-$root/target}/release/auricle}"
beam="${BEAM:-8}" rounds="${ROUNDS:-3}" what="${1:-all}"
packages="$root/.native/peer"

fail() {
    printf 'run_peer: error: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}
[ -d "$shared/audio/zh-calls-dev" ] || fail "there are no recordings in $shared/audio" "AURICLE_SHARED names the folder that has them"
[ -f "$shared/tools/peer_whole.py" ] || fail "there are no peer scripts in $shared/tools" "AURICLE_SHARED names the folder that has them"
[ -x "$auricle" ] || fail "there is no $auricle" "make build"
case "$what" in all | accuracy | speed) ;; *) fail "unknown argument \`$what\`" "accuracy, speed, or nothing" ;; esac

export PYTHONPATH="$packages${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1
wanted="import numpy, scipy, soundfile, pypinyin, sherpa_onnx, kaldi_native_fbank"
python3 -c "$wanted" 2>/dev/null || {
    printf 'installing the peer into .native/peer\n'
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --upgrade --target "$packages" \
        --requirement "$root/benches/peer-requirements.txt"
    python3 -c "$wanted"
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
export MODEL="$shared/models/zh-zipformer-3.3m" AURICLE_MODELS="${AURICLE_MODELS:-$shared/models}" AURICLE_DATA="$work/data"
cd "$root" # where .native is found from

# hear FOLDER OUT BEAM: everything anew, as a user would.
hear() { "$auricle" analyze "$1" --out "$2" --beam "$3" --force >/dev/null 2>"$work/log" || {
    tail -5 "$work/log" >&2
    fail "analyze failed on $1" "auricle doctor"
}; }

# seconds COMMAND…: wall clock.
seconds() {
    local from to
    from="$(date +%s.%N)"
    "$@"
    to="$(date +%s.%N)"
    python3 -c "print(f'{$to - $from:.2f}')"
}

accuracy() {
    printf '\n== zh-dev, beam %s\n' "$beam"
    printf 'peer     '
    python3 "$shared/tools/peer_asr.py" "$shared/audio/zh-dev" "$beam"
    hear "$shared/audio/zh-dev" "$work/zh-dev" "$beam"
    printf 'auricle  '
    python3 "$shared/tools/score.py" asr "$shared/audio/zh-dev" "$work/zh-dev"
    printf '\n== zh-calls-dev, whole channels, beam %s\n' "$beam"
    hear "$shared/audio/zh-calls-dev" "$work/zh-calls-dev" "$beam"
    python3 "$root/benches/score_turns.py" "$shared/audio/zh-calls-dev" "$work/zh-calls-dev"
}

# Alternating, so that a machine that warms up or gets busy does it to both.
speed() {
    local calls="$shared/audio/zh-calls-dev" round auricle_secs peer_secs
    printf '\n== speed: all of zh-calls-dev, both channels, beam 8, %s processors\n' "$(nproc)"
    hear "$calls" "$work/speed" 8 # the language model is made once and kept
    for round in $(seq "$rounds"); do
        peer_secs="$(seconds python3 "$shared/tools/peer_whole.py" "$calls")"
        auricle_secs="$(seconds hear "$calls" "$work/speed" 8)"
        printf 'round %s: peer %s s, auricle %s s\n' "$round" "$peer_secs" "$auricle_secs"
        printf '%s %s\n' "$peer_secs" "$auricle_secs" >>"$work/times"
    done
    python3 - "$work/times" <<'PYTHON'
import statistics, sys
peer, auricle = zip(*(map(float, line.split()) for line in open(sys.argv[1])))
peer, auricle = statistics.median(peer), statistics.median(auricle)
print(f"median: peer {peer:.2f} s, auricle {auricle:.2f} s: auricle is {peer / auricle:.2f} times as fast")
PYTHON
}

[ "$what" = speed ] || accuracy
[ "$what" = accuracy ] || speed
