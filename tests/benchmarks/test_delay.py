"""The measured delay is the commit's moment minus the on-prem append time, of records that were not imported."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from benchmarks.delay import delays_s
from contract.records import TIMESTAMP


def test_live_records_count_from_their_append_time_to_their_commit(tmp_path: Path) -> None:
    now_s = time.time()
    stamps = pa.array([round((now_s - age) * 1e6) for age in (10, 20, 30)], TIMESTAMP)
    table = pa.table({"append_time": stamps, "imported": [False, False, True]})
    write_deltalake(str(tmp_path), table)
    found = sorted(delays_s(f"file://{tmp_path}", now_s - 60))
    assert found == pytest.approx([10, 20], abs=5)


def test_older_commits_are_left_out(tmp_path: Path) -> None:
    table = pa.table({"append_time": pa.array([0], TIMESTAMP), "imported": [False]})
    write_deltalake(str(tmp_path), table)
    assert len(delays_s(f"file://{tmp_path}", time.time() + 60)) == 0
