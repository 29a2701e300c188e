"""A run in an H2O that others use too: nothing of ours stays, and nothing of theirs goes."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import h2o
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from tests.integration.h2o_process import running_h2o
from tests.integration.own_streaming import MINIMAL
from tests.waiting import until
from training.algorithms.by_name import algorithm_of
from training.h2o import cluster as cluster_module
from training.h2o.cluster import connected, own_name
from training.h2o.import_window import import_window
from training.training_errors import H2oUnavailable, NotEnoughRows, TrainingFailed
from training.window import Window

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore:(Dropping bad|Converting H2O frame)")]

ROWS = 3000
START, SPLIT, END = 0, 2400, 3000
FIRST_US = 1_795_780_800_123_000
TOO_LONG_S = 120


def window_in(folder: Path, group: Callable[[int], str] = lambda number: f'["{number // 5}"]') -> Window:
    """A row a second; hot machines fail."""
    chance = random.Random(7)
    heat = [chance.uniform(0, 100) for _ in range(ROWS)]
    numbers = list(range(ROWS))
    columns = {
        "bucket": numbers,
        "partition": [0] * ROWS,
        "offset": numbers,
        "append_time": pa.array([FIRST_US + number for number in numbers], pa.timestamp("us", "UTC")),
        "group": [group(number) for number in numbers],
        "label": [value + chance.gauss(0, 20) > 60 for value in heat],
        "f_temperature": heat,
        "f_heat": [value / 2 for value in heat],
        "f_vibration": [chance.random() for _ in numbers],
        "f_worn": [number % 2 == 0 for number in numbers],
        "f_hours_run": numbers,
        "f_alarm": [None] * ROWS,
    }
    types = {"f_alarm": pa.bool_()}
    file = folder / "rows.parquet"
    arrays = {name: v if isinstance(v, pa.Array) else pa.array(v, types.get(name)) for name, v in columns.items()}
    pq.write_table(pa.table(arrays), file)
    return Window("", 0, START, SPLIT, END, (str(file),))


def keys() -> set[str]:
    listed = h2o.ls()
    return set(listed["key"]) if len(listed) else set()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that the client reads from H2O."""
    found: list[bytes] = []

    def noted(*args: object, **more: object) -> requests.Response:
        answer = ask(*args, **more)
        found.append(b"" if more.get("stream") else answer.content)
        return answer

    ask: Callable[..., requests.Response] = requests.request
    monkeypatch.setattr(requests, "request", noted)
    return found


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("h2o")
    with running_h2o(folder) as address:
        yield Places(folder, {"HOTPATH_H2O": address, "HOTPATH_HDFS": "hdfs://127.0.0.1:1"})


def look_around(places: Places) -> None:
    """Connect, to see what is there."""
    h2o.connect(url=places.h2o.url, verbose=False, strict_version_check=False)


def test_a_run_removes_what_is_its_own_and_what_a_killed_one_left(
    places: Places, tmp_path: Path, answers: list[bytes]
) -> None:
    pipeline, window = load(MINIMAL), window_in(tmp_path)
    types = compile_pipeline(pipeline).feature_types
    own = own_name(places, pipeline)
    look_around(places)
    theirs = {"theirs", "hotpath.machines_x2.train"}
    for name in (*theirs, f"{own}.train"):
        h2o.import_file(window.files[0], destination_frame=name)
    h2o.connection().close()

    with connected(places, own, TOO_LONG_S) as cluster:
        assert cluster.nodes == 1
        assert keys() == theirs, "what a killed run had left is gone"
        answers.clear()
        train, holdout = import_window(window, pipeline, types, own)
        assert (train.nrows, holdout.nrows) == (SPLIT, END - SPLIT)
        algorithm = algorithm_of(pipeline)
        model = algorithm.train(pipeline, train, own)
        scored = algorithm.score(model, holdout, ())
        assert len(scored.probability) == END - SPLIT
        sizes = np.unique(scored.group, return_counts=True)[1]
        assert sizes.tolist() == [5] * ((END - SPLIT) // 5), "five rows a group"
        assert sorted(scored.append_us) == [FIRST_US + number for number in range(SPLIT, END)]
        assert not [answer for answer in answers if b'["59' in answer or b'[\\"59' in answer], "no text of a group"
        few = holdout[[0, 1, 2], :]
        labels, leaves = algorithm.labels(model, few), algorithm.leaves(model, few)
        assert (len(labels), len(leaves)) == (3, 3)
        assert len(keys() - theirs) > 5
    with pytest.raises(TrainingFailed, match="2400 of 2400 training rows have a group"), connected(places, own, 60):
        import_window(window_in(tmp_path, group=lambda _: "one"), pipeline, types, own)
    odd = window_in(tmp_path, group=lambda number: "one" if number else "other")
    rest_equal = pytest.raises(TrainingFailed, match="all labels of the rest are equal")
    with rest_equal as failed, connected(places, own, 60):
        import_window(odd, pipeline, types, own)
    assert "2399 of 2400" in str(failed.value)
    assert not any(figure in failed.value.reason for figure in "0123456789"), "it labels a metric"

    with connected(places, own, TOO_LONG_S):
        lost = Window("", 0, START, SPLIT, END, window_in(tmp_path).files, ((0, 100), (SPLIT - 10, SPLIT + 20)))
        train, holdout = import_window(lost, pipeline, types, own)
        assert (train.nrows, holdout.nrows) == (SPLIT - 110, END - SPLIT - 20), "lost records leave both"
    with pytest.raises(NotEnoughRows, match="no rows in the holdout"), connected(places, own, TOO_LONG_S):
        import_window(Window("", 0, START, END, END, window.files), pipeline, types, own)
    look_around(places)
    assert keys() == theirs
    h2o.connection().close()


def endless(folder: Path) -> tuple[Pipeline, Window]:
    """A run that takes hours."""
    pipeline = load(MINIMAL)
    gbm = replace(pipeline.training.gbm, ntrees=100_000)
    return replace(pipeline, training=replace(pipeline.training, gbm=gbm)), window_in(folder)


def train(places: Places, folder: Path, deadline_s: float) -> None:
    pipeline, window = endless(folder)
    own, types = own_name(places, pipeline), compile_pipeline(pipeline).feature_types
    with connected(places, own, deadline_s):
        frame, _ = import_window(window, pipeline, types, own)
        algorithm_of(pipeline).train(pipeline, frame, own)


def running_job(places: Places) -> str | None:
    """The name of a job that trains. Asked without H2O's client, which has one connection for all threads."""
    jobs = requests.get(f"{places.h2o.url}/3/Jobs", timeout=30).json()["jobs"]
    trains = (job for job in jobs if job["status"] == "RUNNING" and job["dest"]["name"].endswith(".model"))
    return next((job["key"]["name"] for job in trains), None)


def left_behind(places: Places) -> tuple[list[str], str | None]:
    """What a look around finds of a run: its keys, and its job."""
    look_around(places)
    try:
        return [key for key in keys() if key.startswith("hotpath.machines.")], running_job(places)
    finally:
        h2o.connection().close()


def test_a_run_that_takes_too_long_ends_in_any_thread_and_leaves_nothing(places: Places, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        failed = pool.submit(train, places, tmp_path, 8).exception(60)
    assert isinstance(failed, TrainingFailed)
    assert "more than 8 s" in str(failed)
    assert left_behind(places) == ([], None)


def test_a_run_whose_job_vanished_with_the_cluster_is_given_up_at_once(places: Places, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        run = pool.submit(train, places, tmp_path, 100)
        job = until(lambda: running_job(places), 60, "the job to run")
        requests.delete(f"{places.h2o.url}/3/DKV/{quote(job)}", timeout=30).raise_for_status()
        failed = run.exception(60)
    assert isinstance(failed, H2oUnavailable)
    assert "a job is gone" in str(failed)


def test_a_cluster_that_stands_still_is_given_up_and_what_is_left_goes_with_the_next_run(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "CLEAN_UP_S", 1)
    pipeline = load(MINIMAL)
    own = own_name(places, pipeline)
    java = int((places.data / "h2o.pid").read_text())
    stands_still = pytest.raises(TrainingFailed, match="more than 5 s")
    try:
        with stands_still, connected(places, own, 5):
            h2o.import_file(window_in(tmp_path).files[0], destination_frame=f"{own}.window")
            os.kill(java, signal.SIGSTOP)
            h2o.ls()
    finally:
        os.kill(java, signal.SIGCONT)
    assert left_behind(places)[0] == [f"{own}.window"]
    with connected(places, own, TOO_LONG_S):
        pass
    assert left_behind(places) == ([], None)
