"""`models.json`: what is told, what is forgotten, and what a reader sees whatever happens to the writer."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from serving.candidates import state_store
from serving.candidates.state_store import Model, ModelsError, ModelStates, read_states, write_states


def model(number: int, state: str = "candidate") -> Model:
    return Model(f"v{number}", state, False, "rollout", "2026-11-21T02:17:00.000Z", "newer", 0.7)


def changed(*models: Model) -> ModelStates:
    return ModelStates({}).with_changed(models)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    assert read_states(tmp_path) == ModelStates({})
    states = changed(model(1), model(1, "admitted"), model(2))
    write_states(tmp_path / "p", states)
    assert read_states(tmp_path / "p") == states
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["models.json"]


def test_what_the_broker_has_is_dropped_oldest_first() -> None:
    states = changed(model(1), model(2), model(3))
    assert [record["version"] for record in states.acknowledged(2).unsent] == ["v3"]
    assert states.acknowledged(2).models == states.models


def test_while_the_broker_is_away_for_long_the_newest_records_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_store, "MAX_UNSENT", 3)
    states = changed(*(model(number) for number in range(5)))
    assert [record["version"] for record in states.unsent] == ["v2", "v3", "v4"]
    assert len(states.models) == 5


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"models": 1}', '{"models": {"v1": {}}, "unsent": []}'])
def test_a_broken_file_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / "models.json").write_text(text)
    with pytest.raises(ModelsError, match=r"models\.json is broken .* move it away"):
        read_states(tmp_path)


def test_a_disk_that_fills_up_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = changed(model(1))
    write_states(tmp_path, before)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_states(tmp_path, before.with_changed([model(2)]))
    assert read_states(tmp_path) == before


def test_the_content_is_on_disk_before_it_has_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def fsync(descriptor: int) -> None:
        what = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        named = (tmp_path / "models.json").exists()
        steps.append(f"{'folder' if what.is_dir() else 'content'} {'after' if named else 'before'} the name")

    monkeypatch.setattr(os, "fsync", fsync)
    write_states(tmp_path, changed(model(1)))
    assert steps == ["content before the name", "folder after the name"]
