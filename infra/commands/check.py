"""`hotpath check FILE...`: is a pipeline file well, and do its own examples hold? Connects to nothing."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contract.pipeline import Pipeline
from streaming._native import Transform, toml_positions
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.diagnostics import Problem, Problems
from streaming.pipeline_file.example_tests import run_examples
from streaming.pipeline_file.load import PipelineError, load

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


@dataclass(frozen=True)
class Report:
    """What was found in one file; `pipeline` is None when it could not be loaded."""

    file: Path
    pipeline: Pipeline | None
    problems: tuple[Problem, ...]


def add_parser(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("check")
    parser.add_argument("files", metavar="FILE", nargs="+", type=Path)
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when every file is well, 1 when one has problems, 2 when one cannot be read."""
    try:
        reports = [check(path) for path in args.files]
    except OSError as error:
        print(f"hotpath check: cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    print(json.dumps([_as_json(report) for report in reports], indent=2) if args.json else _as_text(reports))
    return 1 if any(report.problems for report in reports) else 0


def check(path: Path) -> Report:
    """Load a file and run its examples.

    Raises:
        OSError: it cannot be read.
    """
    try:
        pipeline = load(path)
    except PipelineError as error:
        return Report(path, None, error.problems)
    problems = Problems(toml_positions(path.read_text(encoding="utf-8")))
    for mismatch in run_examples(pipeline, Transform(compile_pipeline(pipeline).spec)):
        problems.add(mismatch.path, mismatch.message)
    return Report(path, pipeline, tuple(sorted(problems.found)))


def _as_text(reports: list[Report]) -> str:
    lines = []
    for report in reports:
        lines += [f"{report.file}:{problem}" for problem in report.problems]
        if report.pipeline is not None and not report.problems:
            lines.append(f"{report.file}: {_summary(report.pipeline)}")
    return "\n".join(lines)


def _summary(pipeline: Pipeline) -> str:
    fields, features, examples = len(pipeline.events.fields), len(pipeline.features), len(pipeline.examples)
    held = f"{examples} example{'' if examples == 1 else 's'} held" if examples else "no examples"
    return f"{pipeline.name} is well: {fields} fields, {features} features, {held}"


def _as_json(report: Report) -> dict[str, object]:
    pipeline = report.pipeline
    return {
        "file": str(report.file),
        "pipeline": pipeline and pipeline.name,
        "file_hash": pipeline and pipeline.file_hash,
        "rows_hash": pipeline and pipeline.rows_hash,
        "examples": len(pipeline.examples) if pipeline else None,
        "problems": [asdict(problem) for problem in report.problems],
    }
