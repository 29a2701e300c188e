"""A compiled bundle scores as the MOJO does: by leaf, by label, and by probability within 4 ulp."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving._native import Bundle, compile_bundle
from serving.candidates.h2o_equality import ulps_apart
from tests.serving.models import TYPES, as_row, columns, manifest, models, rows, spec
from tests.serving.mojo_scoring import Reference
from tests.serving.mojo_zip import LEFT, NA_LEFT, NA_RIGHT, NA_VS_REST, RIGHT, Levels, Model, Split, mojo_zip

ROW: dict[str, Any] = {"n": 1.0, "i": 1, "s": "a", "t": "level 3", "b": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundles")


def compiled(folder: Path, model: Model, about: dict[str, Any] | None = None) -> Bundle:
    path = folder / "model.bundle"
    compile_bundle(mojo_zip(model), spec(), json.dumps(about or manifest()), str(path))
    return Bundle(str(path))


def leaf(folder: Path, rule: float | Levels | None, missing: int, feature: str, value: Any) -> str:
    """`left` or `right`: where a tree of one split sends a row."""
    bundle = compiled(
        folder, Model(columns(list(TYPES)), [Split(list(TYPES).index(feature), rule, missing, -1.0, 1.0)])
    )
    probability, _ = bundle.score_features(ROW | {feature: value})
    return "right" if probability > 0.5 else "left"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(models(), st.lists(rows, min_size=4, max_size=20))
def test_every_row_ends_in_the_leaves_of_the_mojo(
    folder: Path, model: tuple[Model, list[str]], given_rows: list[dict[str, Any]]
) -> None:
    described, order = model
    bundle, reference = compiled(folder, described), Reference(mojo_zip(described))
    for row in given_rows:
        probability, leaves = bundle.score_features(row)
        expected, positive, expected_leaves = reference.score(as_row(row, order))
        assert leaves == expected_leaves
        assert ulps_apart(probability, expected) <= 4
        assert (probability >= bundle.threshold) == positive


def test_a_threshold_is_a_float_and_the_value_a_double(folder: Path) -> None:
    threshold = 0.10000000149011612  # the float nearest to 0.1
    assert leaf(folder, threshold, LEFT, "n", threshold) == "right"
    assert leaf(folder, threshold, LEFT, "n", math.nextafter(threshold, 0)) == "left"
    assert leaf(folder, threshold, LEFT, "n", 0.1) == "left"


def test_minus_zero_is_zero(folder: Path) -> None:
    assert leaf(folder, 0.0, LEFT, "n", -0.0) == "right"
    assert leaf(folder, -0.0, LEFT, "n", 0.0) == "right"


@pytest.mark.parametrize("missing", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("direction", "side"), [(NA_LEFT, "left"), (LEFT, "left"), (NA_RIGHT, "right"), (RIGHT, "right")]
)
def test_nan_and_the_infinities_are_missing(folder: Path, missing: float | None, direction: int, side: str) -> None:
    assert leaf(folder, 0.0, direction, "n", missing) == side


def test_missing_against_the_rest(folder: Path) -> None:
    assert leaf(folder, None, NA_VS_REST, "n", None) == "right"
    assert leaf(folder, None, NA_VS_REST, "n", 3.4e38) == "left"
    assert leaf(folder, None, NA_VS_REST, "s", "a") == "left"


@pytest.mark.parametrize(("level", "side"), [("level 30", "right"), ("level 31", "left")])
def test_a_set_bit_is_right(folder: Path, level: str, side: str) -> None:
    assert leaf(folder, Levels(30, 41, frozenset([30])), NA_LEFT, "t", level) == side


@pytest.mark.parametrize("level", [None, "", "level 70", "level 29"])
def test_a_level_that_is_missing_unseen_or_out_of_range_goes_where_missing_goes(
    folder: Path, level: str | None
) -> None:
    none, everything = Levels(30, 40, frozenset()), Levels(30, 40, frozenset(range(30, 70)))
    assert leaf(folder, none, NA_RIGHT, "t", level) == "right"
    assert leaf(folder, everything, NA_LEFT, "t", level) == "left"


def test_an_empty_string_is_a_level_where_training_saw_it(folder: Path) -> None:
    assert leaf(folder, Levels(0, 7, frozenset([0])), NA_LEFT, "s", "") == "right"


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("\ufffd", "<0xEFBFBD>"),
        ("a\ufffdb", "a<0xEFBFBD>b"),
        ("\xe9\ufffd, \U0001f600", "<0xC3A9EFBFBD>, <0xF09F9880>"),
        ("\xe9", "\xe9"),
        ("<0x41>", "<0x41>"),
    ],
)
def test_a_text_with_the_replacement_character_is_the_level_that_h2o_makes_of_it(
    folder: Path, text: str, level: str
) -> None:
    model = Model({"f_t": ["other", level]}, [Split(0, Levels(0, 2, frozenset([1])), NA_LEFT, -1.0, 1.0)])
    probability, _ = compiled(folder, model).score_features(ROW | {"t": text})
    assert probability > 0.5


def test_the_smallest_int_is_missing_as_in_h2o(folder: Path) -> None:
    assert leaf(folder, 0.0, NA_RIGHT, "i", -(2**63)) == "right"
    assert leaf(folder, 0.0, NA_RIGHT, "i", -(2**63) + 1) == "left"


def test_the_label_is_positive_at_the_threshold(folder: Path) -> None:
    model = Model(columns(["n"]), [0.0], threshold=0.5)
    assert compiled(folder, model).score(b'{"id": "q"}', None, 0)["positive"] is True


def test_a_request_is_scored_from_its_bytes(folder: Path) -> None:
    about = manifest()
    about["features"][0] |= {"min": 0.0, "max": 2.0}
    bundle = compiled(folder, Model(columns(["n", "t"]), [Split(0, 1.0, LEFT, -1.0, 1.0)]), about)
    answer = bundle.score(b'{"id": "q", "n": 2.5, "t": "new", "s": "", "wind": 1}', 1_000_000, 0)
    assert answer["probability"] == pytest.approx(1 / (1 + math.exp(-1)))
    assert answer["positive"] is True
    assert answer["features"] == {"n": 2.5, "i": None, "s": None, "t": "new", "b": None}
    assert (answer["unseen"], answer["outside"], answer["unknown"]) == ([("t", "new")], [("n", 2.5)], ["wind"])
    assert (answer["as_of_us"], answer["as_of_source"], answer["due_us"]) == (1_000_000, "query", 61_000_000)


def test_a_broken_request_has_errors_and_no_probability(folder: Path) -> None:
    answer = compiled(folder, Model(columns(["n"]), [0.0])).score(b'{"n": "five"}', None, 0)
    assert (answer["probability"], answer["positive"]) == (None, None)
    assert {error["field"] for error in answer["errors"]} == {"n", "id"}


def test_features_that_the_bundle_does_not_know_or_that_lack_are_named(folder: Path) -> None:
    bundle = compiled(folder, Model(columns(["n"]), [0.0]))
    with pytest.raises(ValueError, match="feature wind: the bundle has none"):
        bundle.score_features(ROW | {"wind": 1.0})
    with pytest.raises(ValueError, match="feature s is not given"):
        bundle.score_features({name: value for name, value in ROW.items() if name != "s"})
    with pytest.raises(ValueError, match="feature n: not a double"):
        bundle.score_features(ROW | {"n": "five"})


def test_the_bundle_carries_the_manifest(folder: Path) -> None:
    assert compiled(folder, Model(columns(["n"]), [0.0])).manifest == manifest()


def test_a_string_that_was_always_missing_in_training_has_no_level(folder: Path) -> None:
    about = manifest()
    about["features"][2]["levels"] = None
    answer = compiled(folder, Model(columns(["n"]), [0.0]), about).score(b'{"id": "q", "s": "a"}', None, 0)
    assert answer["unseen"] == [("s", "a")]
