"""A run in an H2O that others use too: nothing of ours stays, and nothing of theirs goes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import h2o
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

from contract.layout import Places
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.load import load
from tests.integration.h2o_process import running_h2o
from tests.integration.own_streaming import MINIMAL
from training.algorithms.gbm import predictions, score, train_gbm
from training.h2o.cluster import connected, own_name
from training.h2o.import_window import import_window
from training.training_errors import NotEnoughRows, TrainingFailed
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


def test_a_run_removes_what_is_its_own_and_what_a_killed_one_left(tmp_path: Path, answers: list[bytes]) -> None:
    pipeline, window = load(MINIMAL), window_in(tmp_path)
    types = compile_pipeline(pipeline).feature_types
    with running_h2o(tmp_path) as address:
        places = Places(tmp_path, {"HOTPATH_H2O": address, "HOTPATH_HDFS": "hdfs://127.0.0.1:1"})
        own = own_name(places, pipeline)
        h2o.connect(url=address, verbose=False, strict_version_check=False)
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
            model = train_gbm(pipeline, train, own)
            scored = score(model, holdout, ())
            assert len(scored.probability) == END - SPLIT
            assert sorted(scored.append_us) == [FIRST_US + number for number in range(SPLIT, END)]
            assert not [answer for answer in answers if b'["59' in answer or b'[\\"59' in answer], "no text of a group"
            labels, leaves = predictions(model, holdout[[0, 1, 2], :])
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
        h2o.connect(url=address, verbose=False, strict_version_check=False)
        assert keys() == theirs
        h2o.connection().close()
