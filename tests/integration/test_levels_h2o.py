"""Every text that can come out of the decoder: the scorer answers its event as H2O has learnt it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.layout import Places
from contract.pipeline import Pipeline
from serving._native import Bundle, compile_bundle
from serving.candidates.admission import event_difference
from serving.candidates.h2o_equality import row_difference
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from tests.integration.h2o_process import running_h2o
from tests.streaming.pipelines import changed
from training.algorithms.by_name import algorithm_of
from training.evaluation.holdout_metrics import metrics
from training.h2o.cluster import connected, own_name
from training.h2o.frames import described
from training.h2o.import_window import import_window
from training.window import Window

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore:(Dropping bad|Converting H2O frame)")]

REPLACED = "\ufffd"
AWKWARD = [
    *("", " ", "  ", " before", "after ", "\t", "\n", "\r", "\r\n", "a\nb", "a\rb", "a\n", "\na", "\n\n"),
    *("\x00", "a\x00b", "a\x00", *map(chr, range(1, 32)), "\x7f", "\x80", "\x85", "a\x85b", "\xa0", "\u2028", "\u2029"),
    *('"', 'a"b', '""', "'", ",", "a,b", ";", "\\", "\\\\", "\\n", "\\t", "a\\nb", "\\\n", "[domains]", "a = b", "# c"),
    *("NA", "na", "null", "NaN", "nan", "None", "-", "?", "1", "1.0", "1e5", "True", "true", "FALSE", "inf"),
    *("é", "e\u0301", "ß", "İ", "漢", "\u200b", "\ufeff", "\ufeffx", "\ufffe", "\uffff", "\ue000", "\ud7ff"),
    *("😀", "\U00010000", "\U0010ffff", "a😀b", "x" * 200_000, "é" * 100_000),
    *(
        REPLACED,
        f"a{REPLACED}b",
        f"{REPLACED}{REPLACED}",
        f"é{REPLACED}",
        f"{REPLACED}é",
        f"é {REPLACED} 漢😀",
        f"\x00{REPLACED}",
    ),
    *("<0x41>", "<0x", "<0xC3A9>", "<0xEFBFB>", "<0xFF>", "a<0x>b"),
]
SEEN = 12
"""How often training sees each."""
GENERATED = 300
FIRST_US = 1_795_780_800_000_000
BUCKETS = (0, 60, 120)


def generated() -> Iterator[str]:
    """Short texts of any Unicode characters but surrogates, which UTF-8 cannot hold."""
    chance = random.Random(11)
    ranges = ((0, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x1_0000), (0xFFF0, 0x1_0000), (0x1_0000, 0x11_0000))
    for _ in range(GENERATED):
        yield "".join(chr(chance.randrange(*chance.choice(ranges))) for _ in range(chance.randrange(1, 5)))


def pipeline_with_text(folder: Path) -> Pipeline:
    pipeline = changed(
        folder,
        ('alarm = "boolean"', 'alarm = "boolean"\ntext = "string"'),
        ('alarm = "alarm"', 'alarm = "alarm"\ntext = "text"'),
        ("every = ", 'slices = ["text"]\nevery = '),
    )
    gbm = replace(pipeline.training.gbm, ntrees=20, max_depth=12, min_rows=1.0, sample_rate=1.0, col_sample_rate=1.0)
    return replace(pipeline, training=replace(pipeline.training, gbm=gbm))


def window_of(folder: Path, texts: Sequence[str | None]) -> Window:
    """Each text some times in training, half of them nearly always with the label; then once each, held out."""
    chance = random.Random(5)
    rows = [(text, number, 0) for number, text in enumerate(texts) for _ in range(SEEN)]
    chance.shuffle(rows)
    rows += [(text, number, 60) for number, text in enumerate(texts)]
    count = len(rows)
    columns = {
        "bucket": [bucket for _, _, bucket in rows],
        "partition": [0] * count,
        "offset": list(range(count)),
        "append_time": pa.array([FIRST_US + number for number in range(count)], pa.timestamp("us", "UTC")),
        "group": [f"{number}" for number in range(count)],
        "label": [chance.random() < (0.9 if number % 2 else 0.1) for _, number, _ in rows],
        "f_temperature": [1.0] * count,
        "f_heat": [0.5] * count,
        "f_vibration": [0.0] * count,
        "f_worn": [False] * count,
        "f_hours_run": [1] * count,
        "f_alarm": pa.nulls(count, pa.bool_()),
        "f_text": pa.array([text or None for text, _, _ in rows], pa.string()),
    }
    file = folder / "rows.parquet"
    pq.write_table(pa.table(columns), file)
    return Window("", 0, *BUCKETS, (f"file://{file}",))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    folder = tmp_path_factory.mktemp("h2o")
    with running_h2o(folder) as address:
        yield Places(folder, {"HOTPATH_H2O": address, "HOTPATH_HDFS": "hdfs://127.0.0.1:1"})


def trained(places: Places, folder: Path, texts: Sequence[str | None]) -> tuple[Bundle, list[dict[str, Any]], set[str]]:
    """The bundle, a reference row for every held out text, and the levels of its slice."""
    pipeline, window = pipeline_with_text(folder), window_of(folder, texts)
    compiled, own = compile_pipeline(pipeline), own_name(places, pipeline)
    with connected(places, own, 300):
        train, holdout = import_window(window, pipeline, compiled.feature_types, own)
        algorithm, rows = algorithm_of(pipeline), holdout[list(range(holdout.nrows)), :]
        model = algorithm.train(pipeline, train, own)
        scored = algorithm.score(model, holdout, ("text",))
        labels, leaves = algorithm.labels(model, rows), algorithm.leaves(model, rows)
        mojo, columns = Path(model.download_mojo(path=str(folder))).read_bytes(), described(train)
    kinds = compiled.feature_types
    features = [{"name": name, "type": kinds[name].value} | columns[f"f_{name}"] for name in pipeline.features]
    about = {"format": 1, "version": "m-20261121T021700Z", "pipeline": "machines", "features": features, "files": {}}
    compile_bundle(mojo, compiled.spec, json.dumps(about), str(folder / "m.bundle"))
    first = len(texts) * SEEN
    rows = [
        reference(texts[int(offset) - first]) | {"probability": float(probability), "positive": label, "leaves": nodes}
        for offset, probability, label, nodes in zip(scored.offset, scored.probability, labels, leaves, strict=True)
    ]
    return Bundle(str(folder / "m.bundle")), rows, set(metrics(scored)["slices"]["text"])


def reference(text: str | None) -> dict[str, Any]:
    features = {"temperature": 1.0, "heat": 0.5, "vibration": 0.0, "worn": False, "hours_run": 1, "alarm": None}
    event: dict[str, Any] = {
        "reading": 1,
        "read_at": 1767225600000,
        "machine": 1,
        "shift": 1,
        "temperature": 1.0,
        "load": 0.5,
    }
    event |= {"hours_run": 1} | ({} if text is None else {"text": text})
    return {"features": features | {"text": text or None}, "event": event, "as_of": "2026-01-01T00:00:00Z"}


def differences(bundle: Bundle, rows: list[dict[str, Any]]) -> list[str]:
    found = []
    for row in rows:
        probability, leaves = bundle.score_features(row["features"])
        said = row_difference(row, probability, probability >= bundle.threshold, leaves) or event_difference(
            bundle, row
        )
        unseen = bundle.score(json.dumps(row["event"]).encode(), 1_767_225_600_000_000, 0)["unseen"]
        if said or unseen:
            found.append(f"{row['features']['text']!r:.40}: {said} unseen={unseen!r:.60}")
    return found


def test_every_text_is_served_as_it_was_trained(places: Places, tmp_path: Path) -> None:
    texts = [*dict.fromkeys([*AWKWARD, *generated()]), None]
    bundle, rows, levels = trained(places, tmp_path, texts)
    assert len(rows) == len(texts)
    assert differences(bundle, rows) == []
    assert len({row["probability"] for row in rows}) > 8, "the model tells texts apart"
    assert len(levels) > len(texts) - 10, "a slice each, but for those that H2O's JSON names wrongly"


def test_texts_that_h2o_cannot_tell_apart_end_no_run(places: Places, tmp_path: Path) -> None:
    """A text with the replacement character, and the digits that H2O makes of it."""
    confused, digits = ("a\ufffd", "é\ufffd"), ("a<0xEFBFBD>", "<0xC3A9EFBFBD>")
    texts = [*(f"other {number}" for number in range(30)), *confused, *digits]
    bundle, rows, levels = trained(places, tmp_path, texts)
    assert {row["features"]["text"] for row in rows} == set(texts) - set(confused), "their rows are left out"
    assert differences(bundle, rows) == []
    assert levels == set(texts) - set(confused)
    for odd, as_level in zip(confused, digits, strict=True):
        said = [bundle.score_features(reference(text)["features"]) for text in (odd, as_level)]
        assert said[0] == said[1], "as H2O would read it"
