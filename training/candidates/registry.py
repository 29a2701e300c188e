"""The registry: one immutable folder a candidate, complete once its manifest is there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from streaming.lake.filesystem import file_system, write_whole

MANIFEST = "manifest.json"
HOURLY = timedelta(days=7)
"""For how long the first champion of each hour is kept."""


def write_candidate(registry: str, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write a candidate's files, then its manifest with their checksums."""
    files_there, path = file_system(f"{registry}/{manifest['version']}")
    files_there.makedirs(path, exist_ok=True)
    for name, content in files.items():
        write_whole(f"{registry}/{manifest['version']}/{name}", content)
    sums = {name: {"sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c)} for name, c in files.items()}
    whole = json.dumps({**manifest, "files": sums}, indent=1, allow_nan=False)
    write_whole(f"{registry}/{manifest['version']}/{MANIFEST}", whole.encode())


def versions(registry: str) -> list[str]:
    """The complete candidates' versions, oldest first."""
    files, path = file_system(registry)
    if not files.exists(path):
        return []
    folders = [entry["name"].rstrip("/") for entry in files.ls(path, detail=True) if entry["type"] == "directory"]
    return sorted(folder.rsplit("/", 1)[-1] for folder in folders if files.exists(f"{folder}/{MANIFEST}"))


def read_manifest(registry: str, version: str) -> dict[str, Any]:
    files, path = file_system(f"{registry}/{version}/{MANIFEST}")
    with files.open(path, "rb") as source:
        manifest: dict[str, Any] = json.loads(source.read())
    return manifest


def moment_of(version: str) -> datetime:
    """When a version was trained: its name says so (`flights-20261121T021700Z`)."""
    return datetime.strptime(version.rsplit("-", 1)[-1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def superfluous(present: Iterable[str], states: Mapping[str, Mapping[str, Any]], keep: int, now: datetime) -> list[str]:
    """The versions that may go: all but the newest `keep`, the champion, the pinned one, and the first champion of
    each hour for a week. `states` is the last record of `<pipeline>.models` by version."""
    ordered = sorted(present)
    kept = set(ordered[-keep:])
    kept |= {version for version, state in states.items() if state["state"] == "champion" or state.get("pinned")}
    hours: dict[datetime, str] = {}
    for version in ordered:
        served = states.get(version, {}).get("state") in ("champion", "retired")
        if served and now - moment_of(version) < HOURLY:
            hours.setdefault(moment_of(version).replace(minute=0, second=0), version)
    return [version for version in ordered if version not in kept | set(hours.values())]


def remove(registry: str, version: str) -> None:
    """Remove a candidate, its manifest first: what is half removed is not complete."""
    files, path = file_system(f"{registry}/{version}")
    files.rm(f"{path}/{MANIFEST}")
    files.rm(path, recursive=True)
