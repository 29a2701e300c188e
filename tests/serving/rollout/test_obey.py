"""Commands of the topic: their effect and how far they were acted on go to disk in one write. Without a broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from contract.layout import Places
from contract.messages.model_states import ModelState
from contract.messages.operator_commands import PromoteCommand, UnpinCommand
from serving.candidates.state_store import ModelStates, read_states, write_states
from serving.rollout import apply
from serving.rollout.pending_commands import Asked, Ordered
from serving.rollout.rollout import Rollout

WHEN = "2026-11-21T02:17:00.000Z"
V1, V2 = "p-20261121T020100Z", "p-20261121T020200Z"
PIN = PromoteCommand(version=V1, who="ann", why="two is odd")


@pytest.fixture
def places() -> Iterator[Places]:
    with TemporaryDirectory() as folder:  # a socket's path has to be short
        places = Places.from_environment({"HOTPATH_DATA": folder, "HOTPATH_ONPREM_KAFKA": "127.0.0.1:1"})
        places.pipelines.mkdir()
        places.sockets.mkdir(parents=True)
        (places.pipelines / "p.toml").write_text((Path(__file__).parents[1] / "machines.toml").read_text())
        own = places.onprem_folder("p")
        (own / "bundles").mkdir(parents=True)
        for version in (V1, V2):
            (own / "bundles" / f"{version}.bundle").touch()
        states = {V1: "retired", V2: "champion"}
        models = {v: ModelState(v, s, False, "", WHEN, "", None) for v, s in states.items()}  # type: ignore[arg-type]
        write_states(own, ModelStates(models))
        yield places


def pinned(places: Places) -> tuple[str | None, int | None]:
    states = read_states(places.onprem_folder("p"))
    model = states.pinned()
    return (model.version if model else None, states.commands)


def test_a_command_and_its_offset_are_on_disk_together(places: Places) -> None:
    rollout = Rollout(places, "p")
    for ordered in (Ordered(PIN, 5), Ordered(UnpinCommand(who="ann"), 6), Ordered(None, 9)):
        rollout.pending.put(ordered)
    found = []
    for _ in range(3):
        rollout.obey(0)
        found.append(pinned(places))
    assert found == [(V1, 5), (None, 6), (None, 9)]
    assert json.loads((places.onprem_folder("p") / "models.json").read_text())["commands"] == 9
    rollout.close()


def test_a_refused_command_changes_nothing_but_the_offset(places: Places) -> None:
    rollout = Rollout(places, "p")
    rollout.pending.put(Ordered(PromoteCommand(version="p-19700101T000000Z", who="ann"), 3))
    rollout.obey(0)
    assert pinned(places) == (None, 3)
    rollout.close()


def test_a_command_that_the_disk_refused_is_tried_again_before_the_next_one(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    rollout = Rollout(places, "p")
    rollout.pending.put(Ordered(PIN, 5))
    rollout.pending.put(Ordered(None, 6))
    with monkeypatch.context() as patch:
        patch.setattr(apply, "write_states", full)
        with pytest.raises(OSError, match="No space left"):
            rollout.obey(0)
    assert pinned(places) == (None, None)
    rollout.obey(0)
    assert pinned(places) == (V1, 5)
    rollout.obey(0)
    assert pinned(places) == (V1, 6)
    rollout.close()


def test_a_person_is_told_when_the_disk_refuses_the_command(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("No space left on device")

    rollout, asked = Rollout(places, "p"), Asked(PIN)
    rollout.pending.put(asked)
    monkeypatch.setattr(apply, "write_states", full)
    with pytest.raises(OSError, match="No space left"):
        rollout.obey(0)
    assert asked.wait().why == "the rollout could not act on it now; its log says why"
    rollout.close()
