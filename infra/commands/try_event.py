"""`hotpath try FILE EVENT`: what a pipeline makes of one event, every field and feature with its type and value."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract.pipeline import Type
from contract.timestamps import from_us, to_us
from streaming._native import Transform
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.example_tests import describe_error, shown
from streaming.pipeline_file.load import PipelineError, load

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    name: str
    type: str
    value: object


def add_parser(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("try")
    parser.add_argument("file", metavar="FILE", type=Path, help="the pipeline file")
    parser.add_argument("event", metavar="EVENT", help="a file with the event as JSON, or - for standard input")
    parser.add_argument(
        "--as-of", type=_moment, metavar="T", help="the moment of the question, such as 2026-03-02T12:00:10Z"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.set_defaults(run=run)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-03-02T12:00:10Z") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset; append Z for UTC")
    return moment


def run(args: argparse.Namespace) -> int:
    """0 when the event is well, 1 when it or the pipeline file has problems, 2 when one cannot be read."""
    try:
        body = sys.stdin.buffer.read() if args.event == "-" else Path(args.event).read_bytes()
        lines, errors = try_event(args.file, body, args.as_of)
    except OSError as error:
        print(f"hotpath try: cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except PipelineError as error:
        print(error, file=sys.stderr)
        return 1
    print(_as_json(lines, errors) if args.json else _as_text(lines, errors))
    return 1 if errors else 0


def try_event(path: Path, body: bytes, as_of: datetime | None) -> tuple[list[Line], list[dict[str, Any]]]:
    """The table's lines and the event's errors.

    Raises:
        PipelineError: the pipeline file is wrong.
        OSError: it cannot be read.
    """
    pipeline = load(path)
    compiled = compile_pipeline(pipeline)
    now_us = to_us(datetime.now(UTC))
    answer = Transform(compiled.spec).question(body, None if as_of is None else to_us(as_of), now_us)
    field_types = {field.name: field.type for field in pipeline.events.fields}
    lines = _question(answer)
    lines += [_line("field", name, field_types[name], value) for name, value in answer["fields"].items()]
    lines += [_line("feature", name, compiled.feature_types[name], value) for name, value in answer["features"].items()]
    lines += [Line("unknown", name, "", None) for name in answer["unknown"]]
    return lines, answer["errors"]


def _question(answer: dict[str, Any]) -> list[Line]:
    """What names and dates the question."""
    as_of = _line(f"from {answer['as_of_source']}", "as_of", Type.TIMESTAMP, answer["as_of_us"])
    due = _line("question", "due", Type.TIMESTAMP, answer["due_us"])
    return [
        Line("question", "id", "string", answer["id"]),
        Line("question", "key", "string", answer["key"]),
        as_of,
        due,
    ]


def _line(what: str, name: str, kind: Type, value: Any) -> Line:
    if kind is Type.TIMESTAMP and value is not None:
        value = from_us(value).isoformat().replace("+00:00", "Z")
    return Line(what, name, kind.value, value)


def _as_text(lines: list[Line], errors: list[dict[str, Any]]) -> str:
    """What is wrong first; then the table, unless nothing of the event could be read."""
    wrong = [f"error: {describe_error(error)}" for error in errors]
    is_read = any(line.what == "unknown" or (line.what == "field" and line.value is not None) for line in lines)
    return "\n".join(wrong if errors and not is_read else [*wrong, *_table(lines)])


def _table(lines: list[Line]) -> list[str]:
    rows = [("", "name", "type", "value")]
    rows += [(line.what, line.name, line.type, "" if line.what == "unknown" else shown(line.value)) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    table = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    return [line.rstrip() for line in table]


def _as_json(lines: list[Line], errors: list[dict[str, Any]]) -> str:
    named = {
        what: {line.name: {"type": line.type, "value": line.value} for line in lines if line.what == what}
        for what in ("field", "feature")
    }
    question = {line.name: line.value for line in lines[:4]}
    unknown = [line.name for line in lines if line.what == "unknown"]
    return json.dumps(
        {**question, "fields": named["field"], "features": named["feature"], "unknown": unknown, "errors": errors},
        indent=2,
    )
