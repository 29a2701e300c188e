"""What rollouts and slots leave in the folder that they share, step by step: without any process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from contract.layout import Places
from contract.messages.listener import ConnectedScorer
from contract.messages.slots import SlotOrder
from serving.rollout.apply import Applier
from serving.rollout.choose_host import host_of
from serving.rollout.observe import CONNECT_WITHIN_S, Observer
from serving.rollout.plan import Adopt, Forget, Kill, UnrecordedScorer, plan
from serving.rollout.scorer_host import HostedScorer
from serving.rollout.scorer_processes import ScorerProcesses
from serving.rollout.scorer_slots import ScorerSlots
from serving.slots.slot import OwnSlot, own_slot
from tests.serving.rollout.test_apply import PIPELINE, manager_of
from tests.serving.slots_host import SlotsHost


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, {"HOTPATH_SLOTS": "2"})


@pytest.fixture
def host(places: Places) -> ScorerSlots:
    return ScorerSlots(places, "p")


@contextmanager
def lives(places: Places, slots: int = 1) -> Iterator[list[OwnSlot]]:
    """So many slots, until the block ends: they are then dead, as after a kill."""
    with ExitStack() as stack:
        yield [stack.enter_context(own_slot(places.folder)) for _ in range(slots)]


def take(slot: OwnSlot) -> SlotOrder:
    order = slot.take_order()
    assert order
    return order


def only(host: ScorerSlots) -> HostedScorer:
    (scorer,) = host.list()
    return scorer


def bundle(places: Places, version: str) -> Path:
    return places.folder.bundle("p", version)


def test_an_order_names_pipeline_version_and_bundle_and_its_scorer_lives_as_long_as_its_slot(
    places: Places, host: ScorerSlots
) -> None:
    with lives(places) as (slot,):
        assert host.start("v1", bundle(places, "v1"))
        order = take(slot)
        assert (order.slot, order.pipeline, order.version, order.bundle) == (
            "scorer-1",
            "p",
            "v1",
            "p/bundles/v1.bundle",
        )
        assert slot.take_order() == order, "it stays: it is the record of the scorer"
        assert only(host) == HostedScorer(order.name, "v1", golden=False, lives=True)
    assert only(host) == HostedScorer(order.name, "v1", golden=False, lives=False)
    host.forget(order.name)
    assert not host.list()


def test_that_it_has_answered_the_golden_requests_is_known_to_the_next_rollout(
    places: Places, host: ScorerSlots
) -> None:
    with lives(places) as (slot,):
        host.start("v1", bundle(places, "v1"))
        host.note_golden(take(slot).name)
        assert only(ScorerSlots(places, "p")).golden


def test_a_slot_that_was_started_again_is_free_although_nobody_has_noted_what_it_ran(
    places: Places, host: ScorerSlots
) -> None:
    with lives(places) as (slot,):
        host.start("v1", bundle(places, "v1"))
        take(slot)
    assert host.ready() == "no scorer slot is alive; start the scorers (docker compose up -d scorer)"
    with lives(places) as (slot,):
        assert (slot.name, slot.take_order()) == ("scorer-1", None)
        assert ScorerSlots(places, "q").start(None, None), "another pipeline gets it"
        assert [scorer.lives for scorer in host.list()] == [False]
        assert take(slot).pipeline == "q"


def test_an_order_that_its_slot_never_ran_is_the_hosts_failure_and_not_the_models(
    places: Places, host: ScorerSlots
) -> None:
    with lives(places):
        host.start("v1", bundle(places, "v1"))
    assert only(host).trouble == "the slot scorer-1 ended before it ran its order"
    with lives(places) as (slot,):
        assert slot.take_order() is None
        assert only(host).trouble == "the slot scorer-1 ended before it ran its order"


def test_an_order_to_a_life_that_has_just_ended_is_set_aside_by_the_next_one(places: Places, host: ScorerSlots) -> None:
    with lives(places) as (slot,):
        host.start("v1", bundle(places, "v1"))
        late = places.folder.slot_order(slot.name).read_bytes()
    host.forget(only(host).name)
    with lives(places) as (slot,):
        places.folder.slot_order(slot.name).write_bytes(late)
        assert not only(host).lives
        assert slot.take_order() is None
        assert only(host).trouble
        assert host.ready() is None


def test_pipelines_share_the_slots_and_a_start_waits_while_none_is_free(places: Places, host: ScorerSlots) -> None:
    other = ScorerSlots(places, "q")
    with lives(places, slots=2) as slots:
        assert host.start("v1", bundle(places, "v1"))
        assert host.ready() is None
        assert other.start(None, None)
        assert {take(slot).pipeline for slot in slots} == {"p", "q"}
        assert "no scorer slot is free, 2 are taken" in str(host.ready())
        assert not host.start("v2", bundle(places, "v2"))
        assert [scorer.version for scorer in host.list()] == ["v1"]


def test_a_signal_reaches_the_life_that_it_is_for_and_no_other(places: Places, host: ScorerSlots) -> None:
    with lives(places) as (slot,):
        host.start("v1", bundle(places, "v1"))
        name = take(slot).name
        assert slot.take_signal() is None
        host.signal(name, signal.SIGKILL)
        assert (slot.take_signal(), slot.take_signal()) == (signal.SIGKILL, None)
        host.signal(name, signal.SIGTERM)
    host.signal(name, signal.SIGKILL)
    with lives(places) as (slot,):
        assert slot.take_signal() is None


def test_the_order_of_a_slot_that_does_not_take_it_is_withdrawn_and_the_slot_gets_no_other(
    places: Places, host: ScorerSlots
) -> None:
    now = [0.0]
    observer = Observer(places, "p", lambda: now[0])
    applier = Applier(places, PIPELINE, observer)
    with manager_of(places), lives(places):
        observer.host.start("v1", bundle(places, "v1"))
        assert not observer.now().scorers[0].hangs
        now[0] = CONNECT_WITHIN_S + 1
        kill = plan(applier.states, observer.now())
        assert isinstance(kill, Kill)
        applier.do(kill)
        forget = plan(applier.states, observer.now())
        assert isinstance(forget, Forget)
        assert forget.scorer.trouble, "the host is to blame"
        applier.do(forget)
        assert observer.host.ready(), "its only slot is deaf"
    with lives(places):
        assert observer.host.ready() is None, "its next life is not"


def test_a_running_scorer_whose_order_was_removed_or_damaged_gets_it_back(places: Places, host: ScorerSlots) -> None:
    observer = Observer(places, "p")
    applier = Applier(places, PIPELINE, observer)
    with lives(places) as (slot,):
        host.start("v1", bundle(places, "v1"))
        order = take(slot)
        for damage in (b"{", b'{"v": 99}', b""):
            places.folder.slot_order(slot.name).write_bytes(damage)
            with manager_of(places, ConnectedScorer(order.name, "p", "accepting", "v1", 0)):
                adopt = plan(applier.states, observer.now())
                assert adopt == Adopt(UnrecordedScorer(order.name, "v1"))
                applier.do(adopt)
            assert take(slot).bundle == order.bundle
            assert only(host).lives


def test_damaged_files_are_passed_over(places: Places, host: ScorerSlots) -> None:
    with lives(places) as (slot,):
        folder = places.folder
        for path in (folder.slot_order(slot.name), folder.slot_signal(slot.name), folder.ended_scorers / "x.json"):
            path.write_bytes(b"\xff{")
        assert (slot.take_order(), slot.take_signal(), list(host.list())) == (None, None, [])
        assert host.start("v1", bundle(places, "v1"))
        assert take(slot).version == "v1"


def test_the_environment_says_where_scorers_run(places: Places) -> None:
    assert isinstance(host_of(places, "p"), ScorerSlots)
    assert isinstance(host_of(Places(places.data, {}), "p"), ScorerProcesses)


def test_a_scorer_in_a_slot_that_answers_no_more_is_killed_and_its_slot_comes_back() -> None:
    with SlotsHost() as host:
        host.slots = 1
        host.manager()
        host.begin_slots()
        now = [0.0]
        observer = Observer(host.places, "p", lambda: now[0])
        applier = Applier(host.places, host.pipeline, observer)
        observer.host.start(None, None)
        host.waits(lambda: observer.now().scorers[0].state == "standby", "the scorer is connected")
        stopped = observer.now().scorers[0].name
        host.stop_scorer(stopped)
        for _ in range(2):
            now[0] += CONNECT_WITHIN_S - 1
            observed = observer.now()
        kill = plan(applier.states, observed)
        assert kill == Kill(observed.scorers[0])
        applier.do(kill)
        host.waits(lambda: not observer.now().scorers, "it has ended")
        assert [gone.name for gone in observer.now().gone] == [stopped]
        host.waits(lambda: observer.host.ready() is None, "its slot is free again")
