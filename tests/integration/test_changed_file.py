"""A changed pipeline file on a running stack: new rows from stored events, while the old model goes on answering."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import DeltaTable

from contract.pipeline import Pipeline
from infra.stack.announce import event_of_now
from infra.stack.live_scorers import live_scorers
from streaming.pipeline_file.load import load
from tests.integration.conftest import RunningStack
from tests.integration.test_cut_off import asked, scorer_of
from tests.waiting import until

pytestmark = [pytest.mark.engines, pytest.mark.restarts]


def changed(deployed: Path, folder: Path) -> Path:
    """A new field that no event has yet, a feature of it, and one of an old field."""
    text = deployed.read_text(encoding="utf-8")
    features = '[features]\ngate_changes = "coalesce(gate_changes, 0)"\nhalf_wind = "wind_speed * 0.5"\n'
    for old, new in (("[events.fields]\n", '[events.fields]\ngate_changes = "int"\n'), ("[features]\n", features)):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = folder / deployed.name
    file.write_text(text, encoding="utf-8")
    return file


def buckets_of(stack: RunningStack, pipeline: Pipeline) -> set[int]:
    url = stack.places.table(pipeline.name, f"rows-{pipeline.rows_hash}")
    if not DeltaTable.is_deltatable(url):
        return set()
    return set(DeltaTable(url).to_pyarrow_table(columns=["bucket"])["bucket"].to_pylist())


def kill_scorers(stack: RunningStack) -> None:
    pids = [scorer.pid for scorer in live_scorers(stack.settings.folder) if scorer.pipeline == "flights"]
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids), 10, "the scorers' end")


def test_a_new_feature_is_computed_for_stored_events_and_the_old_model_serves_until_the_new_one_is_admitted(
    stack: RunningStack, tmp_path: Path
) -> None:
    deployed = stack.places.pipelines / "flights.toml"
    old, file = load(deployed), changed(deployed, tmp_path)
    new, built = load(file), buckets_of(stack, old)
    assert buckets_of(stack, new) == set()

    done = stack.hotpath("up", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[events] field gate_changes is new" in done.stdout
    assert "[features] change: a new table of rows is built" in done.stdout

    kill_scorers(stack)  # the next one reads the new file, and serves the old model
    with scorer_of(stack) as client:
        hashes = [asked(client, old)["pipeline_hash"]]

        def is_new() -> bool:
            hashes.append(asked(client, new)["pipeline_hash"])  # it asserts that every question is answered
            return bool(hashes[-1] == new.file_hash)

        until(is_new, 300, "a model of the new file", every_s=0.5)
        assert hashes[0] == old.file_hash
        answer = client.post(
            "/v1/pipelines/flights/predict", json=event_of_now(new, datetime.now(UTC)) | {"gate_changes": 2}
        )
    assert answer.status_code == 200
    assert "unknown_field" not in {warning["code"] for warning in answer.json()["warnings"]}
    assert built <= buckets_of(stack, new)
