"""`models.json`: what is told, what is forgotten, and what a reader sees whatever happens to the writer."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages.codec import encode
from contract.messages.model_states import ModelState, State
from contract.records import MODEL_STATE, MODEL_STATES
from serving.candidates import state_store
from serving.candidates.state_store import COLLAPSE_ABOVE, ModelsError, ModelStates, read_states, write_states


def model(number: int, state: State = "candidate") -> ModelState:
    return ModelState(f"v{number}", state, False, "rollout", "2026-11-21T02:17:00.000Z", "newer", 0.7)


def changed(*models: ModelState) -> ModelStates:
    return ModelStates({}).with_changed(models)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    assert read_states(tmp_path) == ModelStates({})
    states = changed(model(1), model(1, "admitted"), model(2))
    write_states(tmp_path / "p", states)
    assert read_states(tmp_path / "p") == states
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["models.json"]


def test_what_the_broker_has_is_dropped_oldest_first() -> None:
    states = changed(model(1), model(2), model(3))
    taken = states.acknowledged(states.unsent[:2])
    assert [record.version for record in taken.unsent] == ["v3"]
    assert taken.models == states.models


def test_records_that_wait_for_the_broker_are_never_dropped_however_many_versions_they_are_of() -> None:
    states = changed(*(model(number) for number in range(COLLAPSE_ABOVE + 50)))
    assert [record.version for record in states.unsent] == [f"v{number}" for number in range(COLLAPSE_ABOVE + 50)]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(get_args(State)), st.booleans()), max_size=60))
def test_many_that_wait_become_the_newest_of_each_version_and_a_reader_ends_with_the_same(
    changes: list[tuple[int, State, bool]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_store, "COLLAPSE_ABOVE", 7)
        states = ModelStates({})
        read: dict[str, ModelState] = {}
        newest: dict[str, ModelState] = {}
        for number, (version, state, pinned) in enumerate(changes):
            record = ModelState(f"v{version}", state, pinned, "ann", str(number), "so", None)
            states, newest = states.with_changed([record]), newest | {record.version: record}
        for waiting in states.unsent:
            assert int(read.get(waiting.version, waiting).when) <= int(waiting.when), "never an older one after a newer"
            read[waiting.version] = waiting
    assert read == newest == states.models
    assert len(states.unsent) <= 7
    assert [int(r.when) for r in states.unsent] == sorted(int(r.when) for r in states.unsent)


def test_records_that_collapsed_while_they_were_under_way_are_acknowledged_without_harm() -> None:
    under_way = (model(1), model(2))
    states = ModelStates({}, (model(2), model(3)))
    assert states.acknowledged(under_way).unsent == (model(3),)


def test_how_far_commands_were_acted_on_is_kept_and_a_file_of_before_has_no_such_key(tmp_path: Path) -> None:
    write_states(tmp_path, changed(model(1)))
    assert set(json.loads((tmp_path / "models.json").read_text())) == {"models", "unsent"}
    write_states(tmp_path, changed(model(1)).acted_up_to(17))
    assert read_states(tmp_path) == changed(model(1)).acted_up_to(17)


def test_a_record_is_the_json_that_contract_records_describes(tmp_path: Path) -> None:
    write_states(tmp_path, changed(model(1)))
    whole = json.loads((tmp_path / "models.json").read_text())
    assert list(whole["models"]["v1"]) == list(whole["unsent"][0]) == list(MODEL_STATE)
    assert get_args(State) == MODEL_STATES
    assert json.loads(encode(model(1))) == whole["models"]["v1"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"models": 1}', '{"models": {"v1": {}}, "unsent": []}'])
def test_a_broken_file_is_refused_with_the_remedy(tmp_path: Path, text: str) -> None:
    (tmp_path / "models.json").write_text(text)
    with pytest.raises(ModelsError, match=r"models\.json is broken .* move it away"):
        read_states(tmp_path)


@pytest.mark.parametrize("change", [{"when": "garbage"}, {"when": ""}, {"version": "v2"}])
def test_a_state_that_reads_and_says_nonsense_is_refused_with_the_remedy(
    tmp_path: Path, change: dict[str, str]
) -> None:
    write_states(tmp_path, changed(model(1)))
    whole = json.loads((tmp_path / "models.json").read_text())
    whole["models"]["v1"] |= change
    (tmp_path / "models.json").write_text(json.dumps(whole))
    with pytest.raises(ModelsError, match=r"models\.json is broken .*v1.* move it away"):
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
