"""What the rollout's steps leave on disk, and what its look makes of scorers that have gone: without any process."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.layout import Places
from serving.candidates.state_store import Model, ModelStates, read_states, write_states
from serving.listener.fd_passing import ListenerError
from serving.rollout.apply import KEEP_BUNDLES, Applier
from serving.rollout.observe import Observer
from serving.rollout.plan import Promote, Reject, Scorer, Stop
from serving.rollout.rollout import only_one
from serving.rollout.scorer_host import ScorerProcess, remember, remembered
from streaming.pipeline_file.load import load

PIPELINE = load(Path(__file__).parents[1] / "machines.toml")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def steps(places: Places, **by_version: str) -> Applier:
    """The steps of a host with these versions in states, each with its bundle; a `!` pins."""
    folder = places.onprem_folder("p")
    (folder / "bundles").mkdir(parents=True)
    models = {
        version: Model(version, state.rstrip("!"), state.endswith("!"), "ann", "then", "so", 0.7)
        for version, state in by_version.items()
    }
    for version in models:
        (folder / "bundles" / f"{version}.bundle").touch()
    write_states(folder, ModelStates(models))
    return Applier(places, PIPELINE, Observer(places, "p"))


def bundles(places: Places) -> list[str]:
    return sorted(path.stem for path in places.onprem_folder("p").glob("bundles/*"))


def on_disk(places: Places) -> dict[str, str]:
    models = read_states(places.onprem_folder("p")).models.values()
    return {model.version: model.state + "!" * model.pinned for model in models}


def test_a_rejected_version_is_pinned_no_more_and_leaves_no_bundle(places: Places) -> None:
    steps(places, v1="champion", v2="admitted!").do(Reject("v2", "it differs"))
    assert on_disk(places) == {"v1": "champion", "v2": "rejected"}
    assert bundles(places) == ["v1"]


def test_the_champion_before_is_retired_in_the_same_write(places: Places) -> None:
    made = steps(places, v1="champion", v2="admitted")
    made.do(Promote("v2"))
    assert on_disk(places) == {"v1": "retired", "v2": "champion"}
    assert [(record["version"], record["state"]) for record in made.states.unsent] == [
        ("v1", "retired"),
        ("v2", "champion"),
    ]


def test_a_pinned_version_that_serves_keeps_who_pinned_it_and_why(places: Places) -> None:
    made = steps(places, v1="retired!", v2="champion")
    made.do(Promote("v1"))
    model = made.states.models["v1"]
    assert (model.state, model.pinned, model.who, model.when, model.why) == ("champion", True, "ann", "then", "so")


def test_old_bundles_go_but_never_those_of_the_champion_the_pinned_one_or_a_living_scorer(places: Places) -> None:
    names = {f"v{number}": "retired" for number in range(10, 20)} | {"v10": "retired!", "v12": "champion"}
    made = steps(places, **names)
    (places.onprem_folder("p") / "candidates" / "v13").mkdir(parents=True)
    made._look.processes = {"s": ScorerProcess("s", "p", "v11", 1, 1)}
    made.do(Promote("v12"))
    newest = [f"v{number}" for number in range(20 - KEEP_BUNDLES, 20)]
    assert bundles(places) == ["v10", "v11", "v12", *newest]
    assert sorted(on_disk(places)) == ["v10", "v11", "v12", "v13", *newest], "what the host has nothing of is forgotten"


def gone(places: Places, name: str, version: str = "v1") -> None:
    """A scorer that was started and is not there any more."""
    remember(places, ScorerProcess(name, "p", version, pid=2**22 + 1, started=1))


def test_a_scorer_that_dies_before_it_serves_is_a_failed_start_and_the_next_one_rests(places: Places) -> None:
    look = Observer(places, "p")
    for failures in (1, 2):
        gone(places, f"s-{failures}")
        seen = look.now()
        assert (seen.failures, seen.resting, seen.scorers) == ({"v1": failures}, frozenset({"v1"}), ())
    assert not list(remembered(places)), "and it is forgotten"
    look.served("v1")
    assert (look.now().failures, look.now().resting) == ({}, frozenset())


def test_a_scorer_that_was_told_to_leave_has_not_failed(places: Places) -> None:
    look = Observer(places, "p")
    with pytest.raises(ListenerError):  # no socket manager runs that could pass it on
        Applier(places, PIPELINE, look).do(Stop(Scorer("s", "v1", "standby")))
    gone(places, "s")
    assert look.now().failures == {}


def test_a_pipeline_has_one_rollout(places: Places) -> None:
    with only_one(places, "p"):
        with pytest.raises(ListenerError, match="another rollout of p runs"), only_one(places, "p"):
            pass
        with only_one(places, "q"):
            pass
    with only_one(places, "p"):
        pass
