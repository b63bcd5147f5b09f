#!/usr/bin/env bash
# Makes a checkout ready to build and run: the tools the build needs, and the native libraries and the
# voice activity model that Auricle loads at run time, into .native/ (ignored by git).
#
#   scripts/setup.sh            install what is missing
#   scripts/setup.sh --check    say what is missing, install nothing; exit status 1 if anything is
#   scripts/setup.sh --force    unpack the native libraries again
#
# Run again it verifies the checksums of what is there and returns.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
native="$root/.native"
requirements="$root/scripts/native-requirements.txt"
mode="${1:-install}"

say() { printf 'setup: %s\n' "$*"; }
fail() {
    printf 'setup: error: %s\n' "$1" >&2
    shift
    for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

case "$mode" in
install | --check | --force) ;;
*) fail "unknown option \`$mode\`" "use --check, --force, or nothing" ;;
esac

sha256() {
    if has sha256sum; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

# Debian packages behind the tools that are not there: the C libraries among the dependencies (Opus,
# SQLite, whisper.cpp) are built from source, the wheels are fetched by pip.
missing_packages() {
    has cmake || echo cmake
    { has c++ || has g++ || has clang++; } || echo g++
    has make || has ninja || echo make
    has pkg-config || echo pkg-config
    [ "$complete" = no ] || return 0
    has python3 || echo python3
    python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
}

install_packages() {
    local packages as_root=()
    read -r -a packages <<<"$(missing_packages | tr '\n' ' ')"
    [ "${#packages[@]}" -gt 0 ] || return 0
    [ "$mode" != --check ] || fail "missing: ${packages[*]}" "run scripts/setup.sh"
    has apt-get || fail "missing: ${packages[*]}" "install them with this system's package manager, then run scripts/setup.sh again"
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || fail "missing: ${packages[*]}" "as root: apt-get install ${packages[*]}"
        as_root=(sudo)
    fi
    say "installing ${packages[*]}"
    "${as_root[@]+"${as_root[@]}"}" apt-get install -y -q --no-install-recommends "${packages[@]}" >/dev/null 2>&1 || {
        "${as_root[@]+"${as_root[@]}"}" apt-get update -q >/dev/null
        "${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -q --no-install-recommends "${packages[@]}" >/dev/null
    } || fail "apt-get could not install ${packages[*]}" "install them by hand, then run scripts/setup.sh again"
}

# The folder holds what the requirements ask for, byte for byte as it was unpacked.
native_is_complete() {
    [ "$mode" != --force ] || return 1
    [ -f "$native/SHA256SUMS" ] || return 1
    cmp -s "$requirements" "$native/requirements.txt" || return 1
    # The plain name is a link, which the sums do not cover.
    [ -e "$native/lib/libonnxruntime.so" ] || [ -e "$native/lib/libonnxruntime.dylib" ] || return 1
    (cd "$native" && sha256 -c SHA256SUMS >/dev/null 2>&1)
}

# pip checks each wheel against the checksums in the requirements. The libraries inside are the same for
# every Python, so a Python without wheels of its own takes another version's.
download_wheels() {
    local log="$1/pip.log" version
    for version in "" 3.13 3.12 3.11; do
        if python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
            --only-binary=:all: ${version:+--python-version "$version"} \
            --requirement "$requirements" --dest "$1" >>"$log" 2>&1; then
            return 0
        fi
    done
    cat "$log" >&2
    fail "the native libraries could not be downloaded with pip" \
        "pip's settings (index, proxy, certificates) are the user's own: see \`python3 -m pip config list\`" \
        "without a network: put the wheels of scripts/native-requirements.txt in a folder and set PIP_FIND_LINKS to it"
}

unpack_wheels() {
    python3 - "$1" "$2" <<'PYTHON'
import hashlib, os, pathlib, re, sys, zipfile

wheels, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
# Package, pattern of the member, names it gets (the first is a copy, the rest link to it).
WANTED = [
    ("onnxruntime", r"onnxruntime/capi/libonnxruntime\.so\.([0-9.]+)", "lib/libonnxruntime.so.{0}", "lib/libonnxruntime.so"),
    ("onnxruntime", r"onnxruntime/capi/libonnxruntime\.([0-9.]+)\.dylib", "lib/libonnxruntime.{0}.dylib", "lib/libonnxruntime.dylib"),
    ("vosk", r"vosk/libvosk\.so", "lib/libvosk.so", None),
    ("vosk", r"vosk/libvosk\.dyl(?:d|ib)", "lib/libvosk.dylib", None),
    ("silero_vad", r"silero_vad/data/silero_vad\.onnx", "models/silero-vad/silero_vad.onnx", None),
    ("silero_vad", r"silero_vad/data/silero_vad_op18_ifless\.onnx", "models/silero-vad/silero_vad_op18_ifless.onnx", None),
]
sums, found = [], set()
for wheel in sorted(wheels.glob("*.whl")):
    package = wheel.name.split("-")[0]
    with zipfile.ZipFile(wheel) as archive:
        for owner, pattern, name, link in WANTED:
            if owner != package:
                continue
            for member in archive.namelist():
                match = re.fullmatch(pattern, member)
                if not match:
                    continue
                path = target / name.format(*match.groups())
                path.parent.mkdir(parents=True, exist_ok=True)
                data = archive.read(member)
                path.write_bytes(data)
                os.chmod(path, 0o644)
                sums.append(f"{hashlib.sha256(data).hexdigest()}  {path.relative_to(target)}\n")
                if link:
                    (target / link).unlink(missing_ok=True)
                    os.symlink(path.name, target / link)
                found.add(owner)
missing = {owner for owner, *_ in WANTED if any(wheels.glob(f"{owner}-*.whl"))} - found
if missing:
    sys.exit(f"no library in the wheel of: {', '.join(sorted(missing))}")
(target / "SHA256SUMS").write_text("".join(sums))
PYTHON
}

# Everything is unpacked aside and moved in at the end: an interrupted run leaves the old state.
install_native() {
    if [ "$complete" = yes ]; then
        say "native libraries are in place"
        return 0
    fi
    [ "$mode" != --check ] || fail "the native libraries in .native/ are missing or damaged" "run scripts/setup.sh"
    mkdir -p "$native"
    staging="$(mktemp -d "$native/staging.XXXXXX")"
    trap 'rm -rf "$staging"' EXIT
    say "downloading the native libraries"
    mkdir "$staging/wheels" "$staging/new"
    download_wheels "$staging/wheels"
    unpack_wheels "$staging/wheels" "$staging/new" || fail "the downloaded wheels could not be unpacked"
    rm -rf "${native:?}/lib" "$native/models/silero-vad"
    mkdir -p "$native/models"
    mv "$staging/new/lib" "$native/lib"
    mv "$staging/new/models/silero-vad" "$native/models/silero-vad"
    mv "$staging/new/SHA256SUMS" "$native/SHA256SUMS"
    cp "$requirements" "$native/requirements.txt"
    say "native libraries are in .native/lib, the voice activity model in .native/models/silero-vad"
}

complete=no
native_is_complete && complete=yes
install_packages
has cargo || fail "cargo is not installed" "install the Rust toolchain with rustup (the version is in Cargo.toml: rust-version)"
install_native
