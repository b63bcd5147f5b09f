#!/usr/bin/env bash
# Hundreds of calls by sipp into `auricle serve`, which it starts on a folder of its own.
#
#   benches/sipp_load.sh target/release/auricle [CALLS] [RATE] [SECS]
#
# CALLS at a time (200), RATE of them set up in a second (20), each of SECS (30): first recording sessions without audio (what
# signalling costs), then plain calls of one stream, whose audio sipp sends. Told are the calls that went as the scenario has it and
# those that did not, how long answers took, processor time and memory of the program, and what it counted.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scenarios="$root/server/tests/cli/sip"
binary="${1:?the program to start}"
calls="${2:-200}" rate="${3:-20}" secs="${4:-30}"

command -v sipp >/dev/null || {
    printf 'sipp_load: error: there is no sipp\nhint: apt-get install sip-tester\n' >&2
    exit 1
}
folder="$(mktemp -d)"
program=""
finish() {
    if [ -n "$program" ]; then
        kill "$program" 2>/dev/null || true
        wait "$program" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap finish EXIT

start_program() {
    cat >"$folder/auricle.toml" <<TOML
[live]
most_calls = $((calls + 50))
drain_secs = 0
[live.sip]
listen = ["udp:127.0.0.1:0"]
agents = ["8*"]
most_set_ups_per_sec = $((2 * rate))
TOML
    "$binary" --config "$folder/auricle.toml" --data "$folder/data" serve --listen 127.0.0.1:0 2>"$folder/said" &
    program=$!
    until grep -q '^listening: http://' "$folder/said"; do
        kill -0 "$program" 2>/dev/null || {
            cat "$folder/said" >&2
            exit 1
        }
        sleep 0.1
    done
    sip="$(sed -nE 's/^listening: SIP on (.*[ ,])?udp:([^ ,]+).*/\2/p' "$folder/said" | head -n 1)"
    http="$(sed -nE 's,^listening: (http://[^ ]+).*,\1,p' "$folder/said" | head -n 1)"
}

# One channel of a call of the fixtures, µ-law, for as long as a call lasts.
speech() {
    python3 - "$root/fixtures/audio/calls/fixture-01.wav" "$folder/speech.ul" "$secs" <<'PYTHON'
import struct, sys

riff = open(sys.argv[1], "rb").read()
chunks, at = {}, 12
while at + 8 <= len(riff):
    size = struct.unpack_from("<I", riff, at + 4)[0]
    chunks.setdefault(riff[at : at + 4], riff[at + 8 : at + 8 + size])
    at += 8 + size + size % 2
if struct.unpack_from("<HHI", chunks[b"fmt "]) != (7, 2, 8000):
    sys.exit("the recording is not stereo mu-law at 8 kHz")
one, wanted = chunks[b"data"][::2], 8000 * int(sys.argv[3])
open(sys.argv[2], "wb").write((one * (wanted // len(one) + 1))[:wanted])
PYTHON
}

# Seconds of processor time, and KiB of memory.
spent() {
    awk '{ sub(/^.*\) /, ""); printf "%.2f ", ($12 + $13) / '"$(getconf CLK_TCK)"' }' "/proc/$program/stat"
    awk '/^VmRSS:/ { print $2 }' "/proc/$program/status"
}

# value FILE COLUMN: what sipp wrote last.
value() {
    awk -F ';' -v wanted="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == wanted) at = i } END { print at ? $at : "?" }' "$1"
}

# play SCENARIO MILLISECONDS: all calls of a scenario.
play() {
    local name="$1" before after status=0
    cp "$scenarios/$name.xml" "$folder/$name.xml"
    read -r -a before <<<"$(spent)"
    (cd "$folder" && sipp "$sip" -sf "$name.xml" -m "$calls" -l "$calls" -r "$rate" -d "$2" -nostdin \
        -i 127.0.0.1 -mi 127.0.0.1 -key first_port 9 -key second_port 9 -timeout $((calls / rate + secs + 60)) \
        -trace_stat -stf "$name.csv" -trace_err -error_file "$name.errors" -recv_timeout 10000 >/dev/null 2>&1) || status=$?
    read -r -a after <<<"$(spent)"
    printf '%-8s %6s ok %6s failed, answered in %s; ' "$name" "$(value "$folder/$name.csv" 'SuccessfulCall(C)')" \
        "$(value "$folder/$name.csv" 'FailedCall(C)')" "$(value "$folder/$name.csv" 'ResponseTime1(C)')"
    awk -v a="${before[0]}" -v b="${after[0]}" -v held="${before[1]}" -v holds="${after[1]}" -v calls="$calls" \
        'BEGIN { printf "%.2f s of processor time (%.1f ms a call), %d KiB more (%d a call)\n", b - a, 1000 * (b - a) / calls, holds - held, (holds - held) / calls }'
    [ "$status" -eq 0 ] || head -n 20 "$folder/$name.errors" >&2 || true
}

speech
start_program
play siprec "$((1000 * secs))"
play plain "$((1000 * secs))"
# Answered within ten seconds or not at all.
curl --silent --max-time 10 --noproxy '*' "$http/metrics" | grep -E '^auricle_(sip|rtp)_[a-z_]+(\{[^}]*\})? ' || true
