#!/usr/bin/env bash
# `make demo`: hears telephone calls (real ones where there are any), prints one as a dialogue, searches in all of them, and
# plays some as calls under way. With a terminal it then serves on until Ctrl-C; without one it ends after the last call.
#
#   AURICLE_SHARED   folder with audio/zh-calls-dev, audio/zh-dev and models   [../shared]
#   AURICLE_MODELS   models folder   [the first with the recogniser: $AURICLE_SHARED/models, the user's
#                    data folder, to which `auricle models pull` fetches; else the recogniser in the program]
#   AURICLE          a binary to use instead of building one
#   AURICLE_DEMO     folder for what it makes, which is also its data folder   [demo-out]
#
# Run again it hears only what changed.
set -euo pipefail

# shellcheck source=scripts/program.sh
. "$(dirname "${BASH_SOURCE[0]}")/program.sh"
out="${AURICLE_DEMO:-$root/demo-out}"
export AURICLE_DATA="$out/data"

# Shows the command, then runs it.
run() {
    local shown="auricle" argument
    for argument in "$@"; do
        case "$argument" in
        *[[:space:]\"\*~]*) shown+=" '$argument'" ;;
        *) shown+=" $argument" ;;
        esac
    done
    printf '$ %s\n' "${shown//"$root/"/}"
    "$auricle" "$@"
}

# The recordings and the searches: real calls where they are, else the project's own, which a speech synthesiser says.
choose_recordings() {
    local calls="$shared/audio/zh-calls-dev" clips="$shared/audio/zh-dev"
    hear=()
    if [ -d "$calls" ]; then
        recordings=("$calls"/dev-0[1-4].wav)
        [ ! -d "$clips" ] || recordings+=("$clips"/zh-dev-00[0-5].wav)
        dialogue=dev-03
        searches=(
            '保证收益|A phrase: these characters side by side'
            'sound:金海银行~1|By sound: the name of a bank, however it was written; one syllable may be another'
            'sound:"bao3 zheng4 shou1 yi4"|By sound, in pinyin'
            '产品 NEAR/6 收益|Two phrases near each other'
            'party:customer 风险 THEN/2 party:agent 放心|The customer asks, the agent answers at most two turns later'
        )
    else
        printf 'There are no recordings in %s: those of fixtures/audio/calls are heard, said by a speech synthesiser.\n' "$calls"
        printf 'hint: AURICLE_SHARED names a folder that has audio/zh-calls-dev\n'
        recordings=("$root"/fixtures/audio/calls/*.wav)
        # A recogniser that was trained on people does not understand that synthesiser.
        [ -z "${AURICLE_MODELS:-}" ] || hear=(--model telephony-8k)
        dialogue=fixture-01
        searches=(
            'sound:保证收益|By sound: a phrase, however it was written'
            'sound:"guo2 tai4 yin2 hang2"~1|By sound, in pinyin: the name of a bank; one syllable may be another'
            'hit:promise_return|Calls in which a return was promised'
            'party:customer hit:complaint|Complaints of customers'
            'pii:phone|Calls in which a telephone number was said; what is shown is masked'
        )
    fi
}

# What `auricle doctor` finds: analyze would work, or what it lacks.
check() {
    say "What is installed"
    run doctor && return 0
    printf '\ndemo: something that analyze needs is missing; the lines above say what.\n' >&2
    exit 1
}

search() {
    local query="${1%%|*}" meaning="${1#*|}" found
    say "$meaning"
    found="$(run search --limit 3 --hits 2 "$query")"
    printf '%s\n' "$found"
    ! grep -q '^0 hits' <<<"$found" || without_hits+=("$query")
}

# The server tells its figures when all is played.
say_when_over() {
    until grep -q '^calls: ' "$log"; do
        kill -0 "$server" 2>/dev/null || return 0
        sleep 1
    done
    # Until the last lines of `watch` are there.
    sleep 2
    ! grep -q '^stopping once' "$log" || return 0
    say "The calls are over"
    grep '^calls: ' "$log"
    say_addresses
    say "Serving on until Ctrl-C"
}

# Some of the recordings played as calls under way: what is said and alerts, as they are told. With a terminal it serves on.
live() {
    local once=(--once) played=("${recordings[@]:0:4}")
    ! has_terminal || once=()
    say "The same while people talk: ${#played[@]} of the calls, played at the pace of speech"
    printf '$ auricle serve --replay %s&\n' "$(printf '%s ' "${played[@]##*/}" "${once[@]}")"
    start_server "$out/serve.log" --listen 127.0.0.1:0 --replay "${played[@]}" --at-once "${#played[@]}" "${hear[@]}" "${once[@]}"
    cat "$log"
    say_addresses
    say "What is said in them, and alerts (!)"
    if has_terminal; then
        say_when_over &
        run watch --server "$address" --from-start &
    else
        run watch --server "$address" --from-start
    fi
    wait_for_server || {
        cat "$log" >&2
        exit 1
    }
    tail -n 1 "$log"
}

build
choose_recordings
check
say "Hearing ${#recordings[@]} recordings"
run analyze "${recordings[@]}" "${hear[@]}" --out "$out/json"
say "A call, read as a dialogue"
run show "$dialogue"
say "The same as JSON: $out/json/$dialogue.json, which begins"
head -c 600 "$out/json/$dialogue.json"
printf '…\n'
without_hits=()
for search in "${searches[@]}"; do search "$search"; done
say "What was found: a report to open in a browser"
run report --out "$out/report"
live
say "Look around in it yourself"
printf 'export AURICLE_DATA=%q AURICLE_MODELS=%q\n%q search 您好\n' "$out/data" "${AURICLE_MODELS:-$user_data/models}" "$auricle"
printf 'More: auricle --help, README.md, docs/query-language.md\n'
if [ "${#without_hits[@]}" -gt 0 ]; then
    printf 'demo: no hits for: %s\n' "${without_hits[*]}" >&2
    exit 1
fi
