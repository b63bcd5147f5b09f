"""The model's card: sums and sizes of the files that the recipe has made."""

from __future__ import annotations

import hashlib
from pathlib import Path

FILES = ("model.onnx", "tokens.txt", "syllables.lm")


def write_files(card: Path, folder: Path) -> None:
    """Writes the tables `[[file]]` of a card anew, for the files of a folder; they are the card's end.

    Raises ValueError where the card has none."""
    head, table, _ = card.read_text(encoding="utf-8").partition("[[file]]")
    if not table:
        raise ValueError(f"`{card}` has no `[[file]]`")
    tables = [_table(folder / name) for name in FILES]
    card.write_text(head + "\n".join(tables), encoding="utf-8")


def _table(path: Path) -> str:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return f'[[file]]\npath = "{path.name}"\nsha256 = "{digest}"\nsize_bytes = {len(content)}\n'
