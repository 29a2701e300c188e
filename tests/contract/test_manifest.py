"""The manifest: it comes back as it was written, and whatever else the bytes are is refused with a reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.manifest import (
    BadManifest,
    Manifest,
    is_version,
    manifest_from,
    manifest_json,
    moment_of,
    pipeline_of,
    read_manifest,
    version_at,
)
from tests.manifests import damaged, manifest_of

VERSION = "p-20261121T021700Z"
GOOD = manifest_of(VERSION)


def written(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, indent=1).encode()


def test_the_json_on_disk_is_that_of_every_version_so_far() -> None:
    manifest = read_manifest(written(GOOD), VERSION)
    assert manifest_json(manifest) == written(GOOD)
    assert manifest_from(json.loads(manifest_json(manifest))) == manifest
    assert (manifest.auc, manifest.newest_as_of_us) == (0.75, 1795226999999000)


def test_fields_that_a_newer_trainer_has_added_are_ignored() -> None:
    assert read_manifest(written(GOOD | {"trees": 50}), VERSION) == read_manifest(written(GOOD), VERSION)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 2, "table": []}, "it is of format 2; this version of hotpath reads format 1"),
        ({"version": "p-20261121T021800Z"}, "it is of p-20261121T021800Z, not of p-20261121T021700Z"),
        ({"proposed": "yes"}, "Expected `bool`, got `str` - at `$.proposed`"),
        ({"newest_as_of": "yesterday"}, "the moment 'yesterday' is neither RFC 3339"),
        ({"metrics": {}}, "metrics lacks auc"),
        ({"metrics": {"auc": "high"}}, "metrics.auc is 'high'"),
        ({"files": {}}, "files lacks model.zip"),
        ({"files": {"../escape": {"sha256": "0" * 64, "bytes": 0}}}, "no plain file name"),
        ({"files": {"/etc/passwd": {"sha256": "0" * 64, "bytes": 0}}}, "no plain file name"),
        ({"files": {".hidden": {"sha256": "0" * 64, "bytes": 0}}}, "no plain file name"),
        ({"files": {"model.zip": {"sha256": "", "bytes": 0}}}, "files.model.zip has neither a checksum nor a length"),
        ({"table": {"path": "rows", "version": -1}}, "table.version is -1"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BadManifest) as refused:
        read_manifest(written(GOOD | change), VERSION)
    assert says in str(refused.value)


def test_a_candidate_that_is_not_proposed_may_have_no_files() -> None:
    assert read_manifest(written(GOOD | {"proposed": False, "files": {}})).files == {}


def test_every_field_is_needed() -> None:
    for field in GOOD:
        with pytest.raises(BadManifest, match=f"missing required field `{field}`"):
            read_manifest(written({name: value for name, value in GOOD.items() if name != field}))


@given(damaged(VERSION))
def test_any_bytes_are_a_whole_manifest_or_refused_with_a_reason(content: bytes) -> None:
    manifest: Manifest | None = None
    why = "it reads"
    try:
        manifest = read_manifest(content, VERSION)
    except BadManifest as refused:
        why = str(refused)
    assert why.encode()
    if manifest is None:
        return
    assert manifest.version == VERSION
    assert manifest.newest_as_of_us
    assert manifest.auc is None or manifest.auc < float("inf")
    assert read_manifest(manifest_json(manifest), VERSION) == manifest


@pytest.mark.parametrize("content", [b"", b"{", b"null", b"[" * 100_000, b'{"features": ' + b"[" * 100_000, b"\xff"])
def test_bytes_that_are_no_json_object_are_refused(content: bytes) -> None:
    with pytest.raises(BadManifest, match=r"manifest\.json: "):
        read_manifest(content)


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))
def test_a_version_says_when_it_was_trained_and_of_what(moment: datetime) -> None:
    version = version_at("flights", moment)
    assert is_version(version)
    assert moment_of(version) == moment.replace(microsecond=0)
    assert pipeline_of(version) == "flights"


NO_MOMENTS = ("p-20261199T999999Z", "p-20260230T000000Z", "p-00000101T000000Z", "p-20261121T240000Z")
NO_VERSIONS = ("", "zz-by-hand", "p-20261121T021700", "../p-20261121T021700Z", "-20261121T021700Z", *NO_MOMENTS)


@pytest.mark.parametrize("name", NO_VERSIONS)
def test_other_names_are_no_versions(name: str) -> None:
    assert not is_version(name)


@pytest.mark.parametrize("version", NO_MOMENTS)
def test_a_manifest_whose_version_names_no_moment_is_refused(version: str) -> None:
    with pytest.raises(BadManifest, match=f"version '{version}' is not <pipeline>-<moment>"):
        read_manifest(json.dumps(manifest_of(version)).encode(), version)
