"""A candidate's folder as it was pulled: the files that its manifest names, each held to its checksum."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
MODEL, SPEC, REFERENCE, MANIFEST = "model.zip", "transform.json", "reference.jsonl", "manifest.json"


class Refused(ValueError):
    """The candidate may not serve; the message says what was expected and found, and where."""


@dataclass(frozen=True)
class Candidate:
    """What a compiled bundle is made of, and the rows that it must reproduce."""

    manifest: dict[str, Any]
    manifest_text: str
    mojo: bytes
    spec: str
    reference: list[dict[str, Any]]


def read_candidate(folder: Path) -> Candidate:
    """Read a candidate; its files are checked before any of them is used.

    Raises:
        Refused: a file lacks, is damaged, or is of another format.
        OSError: the folder cannot be read.
    """
    manifest_text = _text(_read(folder, MANIFEST), MANIFEST)
    manifest = _manifest(manifest_text)
    files = {name: _checked(folder, name, manifest["files"]) for name in (MODEL, SPEC, REFERENCE)}
    reference = _rows(_text(files[REFERENCE], REFERENCE))
    return Candidate(manifest, manifest_text, files[MODEL], _text(files[SPEC], SPEC), reference)


def _manifest(text: str) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise Refused(f"{MANIFEST}: not JSON: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Refused(f"{MANIFEST}: not of format {FORMAT}, which is what this version admits")
    lacking = [key for key in ("version", "pipeline", "features", "files") if key not in manifest]
    if lacking:
        raise Refused(f"{MANIFEST}: lacks {', '.join(lacking)}")
    return manifest


def _checked(folder: Path, name: str, stated: dict[str, dict[str, Any]]) -> bytes:
    if name not in stated:
        raise Refused(f"{MANIFEST}: files lacks {name}")
    content = _read(folder, name)
    found = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    for what, value in found.items():
        if stated[name][what] != value:
            raise Refused(f"{name}: {what} is {value}, the manifest says {stated[name][what]}: pull it again")
    return content


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise Refused(f"{folder / name}: not there: pull the candidate again") from error


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: not UTF-8: {error}") from error


def _rows(text: str) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.split("\n"), 1):  # not splitlines: a string may hold U+2028
        try:
            if line:
                rows.append(json.loads(line))
        except ValueError as error:
            raise Refused(f"{REFERENCE} line {number}: not JSON: {error}") from error
    return rows
