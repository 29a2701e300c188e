"""What the rollout promises, with real processes: socket manager, rollout, scorers. No broker, no cloud."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from serving.rollout.plan import MOST_STARTS
from tests.serving.load import load
from tests.serving.local_candidates import version
from tests.serving.rollout_host import RolloutHost


@pytest.fixture
def host() -> Iterator[RolloutHost]:
    with RolloutHost() as host:
        host.manager()
        yield host


def test_each_admitted_candidate_takes_over_under_load_and_no_request_fails(host: RolloutHost) -> None:
    host.rollout()
    host.serves(None)  # before the first model somebody answers 503
    first = host.candidate(1)
    host.serves(first)
    with load(host.port, "/health/live") as clients:
        for number in (2,):
            clients.more(100)
            newest = host.candidate(number)
            host.becomes({newest: "champion", version(number - 1): "retired"})
        clients.more(100)
    assert not clients.failed
    assert {answer[:3] for answer in clients.answered} == {"200"}
    records = json.loads((host.places.onprem_folder("p") / "models.json").read_text())
    told = [(record["version"], record["state"]) for record in records["unsent"]]
    assert told == [
        (first, "candidate"),
        (first, "admitted"),
        (first, "champion"),
        (version(2), "candidate"),
        (version(2), "admitted"),
        (first, "retired"),
        (version(2), "champion"),
    ], "every change waits for the broker, in its order"


def test_a_candidate_that_differs_from_h2o_never_serves(host: RolloutHost) -> None:
    host.rollout()
    good = host.candidate(1)
    host.serves(good)
    bad = host.candidate(2, wrong=True)
    aside = host.candidate(3, proposed=False)
    host.becomes({bad: "rejected", aside: "candidate", good: "champion"})
    shown = host.command(do="show", version=bad)["model"]
    assert "59" in shown["why"] or "60" in shown["why"], shown
    refused = host.command(do="promote", version=bad)
    assert not refused["ok"]
    assert "was rejected and never serves" in refused["why"]
    assert host.serving() == [good]


def test_damaged_manifests_are_rejected_and_the_rollout_goes_on_and_restarts_a_dead_scorer(host: RolloutHost) -> None:
    host.rollout()
    first = host.candidate(1)
    host.becomes({first: "champion"})
    kinds = (b'{"version": "p-20261121T020200Z", "proposed": false, "files": {}}', b"{", b"[" * 100_000, b"\xff\x00")
    damaged = [version(number) for number in range(2, 2 + len(kinds))]
    for name, content in zip(damaged, kinds, strict=True):
        folder = host.places.onprem_folder("p") / "candidates" / name
        folder.mkdir()
        (folder / "manifest.json").write_bytes(content)
    (host.data / "onprem" / "scorers" / "damaged.json").write_bytes(b"{")
    host.becomes(dict.fromkeys(damaged, "rejected"))
    assert "missing required field `format`" in host.command(do="show", version=damaged[0])["model"]["why"]
    killed = host.scorer_pid(first)
    os.kill(killed, signal.SIGKILL)
    host.waits(lambda: host.accepting_pids(first) not in ([], [killed]), "another scorer of the model accepts")
    host.serves(first)
    newest = host.candidate(9)
    host.becomes({newest: "champion", first: "retired"})


def test_a_host_that_cannot_start_scorers_rejects_no_model(host: RolloutHost) -> None:
    host.rollout()
    first = host.candidate(1)
    host.becomes({first: "champion"})
    keys = host.data / "keys"
    before = keys.read_bytes()
    keys.write_bytes(b"\xff")
    second = host.candidate(2)
    tries = "no scorer can start on this host, trying again"
    host.waits(lambda: host.said(10**9).count(tries) > MOST_STARTS, "more starts than a model of its own may fail")
    assert "is not UTF-8" in host.said(10**9)
    assert host.models()[second] == "admitted"
    host.serves(first)
    keys.write_bytes(before)
    host.becomes({second: "champion"})
