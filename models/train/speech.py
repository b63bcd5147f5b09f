"""Real voices: prompts of telephone exchanges and sounds of games, in many languages, out of Debian's packages.

Nobody need understand them: a teacher tells which Mandarin tokens they sound like. Recordings are free (CC-BY-SA,
CC-BY, GPL, BSD; the model's card names them) and come by `apt-get download`, unpacked into the work folder, not
installed.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .features import SAMPLE_RATE_HZ
from .units import STORE_HOP, TAUGHT_FRAMES, Recording
from .words import read_sound

#: Two Mandarin voices saying syllables.
SYLLABLES = "gcin-voice"
#: Packages and how many minutes are taken of each: those of one speaker less.
PACKAGES = {
    "asterisk-core-sounds-en-wav": 15,
    "asterisk-core-sounds-es-wav": 15,
    "asterisk-core-sounds-fr-wav": 15,
    "asterisk-core-sounds-it-wav": 15,
    "asterisk-core-sounds-ru-wav": 15,
    "asterisk-prompt-es-co": 15,
    "asterisk-prompt-fr-armelle": 15,
    "asterisk-prompt-it-menardi-wav": 15,
    "fillets-ng-data-cs": 40,
    "fillets-ng-data-nl": 40,
    "klettres-data": 20,
    "ktuberling-data": 20,
    "tuxpaint-stamps-default": 60,
}
#: Longest stretch that is heard at once, and shortest recording worth hearing.
_PIECE_SECS, _LEAST_SECS = 12, 0.5


def unpack(folder: Path) -> None:
    """Downloads and unpacks the packages into a folder each; those that are there are left alone.

    Ends the program with a message where the machine has no apt or apt has no such package."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in (SYLLABLES, *PACKAGES):
        if (folder / package).exists():
            continue
        _clear(folder, package)
        _run(package, ["apt-get", "download", "-qq", package], folder)
        (archive,) = folder.glob(f"{package}_*.deb")
        partial = folder / f"{package}.part"
        _run(package, ["dpkg-deb", "-x", archive.name, partial.name], folder)
        archive.unlink()
        partial.rename(folder / package)


def _clear(folder: Path, package: str) -> None:
    """Takes away what an unpacking that was stopped has left."""
    for archive in folder.glob(f"{package}_*.deb"):
        archive.unlink()
    shutil.rmtree(folder / f"{package}.part", ignore_errors=True)


def _run(package: str, command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise SystemExit(
            f"train: error: package `{package}` needs `{command[0]}`, which this machine has not\n"
            f"hint: on Debian or Ubuntu unpack the packages of models/train/speech.py into `{folder}`, a folder each"
        ) from None
    if done.returncode != 0:
        raise SystemExit(
            f"train: error: `{' '.join(command)}` failed with code `{done.returncode}`\n{done.stderr.strip()}\n"
            "hint: `apt-get update` fetches the list of packages"
        )


def recordings(folder: Path, seed: int) -> Iterator[Recording]:
    """Recordings drawn from the packages, all of them in turn, long ones in pieces."""
    draw = random.Random(seed)
    rows = []
    for package, minutes in PACKAGES.items():
        paths = (path for path in (folder / package).rglob("*") if path.suffix in {".wav", ".ogg", ".opus", ".gsm"})
        found = sorted(path for path in paths if path.is_file() and not path.is_symlink())
        draw.shuffle(found)
        rows += [(place / minutes, package, path) for place, path in enumerate(found)]
    left_secs = {package: 60.0 * minutes for package, minutes in PACKAGES.items()}
    for _, package, path in sorted(rows):
        if left_secs[package] > 0:
            for piece in _pieces(read_sound(path)):
                left_secs[package] -= len(piece) / SAMPLE_RATE_HZ
                yield Recording(piece, "speech")


def _pieces(samples: np.ndarray) -> Iterator[np.ndarray]:
    """A recording in stretches of whole frames of the teacher, those that are short or silent left out."""
    length = _PIECE_SECS * SAMPLE_RATE_HZ
    for first in range(0, len(samples), length):
        piece = samples[first : first + length]
        piece = piece[: len(piece) - len(piece) % (STORE_HOP * TAUGHT_FRAMES)]
        if len(piece) >= _LEAST_SECS * SAMPLE_RATE_HZ and abs(piece).max() > 1e-3:
            yield piece
