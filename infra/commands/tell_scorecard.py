"""`hotpath scorecard VERSION`: from which probability on a model's answers may be trusted, and what that rests on."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Iterator

import msgspec

from contract.layout import Places
from contract.manifest import MANIFEST, BadManifest, Manifest, is_version, pipeline_of, read_manifest
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.part_environment import environment
from streaming.lake.filesystem import file_system
from training.scorecard.card_words import guarantees, no_guarantees, tolerance_lines


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("scorecard")
    parser.add_argument("version", metavar="VERSION", help="a model; `hotpath models list` shows them")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """0 when shown, 1 when the model has no scorecard or cannot be read, 2 when the version is none."""
    if not is_version(args.version):
        print(f"hotpath: {args.version!r} is no version; `hotpath models list` shows them", file=sys.stderr)
        return 2
    settings = Settings.from_environment()
    pipeline = pipeline_of(args.version)
    places = Places.from_environment(environment(settings, Ports.of(settings), [pipeline]), needs=("hdfs",))
    try:
        manifest = _manifest(places, pipeline, args.version)
    except (OSError, BadManifest) as error:
        print(f"hotpath: {args.version} cannot be read from {places.registry(pipeline)}: {error}", file=sys.stderr)
        return 1
    return show(manifest, as_json=args.json)


def show(manifest: Manifest, *, as_json: bool) -> int:
    """Print a model's scorecard; 1 when it has none."""
    card = manifest.scorecard
    if card is None:
        told = "has no scorecard: its pipeline file states no risk tolerance ([scorecard.NAME])"
        print(f"hotpath: {manifest.version} {told}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(msgspec.to_builtins(card), indent=1))
    else:
        print("\n".join(_lines(manifest)))
    return 0


def _manifest(places: Places, pipeline: str, version: str) -> Manifest:
    files, path = file_system(f"{places.registry(pipeline)}/{version}/{MANIFEST}")
    return read_manifest(files.cat_file(path), version)


def _lines(manifest: Manifest) -> Iterator[str]:
    card = manifest.scorecard
    if card is None:
        return
    yield f"Scorecard of {manifest.version}"
    yield f"  holdout {manifest.holdout.start} to {manifest.holdout.end}, by due"
    yield f"  {card.compare_rows} rows chose, {card.calibrate_rows} rows of {card.calibrate_groups} entities tested"
    default = "the model's threshold" if card.default is None else card.default
    yield f"  without a tolerance in the request {default} decides"
    for tolerance in card.tolerances:
        yield ""
        yield tolerance.name
        yield from (f"  {line}" for line in tolerance_lines(tolerance))
    for title, sentences in (("It guarantees", guarantees(card)), ("It does not guarantee", no_guarantees(card))):
        yield ""
        yield title
        yield from (f"  - {sentence}" for sentence in sentences)
