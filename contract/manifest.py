"""A candidate's manifest: what training says of a model, and the names of a candidate's files.

Written by the trainer as `manifest.json`, after all other files of the candidate; read by pull, rollout, admission,
scorer, status and upkeep, all of them by `read_manifest`. A version is `<pipeline>-<moment of training>`, and the name
of the candidate's folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from contract.scorecard import Card
from contract.timestamps import parse_us

FORMAT: Final = 1
MODEL: Final = "model.zip"
SPEC: Final = "transform.json"
REFERENCE: Final = "reference.jsonl"
MANIFEST: Final = "manifest.json"

_VERSION: Final = re.compile(r"[A-Za-z0-9_]+-[0-9]{8}T[0-9]{6}Z")
_MOMENT: Final = "%Y%m%dT%H%M%SZ"
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class BadManifest(ValueError):
    """The bytes are no manifest of this candidate; the message names the field, and what is wrong with it."""


class TableVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version of `rows` that the candidate was trained on; upkeep keeps its files."""

    path: str
    version: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Buckets by `due`, in RFC 3339; the end is exclusive."""

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")


class FileSum(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of the candidate must be."""

    sha256: str
    bytes: int


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature as it was in training: its levels if it is categorical, else its smallest and largest value."""

    name: str
    type: str
    levels: list[str] | None
    min: float | None
    max: float | None


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """The H2O cluster that trained the model."""

    version: str
    nodes: int
    cores: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a later reader needs to know of a trained model. Fields that a newer trainer adds are ignored."""

    format: int
    version: str
    pipeline: str
    pipeline_hash: str
    rows_hash: str
    created: str
    """RFC 3339, as every moment in a manifest."""
    proposed: bool
    """Whether every metric is at or above its floor; what is not proposed is kept, and never serves."""
    why: str
    """Why it is proposed, or why not, in words."""
    table: TableVersion
    window: Span
    holdout: Span
    newest_as_of: str
    """The newest question in training: a model's age counts from it."""
    rows: int
    holdout_rows: int
    positives: int
    code_version: str
    h2o: Cluster
    algorithm: str
    hyperparameters: dict[str, Any]
    metrics: dict[str, Any]
    """Of the holdout's compare rows; `auc` is a number, or None where they have one class only."""
    threshold: float
    features: list[Feature]
    files: dict[str, FileSum]
    """By name; the manifest itself is none of them."""
    scorecard: Card | None = None
    """None where the pipeline states no risk tolerance."""

    @property
    def auc(self) -> float | None:
        found: float | None = self.metrics["auc"]
        return found

    @property
    def newest_as_of_us(self) -> int:
        return parse_us(self.newest_as_of)


def read_manifest(content: bytes, version: str | None = None) -> Manifest:
    """The manifest in these bytes, which must be that of `version` where one is given.

    Raises:
        BadManifest: it is damaged, lacks a field, is of another format, or of another candidate.
    """
    try:
        return _checked(msgspec.json.decode(content, type=Manifest), version)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadManifest(f"{MANIFEST}: {_of_which_format(content)}{error}") from None


def manifest_from(decoded: Mapping[str, Any]) -> Manifest:
    """The manifest that a bundle carries, from its JSON as Python has decoded it.

    Raises:
        BadManifest: as `read_manifest`.
    """
    try:
        return _checked(msgspec.convert(decoded, Manifest), None)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadManifest(f"{MANIFEST}: {error}") from None


def manifest_json(manifest: Manifest) -> bytes:
    """The content of `manifest.json`.

    Raises:
        ValueError: a number in it is not finite.
    """
    fields = msgspec.to_builtins(manifest)
    if manifest.scorecard is None:
        del fields["scorecard"]  # as versions without scorecards wrote it
    return json.dumps(fields, indent=1, allow_nan=False).encode()


def version_at(pipeline: str, moment: datetime) -> str:
    """A version that sorts by time: `flights-20261121T021700Z`."""
    return f"{pipeline}-{moment.astimezone(UTC):{_MOMENT}}"


def is_version(name: str) -> bool:
    """Whether a folder's name is that of a candidate: a pipeline, and a moment that exists."""
    if not _VERSION.fullmatch(name):
        return False
    try:
        moment_of(name)
    except ValueError:
        return False
    return True


def moment_of(version: str) -> datetime:
    """When a version was trained: its name says so.

    Raises:
        ValueError: it is no version.
    """
    return datetime.strptime(version.rpartition("-")[2], _MOMENT).replace(tzinfo=UTC)


def newest(versions: Iterable[str], rejected: Collection[str], keep: int) -> list[str]:
    """The newest `keep` versions, oldest first, and as many of those that are rejected.

    They are counted apart, since a damaged candidate's folder may have a name of the far future.
    """
    ordered = sorted(versions)
    good = [version for version in ordered if version not in rejected]
    return sorted([*good[-keep:], *[version for version in ordered if version in rejected][-keep:]])


def pipeline_of(version: str) -> str:
    """Which pipeline a version is of."""
    return version.rpartition("-")[0]


def _checked(manifest: Manifest, version: str | None) -> Manifest:
    problem = next(filter(None, _problems(manifest, version)), None)
    if problem:
        raise BadManifest(f"{MANIFEST}: {problem}")
    return manifest


def _problems(manifest: Manifest, version: str | None) -> list[str | None]:
    moments = (manifest.created, manifest.newest_as_of, manifest.window.start, manifest.window.end)
    return [
        _wrong_format(manifest.format),
        None if version in (None, manifest.version) else f"it is of {manifest.version}, not of {version}",
        None if is_version(manifest.version) else f"version {manifest.version!r} is not <pipeline>-<moment>",
        *(_wrong_moment(text) for text in (*moments, manifest.holdout.start, manifest.holdout.end)),
        None if manifest.table.version >= 0 else f"table.version is {manifest.table.version}",
        _wrong_auc(manifest.metrics),
        *(_wrong_file(name, file) for name, file in manifest.files.items()),
        *_lacking_files(manifest),
    ]


def _wrong_format(number: object) -> str | None:
    return None if number == FORMAT else f"it is of format {number}; this version of hotpath reads format {FORMAT}"


def _wrong_moment(text: str) -> str | None:
    try:
        parse_us(text)
    except ValueError as error:
        return f"the moment {text!r} is {error}"
    return None


def _wrong_auc(metrics: Mapping[str, Any]) -> str | None:
    if "auc" not in metrics:
        return "metrics lacks auc"
    auc = metrics["auc"]
    is_number = isinstance(auc, int | float) and not isinstance(auc, bool)
    return None if auc is None or is_number else f"metrics.auc is {auc!r}, neither a number nor null"


def _wrong_file(name: str, file: FileSum) -> str | None:
    if not _PLAIN_NAME.fullmatch(name):
        return f"files names {name!r}, which is no plain file name"
    if not _SHA256.fullmatch(file.sha256) or file.bytes < 0:
        return f"files.{name} has neither a checksum nor a length"
    return None


def _lacking_files(manifest: Manifest) -> list[str]:
    if not manifest.proposed:
        return []
    return [f"files lacks {name}" for name in (MODEL, SPEC, REFERENCE) if name not in manifest.files]


def _of_which_format(content: bytes) -> str:
    """A newer format is named first, since that is why the rest does not read."""

    class Head(msgspec.Struct):
        format: int

    try:
        problem = _wrong_format(msgspec.json.decode(content, type=Head).format)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return f"{problem}; " if problem else ""
