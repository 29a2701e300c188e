"""A candidate's folder as it was pulled: the files that its manifest names, each held to its checksum."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.manifest import MANIFEST, MODEL, REFERENCE, SPEC, BadManifest, FileSum, Manifest, read_manifest


class Refused(ValueError):
    """The candidate may not serve; the message says what was expected and found, and where."""


@dataclass(frozen=True)
class Candidate:
    """What a compiled bundle is made of, and the rows that it must reproduce."""

    manifest: Manifest
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
    try:
        manifest = read_manifest(manifest_text.encode())
    except BadManifest as error:
        raise Refused(str(error)) from error
    files = {name: _checked(folder, name, manifest.files) for name in (MODEL, SPEC, REFERENCE)}
    reference = _rows(_text(files[REFERENCE], REFERENCE))
    return Candidate(manifest, manifest_text, files[MODEL], _text(files[SPEC], SPEC), reference)


def _checked(folder: Path, name: str, stated: dict[str, FileSum]) -> bytes:
    if name not in stated:
        raise Refused(f"{MANIFEST}: files lacks {name}")
    content = _read(folder, name)
    found = FileSum(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    for what in FileSum.__struct_fields__:
        value, expected = getattr(found, what), getattr(stated[name], what)
        if value != expected:
            raise Refused(f"{name}: {what} is {value}, the manifest says {expected}: pull it again")
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
