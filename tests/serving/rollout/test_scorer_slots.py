"""Blue and green in slots: no request fails, whoever dies. Real processes; loops stand in for Docker's restarts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.serving.hot_host import kill
from tests.serving.load import load
from tests.serving.local_candidates import version
from tests.serving.slots_host import SlotsHost
from tests.waiting import until


@pytest.fixture
def host() -> Iterator[SlotsHost]:
    with SlotsHost() as host:
        host.manager()
        yield host


def test_ten_switches_and_a_killed_socket_manager_under_load_cost_no_request(host: SlotsHost) -> None:
    host.begin_slots()
    host.rollout()
    host.serves(host.candidate(1))
    with load(host.port, "/health/live") as clients:
        for number in range(2, 12):
            if number == 6:
                kill(host.processes[0])
                clients.more(20)  # nobody needs the manager to be answered
                host.manager()
            host.becomes({host.candidate(number): "champion"})
        clients.more(20)
    assert not clients.failed
    assert {answer[:3] for answer in clients.answered} == {"200"}
    assert host.serving() == [version(11)]
    host.waits(lambda: sum(slot.is_free for slot in host.all_slots()) == host.slots - 1, "the other slots are free")


def test_green_that_dies_costs_nothing_before_it_accepts_and_its_own_connections_afterwards(host: SlotsHost) -> None:
    host.begin_slots()
    host.rollout()
    host.serves(host.candidate(1))
    with load(host.port, "/health/live") as clients:
        green = host.candidate(2)
        until(lambda: host.order_of(green), 20, "a slot runs green", 0.002)
        died = host.kill_slot(green)
        host.serves(green)  # in another slot
        assert died not in host.states()
        clients.more(50)
        assert not clients.failed
        host.becomes({green: "champion"})
        host.kill_slot(green)
        clients.more(50)
    failed, connections = clients.failed.total(), 8
    assert failed <= connections, clients.failed
    assert not [why for why in clients.failed if "Refused" in why], "the address is there all the time"
    host.serves(version(1))


def test_without_a_slot_a_switch_waits_and_green_that_fails_its_golden_requests_never_serves(host: SlotsHost) -> None:
    host.rollout()
    first = host.candidate(1)
    host.waits(lambda: "no scorer slot is alive" in host.said(10**9), "the rollout says why nothing starts")
    host.begin_slots()
    host.becomes({first: "champion"})
    host.command(do="promote", version=first, why="to hold what follows")
    second = host.candidate(2)
    host.becomes({second: "admitted", first: "champion!"})
    reference = host.places.onprem_folder("p") / "candidates" / second / "reference.jsonl"
    rows = [json.loads(line) for line in reference.read_text().splitlines()]
    rows[7]["probability"] += 0.25
    reference.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert host.command(do="unpin")["ok"]
    host.becomes({second: "rejected", first: "champion"})
    assert "golden request 7" in host.command(do="show", version=second)["model"]["why"]
    assert host.serving() == [first]
