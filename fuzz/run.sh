#!/usr/bin/env bash
# Runs fuzz targets, each for some time: fuzz/run.sh [SECONDS] [TARGET…]     default: 60 seconds of every target
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v cargo-fuzz >/dev/null || {
    printf 'fuzz: error: cargo-fuzz is not installed\nhint: cargo install --locked cargo-fuzz\n' >&2
    exit 1
}
seconds="${1:-60}"
shift || true
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(audio arpa query tokens hotwords masks packs cards intents emotion text_rules bodies audiosocket websocket spool weights \
    sdp siprec rtp twilio chan_websocket audiohook)

# The address sanitizer is not stable yet; this lets the stable compiler build it in.
export RUSTC_BOOTSTRAP=1
python3 fuzz/seed.py
for target in "${targets[@]}"; do
    printf '\n== %s\n' "$target"
    # -rss_limit_mb: what a reader of hostile bytes may take; -timeout: no input may hold it longer.
    cargo fuzz run "$target" -- -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -max_len=262144
done
