"""The pipeline file, from text to a typed, checked `Pipeline`. Connects to nothing."""

from __future__ import annotations

import codecs
import re
import tomllib
from pathlib import Path

from contract.pipeline import Pipeline
from streaming._native import toml_positions
from streaming.pipeline_file.assemble import assemble
from streaming.pipeline_file.diagnostics import PipelineError, Problem, Problems
from streaming.pipeline_file.duration_rules import check_durations
from streaming.pipeline_file.expression_rules import check_expressions
from streaming.pipeline_file.read_sections import read_sections
from streaming.pipeline_file.references import check_references

__all__ = ["PipelineError", "load"]


def load(path: Path) -> Pipeline:
    """Read, check and complete a pipeline file.

    Raises:
        PipelineError: with every problem of the file, in its order.
        OSError: the file cannot be read.
    """
    document, problems = _parse(path, _read(path))
    draft = read_sections(document, problems)
    check_references(draft, problems)
    check_durations(draft, problems)
    check_expressions(draft, problems)
    if problems.found:
        raise PipelineError(path, problems.found)
    return assemble(draft)


def _read(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith(codecs.BOM_UTF8):
        told = "the file begins with a byte order mark (BOM), which TOML does not allow; save it as UTF-8 without BOM"
        raise PipelineError(path, [Problem(1, 1, "", told)])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PipelineError(
            path, [Problem(1, 1, "", f"not UTF-8 at byte {error.start}; save the file as UTF-8")]
        ) from None


def _parse(path: Path, text: str) -> tuple[dict[str, object], Problems]:
    """The TOML document, and a collector that knows the place of each of its keys."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PipelineError(path, [_broken(str(error))]) from None
    except (ValueError, RecursionError) as error:  # numbers of thousands of digits, nested a thousand levels deep
        _positions(path, text)  # mostly tells the place
        raise PipelineError(path, [_broken(str(error))]) from None
    return document, Problems(_positions(path, text))


def _positions(path: Path, text: str) -> dict[str, tuple[int, int]]:
    try:
        return toml_positions(text)
    except ValueError as error:
        message, line, column = error.args
        raise PipelineError(path, [Problem(line, column, "", f"not TOML: {message}")]) from None


def _broken(message: str) -> Problem:
    place = re.search(r" \(at line (\d+), column (\d+)\)", message)
    line, column = (int(place[1]), int(place[2])) if place else (1, 1)
    return Problem(line, column, "", f"not TOML: {message.partition(' (at ')[0]}")
