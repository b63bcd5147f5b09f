# shellcheck shell=bash
# What demo.sh and serve.sh, which source this, have in common: where models are, building the program, serving.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root" || exit
shared="${AURICLE_SHARED:-$root/../shared}"
recogniser=zh-zipformer-3.3m
# Where `auricle models pull` puts models when it is not told otherwise: data.rs has the same rule.
user_data="${AURICLE_DATA:-${XDG_DATA_HOME:-${HOME:-}/.local/share}/auricle}"
if [ -z "${AURICLE_MODELS:-}" ]; then
    for models in "$shared/models" "$user_data/models"; do
        [ -d "$models/$recogniser" ] || continue
        AURICLE_MODELS="$models"
        break
    done
fi
[ -z "${AURICLE_MODELS:-}" ] || export AURICLE_MODELS

say() { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }

build() {
    auricle="${AURICLE:-}"
    [ -z "$auricle" ] || return 0
    scripts/setup.sh
    say "Building (the first time takes some minutes)"
    cargo build --release --locked -p auricle
    auricle="${CARGO_TARGET_DIR:-$root/target}/release/auricle"
}

# Whether somebody reads, and can press Ctrl-C.
has_terminal() { [ -t 0 ] && [ -t 1 ]; }

# start_server LOG ARGUMENT…: serves, and returns when it listens: `server` is its process, `address` where, `log` what it says.
# It ends with the script.
start_server() {
    log="$1"
    shift
    : >"$log"
    "$auricle" serve "$@" 2>"$log" &
    server=$!
    trap 'kill "$server" 2>/dev/null || true' EXIT
    until
        address="$(sed -n 's/^listening: \(http:[^ ]*\).*/\1/p' "$log")"
        [ -n "$address" ]
    do
        kill -0 "$server" 2>/dev/null || {
            cat "$log" >&2
            exit 1
        }
        sleep 0.2
    done
}

# Waits until the server ends. Ctrl-C reaches it as it reaches everything in this terminal: it ends calls and then itself.
wait_for_server() {
    local status=0
    trap true INT
    while
        status=0
        wait "$server" || status=$?
        kill -0 "$server" 2>/dev/null
    do :; done
    trap - EXIT INT
    return "$status"
}

# What there is to open while it serves.
say_addresses() {
    say "To open while it runs"
    printf '%-38s speak, and read what is heard, and alerts: a page for a browser\n' "$address/microphone"
    printf '%-38s what happens in all calls, as it happens; a browser shows it, too\n' "$address/api/v1/live"
    printf '%-38s figures\n' "$address/metrics"
    printf '%q watch --server %s\n' "$auricle" "$address"
    printf 'No key is needed from this machine, unless auricle.toml has `[[live.keys]]`; `auricle api-key NAME --role integrator` makes one\n'
}
