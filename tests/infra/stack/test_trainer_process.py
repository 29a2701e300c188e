"""The trainer asks serving before it writes a candidate."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from contract.manifest import MODEL, REFERENCE, SPEC, manifest_from
from infra.stack.trainer_process import refuse_what_cannot_serve
from tests.manifests import sums
from tests.serving.admission_candidates import reference_rows
from tests.serving.models import columns, manifest, spec
from tests.serving.mojo_zip import LEFT, Model, Split, mojo_zip
from training.training_errors import TrainingFailed

STUMP = Model(columns(["n"]), [Split(0, 0.5, LEFT, -1.0, 1.0)])
ROW: dict[str, Any] = {"n": 1.0, "i": 1, "s": "a", "t": "level 3", "b": True}


def check(model: Model, **answer: Any) -> None:
    """The candidate of a model, whose only reference row is the stump's answer, but for `answer`."""
    [row] = reference_rows(STUMP, ["n"], [ROW])
    files = {MODEL: mojo_zip(model), SPEC: spec().encode(), REFERENCE: json.dumps(row | answer).encode()}
    refuse_what_cannot_serve(manifest_from(manifest() | {"files": sums(files)}), files)


def test_what_serving_admits_is_let_through() -> None:
    check(STUMP)


def test_what_serving_does_not_know_is_refused_by_name() -> None:
    with pytest.raises(TrainingFailed, match=r"serving cannot admit it: model\.zip: model\.ini: algo = rulefit"):
        check(replace(STUMP, info={"algo": "rulefit"}))


def test_answers_that_differ_from_h2os_are_refused() -> None:
    with pytest.raises(TrainingFailed, match="row 1: label: H2O has False, the bundle True") as failed:
        check(STUMP, positive=False)
    assert failed.value.reason == "serving cannot admit what was trained"
