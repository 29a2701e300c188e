"""Stamps: what an installed thing was made from, so that the next start knows whether it is current."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from contract.files import write_durably


def digest(files: Iterable[Path], *more: str) -> str:
    """One hash over names and contents, in the order of the names."""
    hashed = hashlib.sha256()
    for file in sorted(files):
        hashed.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    for text in more:
        hashed.update(text.encode() + b"\0")
    return hashed.hexdigest()


def is_current(stamp: Path, made_from: str) -> bool:
    return stamp.exists() and stamp.read_text() == made_from


def write(stamp: Path, made_from: str) -> None:
    write_durably(stamp, made_from.encode())
