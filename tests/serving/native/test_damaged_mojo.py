"""A MOJO that is broken, hostile or of another kind is refused with the place in it; nothing crashes."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import pytest

from serving._native import Bundle, compile_bundle
from tests.serving.models import TYPES, columns, manifest, spec
from tests.serving.mojo_zip import LEFT, NA_RIGHT, Levels, Model, Split, Tree, mojo_zip, unzipped, zipped

TREE = Split(0, 0.5, LEFT, Split(3, Levels(3, 40, frozenset([5, 9])), NA_RIGHT, -1.0, 0.5), 0.25)
MODEL = Model(columns(list(TYPES)), [TREE, TREE])
ROW = {"n": 1.0, "i": 1, "s": "a", "t": "level 3", "b": True}
DAMAGED = 300


def refusal(folder: Path, mojo: bytes) -> str:
    """What compiling says; the message begins with the place: a file within the zip, or a part of the model."""
    with pytest.raises(ValueError, match=r"^[\w./' ]+: .+") as refused:
        compile_bundle(mojo, spec(), json.dumps(manifest()), str(folder / "p.bundle"))
    assert not list(folder.iterdir())
    return str(refused.value)


def replaced(name: str, content: bytes) -> bytes:
    return zipped(unzipped(mojo_zip(MODEL)) | {name: content})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("algo", "deeplearning"),
        ("category", "Multinomial"),
        ("distribution", "quasibinomial"),
        ("link_function", "log"),
        ("_genmodel_encoding", "OneHotExplicit"),
        ("n_trees_per_class", "2"),
        ("endianness", "BIG_ENDIAN"),
    ],
)
def test_another_kind_of_model_is_refused_by_name(tmp_path: Path, key: str, value: str) -> None:
    text = refusal(tmp_path, mojo_zip(Model(MODEL.columns, MODEL.trees, info={key: value})))
    assert text.startswith(f"model.ini: {key} = {value} is not in this version")


@pytest.mark.parametrize(("key", "what"), [("offset_column", "an offset"), ("calib_method", "calibration")])
def test_offset_and_calibration_are_refused_by_name(tmp_path: Path, key: str, what: str) -> None:
    text = refusal(tmp_path, mojo_zip(Model(MODEL.columns, MODEL.trees, info={key: "platt"})))
    assert text.startswith(f"model.ini: {what} (")
    assert text.endswith("is not in this version")


@pytest.mark.parametrize("name", sorted(unzipped(mojo_zip(MODEL))))
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    files = unzipped(mojo_zip(MODEL))
    del files[name]
    assert name in refusal(tmp_path, zipped(files))


@pytest.mark.parametrize("number", ["n_trees", "n_features", "init_f", "default_threshold"])
@pytest.mark.parametrize("value", ["-1", "nan", "many", "99999999999"])
def test_a_senseless_number_is_refused(tmp_path: Path, number: str, value: str) -> None:
    info = {number: value}
    mojo = mojo_zip(Model(MODEL.columns, MODEL.trees, info=info))
    if (number, value) in [("init_f", "-1"), ("init_f", "99999999999")]:  # as good as any
        compile_bundle(mojo, spec(), json.dumps(manifest()), str(tmp_path / "p.bundle"))
    else:
        assert refusal(tmp_path, mojo)


def test_a_column_that_is_no_feature_is_named(tmp_path: Path) -> None:
    assert "column f_wind: no feature" in refusal(tmp_path, mojo_zip(Model({"f_wind": None}, [1.0])))


def test_levels_that_do_not_fit_their_number_are_refused(tmp_path: Path) -> None:
    assert "domains/d000.txt: 3 levels" in refusal(tmp_path, replaced("domains/d000.txt", b"a\nb\nc\n"))


def test_levels_of_a_number_are_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, mojo_zip(Model({"f_n": ["1", "2"]}, [1.0])))
    assert "feature n: a number with levels" in text
    by_levels = Split(0, Levels(0, 32, frozenset([1])), LEFT, -1.0, 1.0)
    assert "levels of n, which has none" in refusal(tmp_path, mojo_zip(Model(columns(["n"]), [by_levels])))


def test_a_tree_deeper_than_h2o_can_name_is_refused(tmp_path: Path) -> None:
    tree: Tree = 1.0
    for _ in range(80):
        tree = Split(0, 0.5, LEFT, tree, 0.5)
    assert "trees/t00_000.bin: deeper than 62" in refusal(tmp_path, mojo_zip(Model(columns(["n"]), [tree])))


def test_a_leaf_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    leaf = b"\0\xff\xff" + struct.pack("<f", float("inf"))
    assert "tree 0: the leaf of node 0 is inf" in refusal(tmp_path, replaced("trees/t00_000.bin", leaf))


def test_a_split_on_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "a split on column 7" in refusal(tmp_path, mojo_zip(Model(columns(["n"]), [Split(7, 0.5, LEFT, 0.0, 1.0)])))


def test_a_spec_of_other_features_is_refused(tmp_path: Path) -> None:
    other = spec({name: kind for name, kind in TYPES.items() if name != "b"})
    with pytest.raises(ValueError, match="its features are not the manifest's"):
        compile_bundle(mojo_zip(MODEL), other, json.dumps(manifest()), str(tmp_path / "p.bundle"))


def test_damaged_mojos_are_refused_or_score(tmp_path: Path) -> None:
    """The files within, so that the zip's own checksum does not hide the reader from the damage."""
    chance, files, outcomes = random.Random(20261121), unzipped(mojo_zip(MODEL)), {"refused": 0, "scored": 0}
    for number in range(DAMAGED):
        name = chance.choice([name for name in files if name != "model.ini"])
        content = bytearray(files[name])
        for _ in range(chance.randint(1, 3)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path = tmp_path / f"{number}.bundle"
        try:
            compile_bundle(zipped(files | {name: bytes(content)}), spec(), json.dumps(manifest()), str(path))
        except ValueError:
            outcomes["refused"] += 1
            continue
        outcomes["scored"] += 0 <= Bundle(str(path)).score_features(ROW)[0] <= 1
        path.unlink()
    assert sum(outcomes.values()) == DAMAGED
    assert min(outcomes.values()) > DAMAGED / 10


def test_damaged_zips_are_refused(tmp_path: Path) -> None:
    chance, whole = random.Random(20261121), mojo_zip(MODEL)
    for _ in range(200):
        assert refusal(tmp_path, whole[: chance.randrange(len(whole))])


@pytest.mark.parametrize(("algo", "what"), [("drf", "binomial_double_trees"), ("xgboost", "use_all_factor_levels")])
def test_what_another_algorithm_needs_is_named(tmp_path: Path, algo: str, what: str) -> None:
    text = refusal(tmp_path, mojo_zip(Model(MODEL.columns, MODEL.trees, info={"algo": algo})))
    assert text.startswith(f"model.ini: {what} = nothing is not in this version")
