"""The kinds of whole tables: the fields of a record, the features of a model."""

from __future__ import annotations

from contract.pipeline import Field, Type
from streaming.pipeline_file.diagnostics import Problems, did_you_mean
from streaming.pipeline_file.value_types import BOOLEAN, EXPRESSION, NAME, ValueType, last_part, shown

_FIELD_KEYS = ("type", "required", "sensitive")


def _read_fields(value: object, path: str, problems: Problems) -> object:
    if not isinstance(value, dict) or not value:
        problems.add(path, f'{last_part(path)}: must be a table of at least one field, such as carrier = "string"')
        return None
    return {name: _read_field(name, item, f"{path}.{name}", problems) for name, item in value.items()}


def _read_field(name: str, value: object, path: str, problems: Problems) -> Field | None:
    table = value if isinstance(value, dict) else {"type": value}
    before = len(problems.found)
    for key in table.keys() - set(_FIELD_KEYS):
        problems.add(f"{path}.{key}", f'unknown key "{key}"{did_you_mean(key, _FIELD_KEYS)}')
    NAME.read(name, path, problems)
    _check_type(table.get("type"), path, problems)
    flags = {key: BOOLEAN.read(table[key], f"{path}.{key}", problems) for key in _FIELD_KEYS[1:] if key in table}
    if len(problems.found) > before:
        return None
    return Field(name, Type(table["type"]), bool(flags.get("required")), bool(flags.get("sensitive")))


def _check_type(value: object, path: str, problems: Problems) -> None:
    types = [kind.value for kind in Type]
    if value not in types:
        near = did_you_mean(value, types) if isinstance(value, str) else ""
        known = near or f"; use one of {', '.join(types)}"
        problems.add(
            path, f"{last_part(path)}: {shown(value) if value is not None else 'nothing'} is not a type{known}"
        )


def _read_expressions(value: object, path: str, problems: Problems) -> object:
    if not isinstance(value, dict) or not value:
        problems.add(path, 'features: must be a table of at least one, such as heat = "temperature * load"')
        return None
    for name in value:
        NAME.read(name, f"{path}.{name}", problems)
    return {name: EXPRESSION.read(item, f"{path}.{name}", problems) for name, item in value.items()}


FIELDS = ValueType("table of fields", _read_fields)
FEATURES = ValueType("table of SQL expressions", _read_expressions)


def _read_constraints(value: object, path: str, problems: Problems) -> object:
    if not isinstance(value, dict):
        problems.add(path, f"{last_part(path)}: must be a table such as {{ heat = 1 }}, not {shown(value)}")
        return None
    for name, direction in value.items():
        if isinstance(direction, bool) or direction not in (-1, 1):
            problems.add(f"{path}.{name}", f"{name}: must be 1 or -1, not {shown(direction)}")
    return value


CONSTRAINTS = ValueType("table of numeric features, each 1 or -1", _read_constraints)
