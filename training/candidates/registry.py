"""The registry: one immutable folder a candidate, complete once its manifest is there."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from contract.manifest import MANIFEST, FileSum, Manifest, is_version, manifest_json, moment_of, newest, read_manifest
from contract.messages.model_states import ModelState
from streaming.lake.filesystem import file_system, write_whole

HOURLY = timedelta(days=7)
"""For how long the first champion of each hour is kept."""


def write_candidate(registry: str, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write a candidate's files, then its manifest with their checksums.

    Raises:
        BadManifest: the manifest could not be read again; nothing was written.
        OSError: a file could not be written; without its manifest the candidate is not complete.
    """
    sums = {name: FileSum(sha256=hashlib.sha256(c).hexdigest(), bytes=len(c)) for name, c in files.items()}
    content = manifest_json(msgspec.structs.replace(manifest, files=sums))
    read_manifest(content, manifest.version)
    files_there, path = file_system(f"{registry}/{manifest.version}")
    files_there.makedirs(path, exist_ok=True)
    for name, file in files.items():
        write_whole(f"{registry}/{manifest.version}/{name}", file)
    write_whole(f"{registry}/{manifest.version}/{MANIFEST}", content)


def versions(registry: str) -> list[str]:
    """The complete candidates' versions, oldest first; whatever else lies in the folder is left alone."""
    files, path = file_system(registry)
    if not files.exists(path):
        return []
    folders = [entry["name"].rstrip("/") for entry in files.ls(path, detail=True) if entry["type"] == "directory"]
    named = {folder.rpartition("/")[2]: folder for folder in folders}
    return sorted(name for name, path in named.items() if is_version(name) and files.exists(f"{path}/{MANIFEST}"))


def superfluous(
    present: Iterable[str],
    states: Mapping[str, ModelState],
    keep: int,
    now: datetime,
    unknown: Collection[str] = (),
) -> list[str]:
    """The versions that may go: all but the newest `keep`, as many of those that are rejected, the champion, the pinned
    one, and the first champion of each hour for a week.

    `states` is the last record of `<pipeline>.models` by version. Where nothing is known nothing may go: what is
    pinned is not known either. The versions in `unknown`, whose record does not read, stay for the same reason.
    """
    if not states:
        return []
    ordered = sorted(present)
    rejected = {version for version, state in states.items() if state.state == "rejected"}
    kept = {*newest(ordered, rejected, keep), *unknown}
    kept |= {version for version, state in states.items() if state.state == "champion" or state.pinned}
    hours: dict[datetime, str] = {}
    for version in ordered:
        served = version in states and states[version].state in ("champion", "retired")
        if served and now - moment_of(version) < HOURLY:
            hours.setdefault(moment_of(version).replace(minute=0, second=0), version)
    return [version for version in ordered if version not in kept | set(hours.values())]


def remove(registry: str, version: str) -> None:
    """Remove a candidate, its manifest first: what is half removed is not complete."""
    files, path = file_system(f"{registry}/{version}")
    files.rm(f"{path}/{MANIFEST}")
    files.rm(path, recursive=True)
