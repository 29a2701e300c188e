"""The manifests that the status page shows: the newest, each read once, damaged ones left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from contract.layout import Places
from contract.manifest import MANIFEST
from monitoring.collect.manifests import NEWEST, ManifestReader
from tests.manifests import manifest_of


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})


def write(places: Places, version: str, content: bytes | None = None) -> Path:
    folder = Path(places.registry("flights").removeprefix("file://")) / version
    folder.mkdir(parents=True)
    if content != b"":
        (folder / MANIFEST).write_bytes(content or json.dumps(manifest_of(version)).encode())
    return folder / MANIFEST


def version(minute: int) -> str:
    return f"flights-20261121T02{minute:02}00Z"


def read(reader: ManifestReader) -> list[str]:
    found: Mapping[str, object] = reader.newest()
    return list(found)


def test_the_newest_are_read_and_each_once(places: Places) -> None:
    files = [write(places, version(minute)) for minute in range(NEWEST + 3)]
    reader = ManifestReader(places, "flights")
    expected = [version(minute) for minute in range(3, NEWEST + 3)]
    assert read(reader) == expected
    for file in files:
        file.write_bytes(b"changed")
    assert read(reader) == expected, "a candidate never changes, so it is not read again"


def test_one_that_is_not_complete_is_read_later_and_a_damaged_one_left_out(places: Places) -> None:
    incomplete = write(places, version(1), b"")
    write(places, version(2), b"{")
    reader = ManifestReader(places, "flights")
    assert read(reader) == []
    incomplete.write_text(json.dumps(manifest_of(version(1))))
    assert read(reader) == [version(1)]


def test_without_a_registry_there_are_none(places: Places) -> None:
    assert read(ManifestReader(places, "flights")) == []
