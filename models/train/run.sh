#!/usr/bin/env bash
# Makes models/telephony-8k anew: Python packages into a virtual environment, then steps of the recipe.
#
#   models/train/run.sh [STEP] [--work FOLDER] [--shared FOLDER] [--model FOLDER] [--threads N] [--steps N]
#
#   STEP  texts, language, units, fit, export or evaluate: that alone
#         all       the checks, then all of these (where nothing stands)
#         test      the checks alone
#         fixtures  the calls of fixtures/audio/calls anew; `--help` tells its own options
#
# Interrupted, it goes on where it stopped. Everything it makes lies in the work folder (default .native/train), and
# the environment in $AURICLE_TRAIN_VENV (default .native/train/venv). $PYTHON makes it (default python3).
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
venv="${AURICLE_TRAIN_VENV:-$root/.native/train/venv}"
python="${PYTHON:-python3}"

fail() {
    printf 'train: error: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}
has_pip() { "$venv/bin/python" -m pip --version >/dev/null 2>&1; }
run() { "$venv/bin/python" -m "$@"; }

step=all
case "${1:-}" in
'' | -*) ;;
*)
    step="$1"
    shift
    ;;
esac

if ! has_pip; then
    another="name one that is 3.11 or later: PYTHON=python3.12 models/train/run.sh"
    command -v "$python" >/dev/null || fail "\`$python\` is missing" "$another"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python must be 3.11 or later, got \`$("$python" --version 2>&1)\`" "$another"
    "$python" -m venv "$venv" && has_pip ||
        fail "\`$python -m venv\` made no environment with pip in \`$venv\`" "on Debian and Ubuntu: apt-get install python3-venv"
fi
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    run pip install --quiet --disable-pip-version-check -r "$here/requirements.txt" ||
        fail "the packages of \`models/train/requirements.txt\` could not be installed" "pip says why, above; they take 7 GB of disk"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi

export PYTHONPATH="$root/models" PYTHONUNBUFFERED=1
# jieba and pyworld import it.
export PYTHONWARNINGS="ignore:pkg_resources is deprecated:UserWarning"
case "$step" in
fixtures) run train.fixtures "$@" ;;
all | test)
    run train.test_text
    run train.test_train
    [ "$step" = test ] || run train all "$@"
    ;;
*) run train "$step" "$@" ;;
esac
