"""What the rollout's steps leave on disk, and what its look makes of scorers that have gone: without any process."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Any, TypeAlias, cast

import pytest
from hypothesis import given, settings

from contract import metrics, unix_socket
from contract.layout import Places
from contract.manifest import MANIFEST
from contract.messages.listener import ConnectedScorer, PoolState
from contract.messages.model_states import ModelState, State
from contract.process_identity import Process
from serving.candidates.state_store import ModelStates, read_states, write_states
from serving.listener import manager_socket
from serving.listener.fd_passing import ListenerError, send
from serving.rollout.apply import KEEP_BUNDLES, Applier
from serving.rollout.observe import CONNECT_WITHIN_S, Observer
from serving.rollout.plan import (
    Action,
    Adopt,
    Forget,
    GoneScorer,
    Kill,
    Observation,
    Promote,
    Register,
    Reject,
    Scorer,
    Start,
    Stop,
    UnrecordedScorer,
    Wait,
    plan,
)
from serving.rollout.rollout import only_one
from serving.rollout.scorer_host import HostedScorer
from serving.rollout.scorer_processes import ScorerProcess, remember, remembered
from streaming.pipeline_file.load import load
from tests.manifests import damaged
from tests.serving.local_candidates import version

TraceFunction: TypeAlias = Callable[[FrameType, str, Any], Any]
WHEN = "2026-11-21T02:17:00.000Z"
PIPELINE = load(Path(__file__).parents[1] / "machines.toml")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def steps(places: Places, **by_version: str) -> Applier:
    """The steps of a host with these versions in states, each with its bundle; a `!` pins."""
    folder = places.onprem_folder("p")
    (folder / "bundles").mkdir(parents=True)
    models = {
        name: ModelState(name, cast("State", state.rstrip("!")), state.endswith("!"), "ann", WHEN, "so", 0.7)
        for name, state in by_version.items()
    }
    for name in models:
        (folder / "bundles" / f"{name}.bundle").touch()
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
    assert [(record.version, record.state) for record in made.states.unsent] == [
        ("v1", "retired"),
        ("v2", "champion"),
    ]


def test_a_pinned_version_that_serves_keeps_who_pinned_it_and_why(places: Places) -> None:
    made = steps(places, v1="retired!", v2="champion")
    made.do(Promote("v1"))
    model = made.states.models["v1"]
    assert (model.state, model.pinned, model.who, model.when, model.why) == ("champion", True, "ann", WHEN, "so")


def test_old_bundles_go_but_never_those_of_the_champion_the_pinned_one_or_a_living_scorer(places: Places) -> None:
    names = {f"v{number}": "retired" for number in range(10, 20)} | {"v10": "retired!", "v12": "champion"}
    made = steps(places, **names)
    (places.onprem_folder("p") / "candidates" / "v13").mkdir(parents=True)
    made._observer.hosted = {"s": HostedScorer("s", "v11", golden=True, lives=True)}
    made.do(Promote("v12"))
    newest = [f"v{number}" for number in range(20 - KEEP_BUNDLES, 20)]
    assert bundles(places) == ["v10", "v11", "v12", *newest]
    assert sorted(on_disk(places)) == ["v10", "v11", "v12", "v13", *newest], "what the host has nothing of is forgotten"


def ended(places: Places, name: str, version: str = "v1") -> None:
    """A scorer that was started, and whose process is not there any more."""
    remember(places, ScorerProcess(name, "p", version, pid=2**22 + 1, started=1))


def account(observer: Observer, applier: Applier) -> Observation:
    """Observe and apply until what is written down of scorers agrees with their processes."""
    for _ in range(20):
        observed = observer.now()
        action = plan(applier.states, observed)
        if not isinstance(action, Forget | Adopt | Kill):
            return observed
        applier.do(action)
    raise AssertionError(f"it goes on for ever: {action}")


def test_observing_changes_nothing(places: Places) -> None:
    ended(places, "s")
    observer = Observer(places, "p")
    first = observer.now()
    assert first == observer.now()
    assert first.gone == (GoneScorer("s", "v1", failed=True),)
    assert [process.name for process in remembered(places)] == ["s"]


def test_a_scorer_that_ends_before_it_serves_is_a_failed_start_and_the_next_one_rests(places: Places) -> None:
    observer = Observer(places, "p")
    applier = Applier(places, PIPELINE, observer)
    for failures in (1, 2):
        ended(places, f"s-{failures}")
        observed = account(observer, applier)
        assert (observed.failures, observed.resting, observed.scorers) == ({"v1": failures}, frozenset({"v1"}), ())
    assert not list(remembered(places)), "and it is forgotten"
    observer.attempts.served("v1")
    assert (observer.now().failures, observer.now().resting) == ({}, frozenset())


def test_a_scorer_that_was_told_to_leave_has_not_failed(places: Places) -> None:
    observer = Observer(places, "p")
    applier = Applier(places, PIPELINE, observer)
    ended(places, "s")
    observer.now()
    with pytest.raises(ListenerError):  # no socket manager runs that could pass it on
        applier.do(Stop(Scorer("s", "v1", "standby")))
    assert account(observer, applier).failures == {}


@contextmanager
def manager_of(places: Places, *connected: ConnectedScorer) -> Iterator[None]:
    """A socket manager to which these scorers have connected: it answers every question."""
    places.sockets.mkdir(parents=True, exist_ok=True)
    server = manager_socket.listen(places.sockets)
    server.setblocking(True)

    def answer() -> None:
        with suppress(OSError):  # closed at the end
            while True:
                with server.accept()[0] as connection:
                    connection.recv(65536)
                    send(connection, PoolState(True, True, connected))

    thread = threading.Thread(target=answer)
    thread.start()
    yield
    server.shutdown(socket.SHUT_RDWR)
    thread.join()
    server.close()


@contextmanager
def scorer_that_never_connects(places: Places) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        process = Process.of(child.pid)
        assert process is not None
        remember(places, ScorerProcess("s", "p", "v1", process.pid, process.started))
        yield child
    finally:
        child.kill()
        child.wait()


def test_a_scorer_that_never_connects_is_killed_once_and_forgotten_when_it_has_ended(places: Places) -> None:
    now = [0.0]
    observer = Observer(places, "p", lambda: now[0])
    applier = Applier(places, PIPELINE, observer)
    with manager_of(places), scorer_that_never_connects(places) as child:
        assert not observer.now().scorers[0].hangs
        now[0] = CONNECT_WITHIN_S + 1
        observed = observer.now()
        assert plan(applier.states, observed) == Kill(observed.scorers[0])
        applier.do(Kill(observed.scorers[0]))
        assert not any(scorer.hangs for scorer in observer.now().scorers), "what does not die at once is left its time"
        assert child.wait(10) == -signal.SIGKILL
        assert account(observer, applier).failures == {"v1": 1}


def test_a_scorer_that_is_connected_and_answers_nothing_any_more_hangs(places: Places) -> None:
    now = [0.0]
    observer = Observer(places, "p", lambda: now[0])
    with scorer_that_never_connects(places) as child:
        with manager_of(places, ConnectedScorer("s", "p", "accepting", "v1", child.pid)):
            for _ in range(4):
                assert not observer.now().scorers[0].hangs
                now[0] += CONNECT_WITHIN_S / 4
            assert not observer.now().scorers[0].hangs
            now[0] += 1
            assert observer.now().scorers[0].hangs
        assert not observer.now().scorers[0].hangs, "while there is no manager, nobody is blamed"
        own_socket = unix_socket.listen(places.sockets / "s.sock", socket.SOCK_STREAM, 8)
        thread = threading.Thread(target=answer_http, args=(own_socket,))
        thread.start()
        with manager_of(places, ConnectedScorer("s", "p", "accepting", "v1", child.pid)):
            for _ in range(4):
                now[0] += CONNECT_WITHIN_S + 1
                assert not observer.now().scorers[0].hangs
        own_socket.shutdown(socket.SHUT_RDWR)
        thread.join()
        own_socket.close()


def answer_http(listening: socket.socket) -> None:
    with suppress(OSError):  # closed at the end
        while True:
            with listening.accept()[0] as connection:
                connection.recv(65536)
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def test_no_scorer_is_blamed_while_the_socket_manager_does_not_answer(places: Places) -> None:
    """It may serve perfectly well with the socket that it has."""
    now = [0.0]
    observer = Observer(places, "p", lambda: now[0])
    with scorer_that_never_connects(places):
        for _ in range(4):
            now[0] += CONNECT_WITHIN_S + 1
            assert not observer.now().scorers[0].hangs
        with manager_of(places):
            assert not observer.now().scorers[0].hangs, "its time has begun anew"
            now[0] += CONNECT_WITHIN_S + 1
            assert observer.now().scorers[0].hangs


def test_a_scorer_that_nobody_wrote_down_is_written_down(places: Places) -> None:
    applier = Applier(places, PIPELINE, Observer(places, "p"))
    applier.do(Adopt(UnrecordedScorer("s", "v1", Process(17, 4))))
    assert list(remembered(places)) == [ScorerProcess("s", PIPELINE.name, "v1", 17, 4)]


def test_a_damaged_scorer_file_is_passed_over(places: Places) -> None:
    ended(places, "s")
    folder = places.data / "onprem" / "scorers"
    for name, content in (("a", b""), ("b", b"{"), ("c", b'{"name": 1}'), ("d", b"\xff"), ("e", b"[" * 100_000)):
        (folder / f"{name}.json").write_bytes(content)
    assert [process.name for process in remembered(places)] == ["s"]


def put_manifest(places: Places, version: str, content: bytes) -> None:
    folder = places.onprem_folder("p") / "candidates" / version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).write_bytes(content)


def test_a_manifest_that_does_not_read_is_a_rejected_candidate_with_the_reason(places: Places) -> None:
    made = steps(places, **{version(1): "champion"})
    put_manifest(places, version(2), b'{"version": "p-20261121T020200Z", "proposed": false, "files": {}}')
    action = plan(made.states, made._observer.now())
    made.do(action)
    rejected = made.states.models[version(2)]
    assert (rejected.state, rejected.auc) == ("rejected", None)
    assert "missing required field `format`" in rejected.why
    assert on_disk(places)[version(1)] == "champion"
    assert not isinstance(plan(made.states, made._observer.now()), Reject | Register), "once"


def test_a_champion_whose_local_manifest_is_damaged_stays_champion(places: Places) -> None:
    made = steps(places, **{version(1): "champion"})
    put_manifest(places, version(1), b"{")
    assert plan(made.states, made._observer.now()) == Start(version(1))


@given(content=damaged(version(2)))
@settings(max_examples=60, deadline=None)
def test_whatever_a_manifest_is_it_is_registered_or_rejected_and_the_dead_scorer_starts_again(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        places = Places(Path(folder))
        made = steps(places, **{version(1): "champion"})
        ended(places, "s", version(1))
        put_manifest(places, version(2), content)
        done: list[Action] = []
        while not isinstance(done[-1] if done else None, Start | Wait):
            done.append(plan(made.states, made._observer.now()))
            if not isinstance(done[-1], Start):
                made.do(done[-1])
            made.measure(made._observer.now())
            made._observer.attempts.served(version(1))
            assert len(done) < 9, done
        assert done[-1] == Start(version(1)), "the champion died: it is started whatever lies beside it"
        assert made.states.models[version(2)].state in ("candidate", "rejected")
        assert made.states.models[version(2)].why


def test_a_scrape_finds_the_old_champion_or_the_new_one_never_none(places: Places) -> None:
    """Scrapes at every line that is executed while the gauges change."""
    made = steps(places, v1="champion!", v2="admitted")
    observed = made._observer.now()
    made.measure(observed)
    found: list[tuple[str, ...]] = []

    def scrape(frame: FrameType, event: str, _: object) -> TraceFunction:
        sys.settrace(None)
        for gauge in (metrics.CURRENT_MODEL, metrics.MODEL_PINNED):
            found.append(tuple(sample.labels["model"] for family in gauge.collect() for sample in family.samples))
        sys.settrace(scrape)
        return scrape

    made.states = ModelStates({"v2": ModelState("v2", "champion", True, "ann", WHEN, "", 0.7)})
    sys.settrace(scrape)
    made.measure(observed)
    sys.settrace(None)
    assert set(found) == {("v1",), ("v2",)}


def test_since_when_the_champion_serves_and_why_the_newest_candidate_was_rejected_are_shown(places: Places) -> None:
    made = steps(places)
    states = [
        ModelState(version(1), "rejected", False, "rollout", "2026-11-21T12:00:00.000Z", "an old reason", 0.7),
        ModelState(version(2), "champion", False, "ann", "2026-11-21T12:10:00.000Z", "a bad week", 0.7),
        ModelState(version(3), "rejected", False, "rollout", "2026-11-21T12:20:00.000Z", "row 7 differs", 0.7),
    ]
    made.states = ModelStates({state.version: state for state in states})
    made.measure(made._observer.now())
    found = [
        (sample.labels["model"], sample.labels["reason"], sample.value)
        for gauge in (metrics.CHAMPION_SINCE, metrics.REJECTED_SINCE)
        for family in gauge.collect()
        for sample in family.samples
    ]
    assert found == [(version(2), "a bad week", 1_795_263_000), (version(3), "row 7 differs", 1_795_263_600)]
    made.states = ModelStates({})
    made.measure(made._observer.now())
    assert [sample for family in metrics.REJECTED_SINCE.collect() for sample in family.samples] == []


def test_a_pipeline_has_one_rollout(places: Places) -> None:
    with only_one(places, "p"):
        with pytest.raises(ListenerError, match="another rollout of p runs"), only_one(places, "p"):
            pass
        with only_one(places, "q"):
            pass
    with only_one(places, "p"):
        pass
