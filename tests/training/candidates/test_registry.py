"""The registry keeps what a reader may still need, and shows only what is complete."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from training.candidates.registry import read_manifest, remove, superfluous, versions, write_candidate

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(hours_ago: float) -> str:
    return f"flights-{NOW - timedelta(hours=hours_ago):%Y%m%dT%H%M%SZ}"


def test_a_candidate_without_a_manifest_is_not_there(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    (tmp_path / "flights-20261121T000000Z").mkdir()
    write_candidate(registry, {"version": at(1)}, {"model.zip": b"model"})
    assert versions(registry) == [at(1)]


def test_a_candidate_of_which_a_file_could_not_be_written_is_not_there(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    with pytest.raises(FileNotFoundError):
        write_candidate(registry, {"version": at(1)}, {"model.zip": b"model", "no/such/folder": b""})
    assert (tmp_path / at(1) / "model.zip").exists()
    assert versions(registry) == []


def test_a_candidate_that_is_half_removed_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def goes_away(self: LocalFileSystem, path: str, recursive: bool = False, **_: Any) -> None:
        if recursive:
            raise OSError("the name node is away")
        self.rm_file(path)

    registry = f"file://{tmp_path}"
    write_candidate(registry, {"version": at(1)}, {"model.zip": b"model"})
    monkeypatch.setattr(LocalFileSystem, "rm", goes_away)
    with pytest.raises(OSError, match="away"):
        remove(registry, at(1))
    assert versions(registry) == []


def test_the_manifest_names_every_file_with_its_checksum(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    write_candidate(registry, {"version": at(1)}, {"model.zip": b""})
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert read_manifest(registry, at(1))["files"] == {"model.zip": {"sha256": empty, "bytes": 0}}
    assert json.loads((tmp_path / at(1) / "manifest.json").read_text())["version"] == at(1)


def test_removing_takes_the_whole_folder(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    write_candidate(registry, {"version": at(1)}, {"model.zip": b"model"})
    remove(registry, at(1))
    assert not (tmp_path / at(1)).exists()


def test_the_newest_are_kept() -> None:
    present = [at(hours) for hours in range(5)]
    assert superfluous(present, {}, keep=2, now=NOW) == sorted(present)[:-2]


def test_the_champion_and_the_pinned_one_are_kept_however_old() -> None:
    states: dict[str, dict[str, Any]] = {at(900): {"state": "champion"}, at(800): {"state": "admitted", "pinned": True}}
    assert superfluous([at(900), at(800), at(700), at(0)], states, keep=1, now=NOW) == [at(700)]


def test_the_first_champion_of_each_hour_is_kept_for_a_week() -> None:
    first, second, old = at(5.9), at(5.5), at(24 * 8)
    states = {version: {"state": "retired"} for version in (first, second, old)}
    assert superfluous([old, first, second, at(0)], states, keep=1, now=NOW) == [old, second]


def test_a_candidate_that_never_served_is_no_first_champion() -> None:
    states = {at(5.9): {"state": "rejected"}, at(5.5): {"state": "retired"}}
    assert superfluous([at(5.9), at(5.5), at(0)], states, keep=1, now=NOW) == [at(5.9)]
