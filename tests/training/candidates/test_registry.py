"""The registry keeps what a reader may still need, and shows only what is complete."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from fsspec.implementations.local import LocalFileSystem

from contract.manifest import BadManifest, manifest_from
from contract.messages.model_states import ModelState, State
from tests.manifests import manifest_of
from training.candidates.registry import remove, superfluous, versions, write_candidate

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def at(hours_ago: float) -> str:
    return f"flights-{NOW - timedelta(hours=hours_ago):%Y%m%dT%H%M%SZ}"


MANIFEST_AT_1 = manifest_from(manifest_of(at(1), proposed=False))


def test_a_candidate_without_a_manifest_is_not_there(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    (tmp_path / "flights-20261121T000000Z").mkdir()
    write_candidate(registry, MANIFEST_AT_1, {"model.zip": b"model"})
    assert versions(registry) == [at(1)]


def test_a_candidate_of_which_a_file_could_not_be_written_is_not_there(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    (tmp_path / at(1) / "taken.new").mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match="taken"):
        write_candidate(registry, MANIFEST_AT_1, {"model.zip": b"model", "taken": b""})
    assert (tmp_path / at(1) / "model.zip").exists()
    assert versions(registry) == []


def test_a_candidate_that_is_half_removed_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def goes_away(self: LocalFileSystem, path: str, recursive: bool = False, **_: Any) -> None:
        if recursive:
            raise OSError("the name node is away")
        self.rm_file(path)

    registry = f"file://{tmp_path}"
    write_candidate(registry, MANIFEST_AT_1, {"model.zip": b"model"})
    monkeypatch.setattr(LocalFileSystem, "rm", goes_away)
    with pytest.raises(OSError, match="away"):
        remove(registry, at(1))
    assert versions(registry) == []


def test_the_manifest_names_every_file_with_its_checksum(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    write_candidate(registry, MANIFEST_AT_1, {"model.zip": b""})
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    written = json.loads((tmp_path / at(1) / "manifest.json").read_text())
    assert written == manifest_of(at(1), proposed=False, files={"model.zip": {"sha256": empty, "bytes": 0}})


def test_removing_takes_the_whole_folder(tmp_path: Path) -> None:
    registry = f"file://{tmp_path}"
    write_candidate(registry, MANIFEST_AT_1, {"model.zip": b"model"})
    remove(registry, at(1))
    assert not (tmp_path / at(1)).exists()


def test_a_manifest_that_nobody_could_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match="metrics lacks auc"):
        write_candidate(f"file://{tmp_path}", msgspec.structs.replace(MANIFEST_AT_1, metrics={}), {})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_no_candidate_is_left_alone(tmp_path: Path) -> None:
    write_candidate(f"file://{tmp_path}", MANIFEST_AT_1, {})
    (tmp_path / at(1)).rename(tmp_path / "by-hand")
    assert versions(f"file://{tmp_path}") == []


def states(pinned: str = "", **by_hours: str) -> dict[str, ModelState]:
    """The states of the versions trained so many hours ago: `h5_9="retired"`."""
    found = {at(float(hours[1:].replace("_", "."))): cast("State", state) for hours, state in by_hours.items()}
    return {v: ModelState(v, s, v == pinned, "rollout", "", "", None) for v, s in found.items()}


def test_where_no_state_is_known_nothing_goes() -> None:
    assert superfluous([at(hours) for hours in range(5)], {}, keep=2, now=NOW) == []


def test_the_newest_are_kept() -> None:
    present = [at(hours) for hours in range(5)]
    assert superfluous(present, states(h0="candidate"), keep=2, now=NOW) == sorted(present)[:-2]


def test_a_version_whose_record_does_not_read_is_kept() -> None:
    present = [at(hours) for hours in range(5)]
    left = superfluous(present, states(h0="candidate"), keep=2, now=NOW, unknown={at(4)})
    assert left == sorted(present)[1:-2]


def test_the_champion_and_the_pinned_one_are_kept_however_old() -> None:
    known = states(h900="champion", h800="admitted", pinned=at(800))
    assert superfluous([at(900), at(800), at(700), at(0)], known, keep=1, now=NOW) == [at(700)]


def test_the_first_champion_of_each_hour_is_kept_for_a_week() -> None:
    first, second, old = at(5.9), at(5.5), at(24 * 8)
    known = states(h5_9="retired", h5_5="retired", h192="retired")
    assert superfluous([old, first, second, at(0)], known, keep=1, now=NOW) == [old, second]


def test_a_candidate_that_never_served_is_no_first_champion() -> None:
    known = states(h5_9="rejected", h5_8="rejected", h5_5="retired")
    assert superfluous([at(5.9), at(5.8), at(5.5), at(0)], known, keep=1, now=NOW) == [at(5.9)]


def test_rejected_candidates_with_names_of_the_future_crowd_out_no_other() -> None:
    future = [at(-1000 - number) for number in range(5)]
    known = states(h0="candidate") | {v: ModelState(v, "rejected", False, "rollout", "", "", None) for v in future}
    assert superfluous([at(1), at(0), *future], known, keep=2, now=NOW) == sorted(future)[:3]
