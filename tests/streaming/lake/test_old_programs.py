"""A `rows` table of an old program goes once no candidate names it; every other table stays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from contract.layout import Places
from streaming.lake.built_table import rows_table
from streaming.lake.old_programs import remove_old_programs
from streaming.lake.pinned_versions import UnknownVersions, kept_versions
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from tests.manifests import manifest_of
from tests.streaming.pipelines import MINIMAL

PIPELINE = load(MINIMAL)
CURRENT, OLD = f"rows-{PIPELINE.rows_hash}", "rows-0123456789ab"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PAST = timedelta(minutes=61)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})


def put_table(places: Places, name: str, age: timedelta) -> None:
    """A table whose last commit was that long ago."""
    schema = rows_table(places, PIPELINE, compile_pipeline(PIPELINE).feature_types).schema
    url = places.table(PIPELINE.name, name)
    DeltaTable.create(url, schema, partition_by=["span", "state"])
    moment_s = (NOW - age).timestamp()
    os.utime(Path(url.removeprefix("file://")) / "_delta_log", (moment_s, moment_s))


def put_manifest(places: Places, version: str, table: str, address: str = "hdfs://127.0.0.1:8020") -> Path:
    folder = Path(places.registry(PIPELINE.name).removeprefix("file://")) / version
    folder.mkdir(parents=True)
    named = {"path": f"{address}/hotpath/{PIPELINE.name}/tables/{table}", "version": 3}
    (folder / "manifest.json").write_text(json.dumps(manifest_of(version, table=named)))
    return folder / "manifest.json"


def upkeep(places: Places) -> Iterable[str]:
    """What one turn removes; what is said to be gone is gone, and nothing else."""
    root = Path(places.table(PIPELINE.name, "events").removeprefix("file://")).parent
    before = {path.name for path in root.iterdir()}
    removed = remove_old_programs(places, PIPELINE, kept_versions(places, PIPELINE), NOW)
    assert before - {path.name for path in root.iterdir()} == set(removed)
    return removed


def test_the_table_of_an_old_program_goes_an_hour_after_its_last_commit(places: Places) -> None:
    put_table(places, OLD, PAST)
    put_table(places, "rows-ba9876543210", timedelta(minutes=59))
    assert upkeep(places) == [OLD]


def test_the_table_of_the_current_program_and_those_of_records_stay(places: Places) -> None:
    for name in (CURRENT, "events", "labels", "outcomes"):
        put_table(places, name, PAST)
    assert upkeep(places) == []


def test_a_table_that_a_kept_candidate_names_stays_until_the_candidate_goes(places: Places) -> None:
    put_table(places, OLD, PAST)
    put_manifest(places, "machines-20260302T090000Z", CURRENT)
    manifest = put_manifest(places, "machines-20260302T080000Z", OLD, "hdfs://elsewhere:9000")
    assert upkeep(places) == []
    manifest.unlink()
    assert upkeep(places) == [OLD]


@pytest.mark.parametrize("damage", [b"{", b'{"proposed": false, "files": {}}', b'{"table": []}', b"\xff"])
def test_while_a_manifest_does_not_read_nothing_goes_and_the_error_says_which(places: Places, damage: bytes) -> None:
    put_table(places, OLD, PAST)
    put_manifest(places, "machines-20260302T080000Z", CURRENT).write_bytes(damage)
    with pytest.raises(UnknownVersions, match=r"machines-20260302T080000Z: manifest\.json: .* remove that folder"):
        upkeep(places)
    assert DeltaTable.is_deltatable(places.table(PIPELINE.name, OLD))


def test_what_an_interrupted_removal_left_goes(places: Places) -> None:
    folder = Path(places.table(PIPELINE.name, OLD).removeprefix("file://"))
    (folder / "span=0").mkdir(parents=True)
    moment_s = (NOW - PAST).timestamp()
    os.utime(folder, (moment_s, moment_s))
    assert upkeep(places) == [OLD]
