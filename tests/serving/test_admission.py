"""A candidate is admitted only if its bundle answers every reference row as H2O did."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving._native import Bundle
from serving.admission import Refused, admit
from serving.agreement import ulps_apart
from tests.serving.admission_candidates import reference_rows, write_candidate
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
    assert "row 4: label" in text


def test_another_number_of_trees_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, candidate(tmp_path, lambda rows: rows[0]["leaves"].append(0)))
    assert "row 1: number of trees: H2O has 3, the bundle 2" in text


def test_four_ulp_agree_and_five_do_not(tmp_path: Path) -> None:
    def off_by(ulps: int) -> Callable[[list[dict[str, Any]]], object]:
        return lambda rows: rows[2].update(probability=rows[2]["probability"] + ulps * math.ulp(rows[2]["probability"]))

    admit(candidate(tmp_path, off_by(4)), tmp_path / "p.bundle").bundle.unlink()
    assert "row 3: probability (5 ulp apart)" in refusal(tmp_path, candidate(tmp_path, off_by(5)))


def test_an_event_whose_features_differ_from_its_row_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, candidate(tmp_path, lambda rows: rows[4]["event"].update(i=2)))
    assert "row 5: feature i of its event: H2O has 1, the bundle 2" in text


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
    assert "not of format 1" in refusal(tmp_path, folder)


def test_ulps_count_the_doubles_between() -> None:
    assert ulps_apart(0.5, math.nextafter(0.5, 1)) == 1
    assert ulps_apart(0.0, -0.0) == 0
    assert ulps_apart(-5e-324, 5e-324) == 2
    assert ulps_apart(math.nan, math.nan) == math.inf
