"""What the environment must say: each process needs only its own engines, and says at its start which one lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contract.environment import VariableError
from contract.layout import Places

ALL = {
    "HOTPATH_ONPREM_KAFKA": "127.0.0.1:1",
    "HOTPATH_CLOUD_KAFKA": "127.0.0.1:1",
    "HOTPATH_HDFS": "hdfs://127.0.0.1:1",
    "HOTPATH_H2O": "http://127.0.0.1:1",
}
LACKING = [
    ("training.trainer", "HOTPATH_H2O"),
    ("streaming.progress.mirror_watcher", "HOTPATH_ONPREM_KAFKA"),
    ("serving.candidates.pull", "HOTPATH_HDFS"),
]


def test_an_engine_that_is_not_named_is_missed_only_where_it_is_used(tmp_path: Path) -> None:
    places = Places.from_environment({"HOTPATH_DATA": str(tmp_path), "HOTPATH_ONPREM_KAFKA": "broker:9092"})
    assert places.onprem.bootstrap == "broker:9092"
    assert places.onprem_folder("p") == tmp_path / "onprem" / "p"
    with pytest.raises(VariableError, match=r"HOTPATH_HDFS is not set; .* for example HOTPATH_HDFS=hdfs://namenode"):
        places.registry("p")


def test_an_engine_that_a_process_needs_is_missed_at_once() -> None:
    for need, variable in (("onprem", "ONPREM_KAFKA"), ("cloud", "CLOUD_KAFKA"), ("hdfs", "HDFS"), ("h2o", "H2O")):
        lacking = {name: value for name, value in ALL.items() if name != f"HOTPATH_{variable}"}
        with pytest.raises(VariableError, match=f"HOTPATH_{variable} is not set"):
            Places.from_environment(lacking, needs=(need,))  # type: ignore[arg-type]


@pytest.mark.parametrize("half", ["HOTPATH_H2O_USERNAME", "HOTPATH_H2O_PASSWORD"])
def test_half_a_login_is_refused_by_name(half: str) -> None:
    with pytest.raises(VariableError, match="set both HOTPATH_H2O_USERNAME and HOTPATH_H2O_PASSWORD, or neither"):
        Places.from_environment(ALL | {half: "ann"}, needs=("h2o",))


def test_an_address_may_end_in_a_slash() -> None:
    places = Places.from_environment(ALL | {"HOTPATH_HDFS": "hdfs://name:8020/", "HOTPATH_H2O": "http://h2o:54321/"})
    assert places.table("p", "events") == "hdfs://name:8020/hotpath/p/tables/events"
    assert places.h2o.url == "http://h2o:54321"


def test_no_secret_is_in_what_is_printed_of_places() -> None:
    secrets = {
        "HOTPATH_CLOUD_KAFKA_SASL_PASSWORD": "s3cret",
        "HOTPATH_H2O_USERNAME": "a",
        "HOTPATH_H2O_PASSWORD": "s3cret",
    }
    places = Places.from_environment(ALL | secrets)
    assert places.cloud.settings["sasl.password"] == "s3cret"
    assert "s3cret" not in f"{places} {places.cloud} {places.h2o}"


def test_a_process_that_lacks_an_engine_ends_at_its_start_with_one_line(tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOTPATH_")}
    given = inherited | ALL | {"HOTPATH_DATA": str(tmp_path)}
    for module, lacks in LACKING:
        env = {name: value for name, value in given.items() if name != lacks}
        ended = subprocess.run([sys.executable, "-m", module], env=env, capture_output=True, text=True, timeout=60)
        assert ended.returncode == 1
        [line] = ended.stderr.splitlines()
        assert f"{lacks} is not set; set it in the environment or in .env" in line
