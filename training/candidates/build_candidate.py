"""A candidate: everything that serving and a later reader need to know of one trained model."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from contract import manifest as contract
from contract import variables
from contract.environment import Environment
from contract.hyperparameters import said
from contract.manifest import FORMAT, MODEL, REFERENCE, SPEC, Feature, Manifest, Span, TableVersion, version_at
from contract.pipeline import Pipeline
from contract.records import FEATURE_PREFIX
from contract.scorecard import Card
from contract.timestamps import rfc3339
from streaming.pipeline_file.compile_pipeline import Compiled
from training.algorithms.by_name import algorithm_of
from training.evaluation.holdout_metrics import Bools
from training.h2o.cluster import Cluster
from training.h2o.frames import described
from training.window import Window


def manifest(
    pipeline: Pipeline,
    compiled: Compiled,
    cluster: Cluster,
    window: Window,
    model: Any,
    train: Any,
    metrics: Mapping[str, Any],
    newest_as_of: datetime,
    created: datetime,
    holdout_labels: Bools,
    scorecard: Card | None,
) -> Manifest:
    """All but the files' checksums, which the registry adds. `metrics` are those of the compare rows."""
    start, split, end = (rfc3339(moment) for moment in window.moments)
    missed = below_floors(pipeline, metrics)
    return Manifest(
        format=FORMAT,
        version=version_at(pipeline.name, created),
        pipeline=pipeline.name,
        pipeline_hash=pipeline.file_hash,
        rows_hash=pipeline.rows_hash,
        created=rfc3339(created),
        proposed=not missed,
        why="; ".join(missed) or "at or above every floor",
        table=TableVersion(path=window.table, version=window.version),
        window=Span(start=start, end=split),
        holdout=Span(start=split, end=end),
        newest_as_of=rfc3339(newest_as_of),
        rows=train.nrows,
        holdout_rows=len(holdout_labels),
        positives=int(holdout_labels.sum()),
        code_version=Environment().get(variables.CODE_VERSION) or package_version("hotpath"),
        h2o=contract.Cluster(**asdict(cluster)),
        algorithm=pipeline.training.algorithm,
        hyperparameters=said(pipeline.training.hyperparameters),
        metrics=dict(metrics),
        threshold=algorithm_of(pipeline).threshold(model),
        features=_features(pipeline, compiled, train),
        files={},
        scorecard=scorecard,
    )


def files(compiled: Compiled, model: Any, reference: list[dict[str, Any]]) -> dict[str, bytes]:
    """The files beside the manifest."""
    with tempfile.TemporaryDirectory() as folder:
        mojo = Path(model.download_mojo(path=folder)).read_bytes()
    lines = (json.dumps(row, allow_nan=False, separators=(",", ":")) for row in reference)
    return {
        MODEL: mojo,
        SPEC: compiled.spec.encode(),
        REFERENCE: ("\n".join(lines) + "\n").encode(),
    }


def below_floors(pipeline: Pipeline, metrics: Mapping[str, Any]) -> list[str]:
    """In words, every metric of the holdout that is below its floor."""
    found = []
    for name, floor in pipeline.promotion.floors.items():
        value = metrics[name]
        if value is None or value < floor:
            found.append(f"{name} {value if value is None else format(value, '.4g')} is below its floor {floor:g}")
    return found


def _features(pipeline: Pipeline, compiled: Compiled, train: Any) -> list[Feature]:
    columns = described(train)
    return [
        Feature(name=name, type=compiled.feature_types[name].value, **columns[FEATURE_PREFIX + name])
        for name in pipeline.features
    ]
