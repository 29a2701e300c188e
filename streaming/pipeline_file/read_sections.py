"""TOML values into checked values, section by section, by the declaration in `streaming.pipeline_file.schema`."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Any

from streaming.pipeline_file.diagnostics import Problems, did_you_mean, nearest
from streaming.pipeline_file.schema import EXAMPLE_KEYS, NOT_IN_THIS_VERSION, ROOT, SECTIONS
from streaming.pipeline_file.sections import Section
from streaming.pipeline_file.value_types import shown

Draft = dict[str, dict[str, Any]]
"""Section -> key -> value; what is absent or was wrong is not there."""


def read_sections(document: Mapping[str, object], problems: Problems) -> Draft:
    """Every section of a file; what is wrong is noted and left out."""
    draft = {section.name: _read_section(section, document, problems) for section in (ROOT, *SECTIONS)}
    draft["examples"] = {"examples": _read_examples(document.get("examples", []), problems)}
    return draft


def _read_section(section: Section, document: Mapping[str, object], problems: Problems) -> dict[str, Any]:
    table = _table_of(section, document, problems)
    if table is None:
        return {}
    misspelt = _refuse_unknown(section, table, problems)
    _require(section, table.keys() | misspelt, problems)
    return _read_keys(section, table, problems)


def _table_of(section: Section, document: Mapping[str, object], problems: Problems) -> Mapping[str, object] | None:
    table: object = document
    for part in section.name.split(".") if section.name else ():
        table = table.get(part, {}) if isinstance(table, dict) else {}
    if not isinstance(table, dict):
        problems.add(section.name, f"{section.name.rpartition('.')[2]}: must be a table, not {shown(table)}")
        return None
    if section.name and section.required and not table:
        problems.add(section.name, f"the file has no [{section.name}]: {section.meaning}")
        return None
    return table


def _refuse_unknown(section: Section, table: Mapping[str, object], problems: Problems) -> set[str]:
    """The known keys that unknown ones seem to mean: that these are missing needs no second problem."""
    meant = set()
    known = [key.name for key in section.keys] + _subsections(section)
    for name in table:
        path = _path(section, name)
        if path in NOT_IN_THIS_VERSION:
            problems.add(path, f'"{name}" is not in this version of hotpath; leave it out')
        elif name not in known:
            problems.add(path, f'unknown {_what(section, table[name])} "{name}"{did_you_mean(name, known)}')
            meant |= set(nearest(name, known))
    return meant


def _what(section: Section, value: object) -> str:
    return "table" if section is ROOT and isinstance(value, dict | list) else "key"


def _subsections(section: Section) -> list[str]:
    """The tables directly within a section, by their last name."""
    prefix = f"{section.name}." if section.name else ""
    own = [other.name.removeprefix(prefix) for other in SECTIONS if other.name.startswith(prefix)]
    return [name for name in own if "." not in name] + (["examples"] if section is ROOT else [])


def _require(section: Section, given: Set[str], problems: Problems) -> None:
    for key in section.keys:
        if key.default is None and key.name not in given:
            problems.add(_path(section, key.name), f'needs "{key.name}" ({key.kind.says}): {key.meaning}')


def _read_keys(section: Section, table: Mapping[str, object], problems: Problems) -> dict[str, Any]:
    values = {}
    for key in section.keys:
        if key.name in table:
            value = key.kind.read(table[key.name], _path(section, key.name), problems)
            if value is not None:
                values[key.name] = value
    return values


def _path(section: Section, name: str) -> str:
    return f"{section.name}.{name}" if section.name else name


def _read_examples(value: object, problems: Problems) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        problems.add("examples", "examples are written as [[examples]], each with event and expected")
        return []
    return [_read_example(item, f"examples.{index}", problems) for index, item in enumerate(value)]


def _read_example(value: object, path: str, problems: Problems) -> dict[str, Any]:
    """The example as it is; empty when it is wrong."""
    before = len(problems.found)
    if not isinstance(value, dict):
        problems.add(path, f"an example is a table, not {shown(value)}")
        return {}
    for name in value.keys() - EXAMPLE_KEYS.keys():
        problems.add(f"{path}.{name}", f'unknown key "{name}"{did_you_mean(name, EXAMPLE_KEYS)}')
    meant = {known for name in value for known in nearest(name, EXAMPLE_KEYS)}
    _check_example(value, meant, path, problems)
    return value if len(problems.found) == before else {}


def _check_example(value: Mapping[str, object], given: Set[str], path: str, problems: Problems) -> None:
    if "event" not in given:
        problems.add(f"{path}.event", f'needs "event": {EXAMPLE_KEYS["event"]}')
    for name in ("event", "expected"):
        if not isinstance(value.get(name, {}), dict):
            problems.add(f"{path}.{name}", f"{name}: must be a table, not {shown(value[name])}")
    expected = value.get("expected")
    for name, item in expected.items() if isinstance(expected, dict) else ():
        if not isinstance(item, str | int | float):
            problems.add(f"{path}.expected.{name}", f"{name}: must be text, a number, true or false; not {shown(item)}")
    nulls = value.get("expected_null", [])
    if not isinstance(nulls, list) or not all(isinstance(name, str) for name in nulls):
        problems.add(f"{path}.expected_null", "expected_null: must be a list of feature names")
    as_of = value.get("as_of")
    if as_of is not None and not (isinstance(as_of, datetime) and as_of.tzinfo is not None):
        problems.add(f"{path}.as_of", "as_of: must be a date and time with its offset, such as 2026-03-02T12:00:10Z")
