"""A candidate is admitted only if its bundle answers every reference row as H2O did."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from serving._native import Bundle
from serving.candidates.admission import Refused, admit, event_difference
from serving.candidates.h2o_equality import probability_difference, ulps_apart
from tests.serving.admission_candidates import AS_OF, reference_rows, write_candidate
from tests.serving.models import columns
from tests.serving.mojo_zip import LEFT, NA_RIGHT, Levels, Model, Split, mojo_zip

ORDER = ["n", "s"]
MODEL = Model(
    columns(ORDER), [Split(0, 0.5, LEFT, -1.0, Split(1, Levels(0, 7, frozenset([3])), NA_RIGHT, 0.25, 1.0)), 0.125]
)
ROWS = [
    {"n": n, "i": 1, "s": s, "t": None, "b": False} for n in (0.1, None, 0.75, 2.0) for s in ("a", "é", "", None, "?")
]


def candidate(folder: Path, change: Callable[[list[dict[str, Any]]], object] = len) -> Path:
    reference = reference_rows(MODEL, ORDER, ROWS)
    change(reference)
    return write_candidate(folder / "candidate", mojo_zip(MODEL), reference)


def refusal(folder: Path, of: Path) -> str:
    """What admission says against a candidate; no bundle may be left behind."""
    with pytest.raises(Refused) as refused:
        admit(of, folder / "p.bundle")
    assert [path.name for path in folder.iterdir()] == ["candidate"]
    return str(refused.value)


def test_a_candidate_that_agrees_on_every_row_is_admitted(tmp_path: Path) -> None:
    admission = admit(candidate(tmp_path), tmp_path / "p.bundle")
    assert (admission.version, admission.rows, admission.events) == ("p-20261121T021700Z", 20, 20)
    assert Bundle(str(admission.bundle)).threshold == 0.5
    assert {path.name for path in tmp_path.iterdir()} == {"candidate", "p.bundle"}


def test_the_first_row_with_another_leaf_is_named(tmp_path: Path) -> None:
    def change(rows: list[dict[str, Any]]) -> None:
        rows[7]["leaves"][0] += 1
        rows[9]["leaves"][0] += 1

    found = reference_rows(MODEL, ORDER, ROWS)[7]["leaves"][0]
    expected = f"row 8: leaf of tree 0: H2O has {found + 1}, the bundle {found}"
    assert refusal(tmp_path, candidate(tmp_path, change)).endswith(expected)


def test_another_label_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, candidate(tmp_path, lambda rows: rows[3].update(positive=not rows[3]["positive"])))
    assert "row 4: label: H2O has" in text


def test_another_number_of_trees_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, candidate(tmp_path, lambda rows: rows[0]["leaves"].append(0)))
    assert "row 1: number of trees: H2O has 3, the bundle 2" in text


def test_fewer_trees_than_the_bundle_has_are_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, candidate(tmp_path, lambda rows: rows[0]["leaves"].pop()))
    assert "row 1: number of trees: H2O has 1, the bundle 2" in text


def test_four_ulp_agree_and_five_do_not(tmp_path: Path) -> None:
    def off_by(ulps: int) -> Callable[[list[dict[str, Any]]], object]:
        return lambda rows: rows[2].update(probability=rows[2]["probability"] + ulps * math.ulp(rows[2]["probability"]))

    admit(candidate(tmp_path, off_by(4)), tmp_path / "p.bundle").bundle.unlink()
    assert "row 3: probability (5 ulp apart)" in refusal(tmp_path, candidate(tmp_path, off_by(5)))


def test_an_event_whose_features_differ_from_its_row_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, candidate(tmp_path, lambda rows: rows[4]["event"].update(i=2)))
    assert "row 5: feature i of its event: H2O has 1, the bundle 2" in text


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ({}, None),
        ({"features": {"n": None, "b": True}}, None),
        ({"features": {"n": 0.0, "b": True}}, "feature n of its event"),
        ({"features": {"n": math.nan, "b": 1}}, "feature b of its event"),
        ({"positive": False}, "label of its event"),
        ({"probability": 0.25 + 5 * math.ulp(0.25)}, "probability (5 ulp apart)"),
    ],
)
def test_an_event_must_give_the_features_the_label_and_the_probability_of_its_row(
    found: dict[str, Any], what: str | None
) -> None:
    row = {"as_of": AS_OF, "event": {}, "features": {"n": None, "b": True}, "positive": True, "probability": 0.25}
    answer = {"errors": [], "features": {"n": math.nan, "b": True}, "positive": True, "probability": 0.25} | found
    difference = event_difference(cast(Bundle, SimpleNamespace(score=lambda *_: answer)), row)
    assert (difference and difference.what) == what


def test_an_event_that_is_a_dead_letter_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, candidate(tmp_path, lambda rows: rows[4]["event"].pop("id")))
    assert "row 5: its event" in text


@pytest.mark.parametrize("name", ["model.zip", "transform.json", "reference.jsonl"])
def test_a_file_that_is_not_what_the_manifest_says_is_refused(tmp_path: Path, name: str) -> None:
    folder = candidate(tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"!")
    assert f"{name}: sha256" in refusal(tmp_path, folder)
    (folder / name).unlink()
    assert f"{name}: not there" in refusal(tmp_path, folder)


def test_a_candidate_without_reference_rows_is_refused(tmp_path: Path) -> None:
    assert "no rows" in refusal(tmp_path, candidate(tmp_path, list.clear))


def test_a_row_without_its_parts_is_refused(tmp_path: Path) -> None:
    assert "row 1: not a reference row" in refusal(tmp_path, candidate(tmp_path, lambda rows: rows[0].pop("leaves")))


def test_a_manifest_of_another_format_is_refused(tmp_path: Path) -> None:
    folder = candidate(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 2}))
    assert "it is of format 2; this version of hotpath reads format 1" in refusal(tmp_path, folder)


@pytest.mark.parametrize("key", ["version", "pipeline", "features", "files"])
def test_a_manifest_that_lacks_a_part_is_refused_by_its_name(tmp_path: Path, key: str) -> None:
    folder = candidate(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest[key]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert refusal(tmp_path, folder) == f"manifest.json: Object missing required field `{key}`"


def test_a_line_of_the_reference_ends_only_at_its_newline(tmp_path: Path) -> None:
    rows = reference_rows(MODEL, ORDER, [row | {"t": "a\u2028b\x85c"} for row in ROWS])
    folder = tmp_path / "candidate"
    write_candidate(folder, mojo_zip(MODEL), [])
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    (folder / "reference.jsonl").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["reference.jsonl"] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert admit(folder, tmp_path / "p.bundle").rows == len(rows)


def test_ulps_count_the_doubles_between() -> None:
    assert ulps_apart(0.5, math.nextafter(0.5, 1)) == 1
    assert ulps_apart(0.0, -0.0) == 0
    assert ulps_apart(-5e-324, 5e-324) == 2
    assert ulps_apart(math.nan, math.nan) == math.inf


@pytest.mark.parametrize(("floats", "is_accepted"), [(1, True), (2, True), (3, False), (1.5, False)])
def test_a_probability_that_is_a_float_may_be_two_floats_off(floats: float, is_accepted: bool) -> None:
    """XGBoost's are; 0.5 and what lies half a float beside another one are told apart as doubles."""
    found = 0.5 + floats * 2**-24
    assert (probability_difference(0.5, found) is None) == is_accepted
