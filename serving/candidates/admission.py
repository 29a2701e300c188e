"""Admission: a candidate is compiled, and may serve only if it answers every reference row as H2O did."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.manifest import MODEL, REFERENCE
from contract.timestamps import parse_us
from serving._native import Bundle, compile_bundle
from serving.candidates.h2o_equality import Difference, probability_difference, row_difference
from serving.candidates.read_candidate import Candidate, Refused, read_candidate

__all__ = ["Admission", "Refused", "admit"]


@dataclass(frozen=True)
class Admission:
    """An admitted bundle, and how much it had to reproduce."""

    version: str
    bundle: Path
    rows: int
    events: int
    """How many of the rows were also answered from their event's bytes."""


def admit(candidate: Path, bundle: Path) -> Admission:
    """Compile the candidate in this folder to `bundle`, which appears only if every reference row agrees.

    Raises:
        Refused: naming the file or the first row that differs, what was expected and what found.
        OSError: a file cannot be read or written.
    """
    files = read_candidate(candidate)
    trial = bundle.with_name(f"{bundle.name}.trial")
    try:
        opened = _compile(files, trial)
        events = _reproduce(opened, files.reference)
        trial.replace(bundle)
    finally:
        trial.unlink(missing_ok=True)
    return Admission(files.manifest.version, bundle, len(files.reference), events)


def _compile(files: Candidate, path: Path) -> Bundle:
    try:
        compile_bundle(files.mojo, files.spec, files.manifest_text, str(path))
        return Bundle(str(path))
    except ValueError as error:
        raise Refused(f"{MODEL}: {error}") from error


def _reproduce(bundle: Bundle, reference: list[dict[str, Any]]) -> int:
    """Answer every row from its features, and from its event where it has one; gives the number of events."""
    if not reference:
        raise Refused(f"{REFERENCE}: no rows: nothing proves that the bundle answers as H2O does")
    events = 0
    for number, row in enumerate(reference, 1):
        try:
            difference = _features_difference(bundle, row)
            if row["event"] is not None:
                difference = difference or event_difference(bundle, row)
                events += 1
        except (KeyError, TypeError, ValueError) as error:
            raise Refused(f"{REFERENCE} row {number}: not a reference row: {error!r}") from error
        if difference:
            raise Refused(f"{REFERENCE} row {number}: {difference}")
    return events


def _features_difference(bundle: Bundle, row: dict[str, Any]) -> Difference | None:
    probability, leaves = bundle.score_features(row["features"])
    return row_difference(row, probability, probability >= bundle.threshold, leaves)


def event_difference(bundle: Bundle, row: dict[str, Any]) -> Difference | None:
    """The first difference between a row and the answer to its event at the row's `as_of`."""
    as_of_us = parse_us(row["as_of"])
    answer = bundle.score(json.dumps(row["event"]).encode(), as_of_us, as_of_us)
    if answer["errors"]:
        return Difference("its event", "no errors", answer["errors"])
    for name, expected in row["features"].items():
        found = answer["features"][name]
        if not _same(expected, found):
            return Difference(f"feature {name} of its event", expected, found)
    if answer["positive"] != row["positive"]:
        return Difference("label of its event", row["positive"], answer["positive"])
    return probability_difference(row["probability"], answer["probability"])


def _same(expected: object, found: object) -> bool:
    """Equal values of one kind; NaN stands as null in the reference, since JSON has none."""
    if isinstance(found, float) and found != found:
        return expected is None
    return expected == found and isinstance(expected, bool) == isinstance(found, bool)
