"""A damaged bundle is refused when it is opened. (`damaged.rs` damages them beyond what the checksum sees.)"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving._native import Bundle, compile_bundle
from tests.serving.models import TYPES, columns, manifest, spec
from tests.serving.mojo_zip import LEFT, NA_RIGHT, Levels, Model, Split, mojo_zip

TREE = Split(0, 0.5, LEFT, Split(3, Levels(3, 40, frozenset([5, 9])), NA_RIGHT, -1.0, 0.5), 0.25)
PLACES = 150


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    path = tmp_path / "p.bundle"
    compile_bundle(mojo_zip(Model(columns(list(TYPES)), [TREE] * 5)), spec(), json.dumps(manifest()), str(path))
    return path.read_bytes()


def damaged(whole: bytes) -> Iterator[bytes]:
    chance = random.Random(20261121)
    for _ in range(PLACES):
        at = chance.randrange(len(whole))
        yield whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :]
        yield whole[:at]
        yield whole[:at] + whole[at + 1 :]
        yield whole + whole[:1]


def test_a_flipped_bit_and_a_lost_byte_are_refused(tmp_path: Path, whole: bytes) -> None:
    for number, content in enumerate(damaged(whole)):
        path = tmp_path / f"{number}.bundle"  # a new file each time: a mapped one is never rewritten
        path.write_bytes(content)
        with pytest.raises(ValueError, match="bundle"):
            Bundle(str(path))
        path.unlink()


def test_another_format_names_the_remedy(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "newer.bundle"
    path.write_bytes(whole[:8] + b"\2" + whole[9:])
    with pytest.raises(ValueError, match="format 2; this version reads 1: compile the candidate again"):
        Bundle(str(path))


def test_a_file_that_is_no_bundle_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("hotpath " * 100)
    with pytest.raises(ValueError, match="not a bundle"):
        Bundle(str(tmp_path / "empty"))
    with pytest.raises(ValueError, match="not a bundle"):
        Bundle(str(tmp_path / "text"))
    with pytest.raises(FileNotFoundError):
        Bundle(str(tmp_path / "absent"))


def test_an_open_bundle_survives_its_successor(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "p.bundle"
    opened = Bundle(str(path))
    before = opened.score(b'{"id": "q", "n": 1}', None, 0)["probability"]
    other = Model(columns(list(TYPES)), [2.0] * 50)
    compile_bundle(mojo_zip(other), spec(), json.dumps(manifest()), str(path))
    assert opened.score(b'{"id": "q", "n": 1}', None, 0)["probability"] == before
    assert Bundle(str(path)).score(b'{"id": "q", "n": 1}', None, 0)["probability"] > 0.9
