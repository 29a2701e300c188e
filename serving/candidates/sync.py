"""Candidates in the registry and on this host: which are missing here, how one is copied, which may go."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from contract.files import put_in_place, write_durably
from contract.manifest import MANIFEST, BadManifest, FileSum, is_version, newest, read_manifest
from serving.candidates.state_store import ModelStates
from streaming.lake.filesystem import file_system

KEEP: Final = 20
"""How many of the newest candidates stay on this host, besides the champion and the pinned one."""

_CHUNK: Final = 1 << 20


class PullError(Exception):
    """A candidate is not what its manifest promises; the message names the candidate and the file."""


class Registry:
    """The folder of candidates at a URL that fsspec knows (`hdfs://`, `file://`)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._files, self._path = file_system(url)

    def versions(self) -> list[str]:
        """Every candidate's version, complete or not; none while there is no registry yet."""
        if not self._files.exists(self._path):
            return []
        names = (entry["name"].rstrip("/").rsplit("/", 1)[-1] for entry in self._files.ls(self._path, detail=True))
        return [name for name in names if is_version(name)]

    def is_complete(self, version: str) -> bool:
        return bool(self._files.exists(f"{self._path}/{version}/{MANIFEST}"))

    def open(self, version: str, name: str) -> Any:
        return self._files.open(f"{self._path}/{version}/{name}", "rb")

    def manifest(self, version: str) -> bytes:
        with self.open(version, MANIFEST) as source:
            content: bytes = bytes(source.read())
        return content


def missing(registry: Registry, local: Path, rejected: Collection[str] = ()) -> list[str]:
    """Of the newest there what is complete and not here, newest first: after an outage the newest model comes first."""
    looked_at = newest(registry.versions(), rejected, KEEP)
    absent = [version for version in looked_at if not (local / version / MANIFEST).exists()]
    return [version for version in reversed(absent) if registry.is_complete(version)]


def pull_candidate(registry: Registry, version: str, local: Path) -> int:
    """Make a candidate complete here; files that an earlier turn brought are kept. How many bytes were copied.

    Of a candidate that is not proposed, or whose manifest does not read, the manifest comes alone: the rollout rejects
    the latter, so that people see it with the reason.

    Raises:
        PullError: a file is not what the manifest says, or not there.
        OSError: the registry or the local folder fails.
    """
    content = registry.manifest(version)
    folder, copied = local / version, 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, promised in _wanted_files(content, version).items():
        if not _is_here(folder / name, promised):
            copied += _copy(registry, version, name, folder, promised)
    write_durably(folder / MANIFEST, content)
    return copied + len(content)


def give_up(registry: Registry, version: str, local: Path) -> None:
    """Let the manifest come alone: the rollout then rejects the candidate, naming the file that is damaged."""
    write_durably(local / version / MANIFEST, registry.manifest(version))


def superfluous(local: Path, states: ModelStates) -> list[str]:
    """Local candidates that may go: older than the newest `KEEP`, neither champion nor pinned."""
    here = sorted(folder.name for folder in local.iterdir() if folder.is_dir()) if local.exists() else []
    kept = {model.version for model in (states.champion(), states.pinned()) if model}
    kept |= set(newest(here, rejected(states), KEEP))
    return [version for version in here if version not in kept]


def rejected(states: ModelStates) -> set[str]:
    return {version for version, model in states.models.items() if model.state == "rejected"}


def drop(local: Path, version: str) -> None:
    """Remove a local candidate, its manifest first: what is half removed is not complete."""
    (local / version / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(local / version)


def _wanted_files(content: bytes, version: str) -> dict[str, FileSum]:
    try:
        manifest = read_manifest(content, version)
    except BadManifest:
        return {}
    return manifest.files if manifest.proposed else {}


def _is_here(path: Path, promised: FileSum) -> bool:
    return path.exists() and path.stat().st_size == promised.bytes and _sha256(path) == promised.sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(registry: Registry, version: str, name: str, folder: Path, promised: FileSum) -> int:
    part, digest, copied = folder / f".{name}.part", hashlib.sha256(), 0
    try:
        source = registry.open(version, name)
    except FileNotFoundError as error:
        raise PullError(f"{version}: {name} is not in the registry, although its manifest promises it") from error
    with source, part.open("wb") as target:
        while chunk := bytes(source.read(_CHUNK)):
            digest.update(chunk)
            copied += target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    if (copied, digest.hexdigest()) != (promised.bytes, promised.sha256):
        raise PullError(
            f"{version}: {name} came with {copied} bytes, sha256 {digest.hexdigest()}; "
            f"its manifest promises {promised.bytes}, {promised.sha256}"
        )
    put_in_place(part, folder / name)
    return copied
