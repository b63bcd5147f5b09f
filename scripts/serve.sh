#!/usr/bin/env bash
# `make serve`: hears calls while people talk, until Ctrl-C; nobody but this machine is let in.
#
#   scripts/serve.sh [ARGUMENT…]    arguments of `auricle serve`: --listen 127.0.0.1:8021, --replay RECORDINGS
#
#   AURICLE_SHARED, AURICLE_MODELS, AURICLE    as for demo.sh
#   AURICLE_SERVE    folder for what it makes; data/ in it is its data folder, which may have an auricle.toml   [serve-out]
set -euo pipefail

# shellcheck source=scripts/program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
out="${AURICLE_SERVE:-$root/serve-out}"
export AURICLE_DATA="$out/data"

build
mkdir -p "$AURICLE_DATA"
say "Serving until Ctrl-C; calls and keys go to $out"
printf 'To watch in another terminal: %q watch --server ADDRESS\n' "$auricle"
exec "$auricle" serve "$@"
