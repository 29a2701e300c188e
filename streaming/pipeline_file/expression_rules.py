"""Whether the SQL of a pipeline file is well typed, gives what it must, and keeps sensitive fields out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contract.pipeline import Type
from streaming.expressions.compile_expressions import compile_expressions
from streaming.expressions.expression_errors import ExpressionError
from streaming.expressions.names_used import names_in
from streaming.pipeline_file.diagnostics import Problems, did_you_mean
from streaming.pipeline_file.read_sections import Draft
from streaming.pipeline_file.references import fields_of

FEATURE_TYPES = (Type.STRING, Type.INT, Type.DOUBLE, Type.BOOLEAN)


@dataclass(frozen=True)
class _Expression:
    """One expression of the file: its dotted key, the section whose fields it may use, the types it may give."""

    path: str
    section: str
    sql: str
    gives: tuple[Type, ...]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


def check_expressions(draft: Draft, problems: Problems) -> None:
    """Note what is wrong with the features, the label's value and its wait, and with what refers to features."""
    types = {}
    for expression in _expressions(draft):
        if not _check_sensitive(draft, expression, problems):
            types[expression.path] = _check_type(draft, expression, problems)
    _check_label_varies(draft, types, problems)
    _check_slices(draft, types, problems)
    _check_constraints(draft, types, problems)
    _check_examples(draft, problems)


def _check_label_varies(draft: Draft, types: Mapping[str, Type | None], problems: Problems) -> None:
    """A value that no field decides is the same for every label that comes; only `missing` could give another one."""
    label = draft["label"]
    if types.get("label.value") is not Type.BOOLEAN or label.get("missing") is not None or names_in(label["value"]):
        return
    text = "value: every label would be the same, and nothing could be trained; use a field of [label.fields]"
    problems.add("label.value", f"{text}, or say with missing what the label of a question is for which none came")


def _expressions(draft: Draft) -> list[_Expression]:
    features = draft[""].get("features", {})
    found = [_Expression(f"features.{name}", "events", sql, FEATURE_TYPES) for name, sql in features.items() if sql]
    label = draft["label"]
    if isinstance(label.get("wait"), str):
        found.append(_Expression("label.wait", "events", label["wait"], (Type.TIMESTAMP,)))
    if "value" in label:
        found.append(_Expression("label.value", "label", label["value"], (Type.BOOLEAN,)))
    return found


def _check_sensitive(draft: Draft, expression: _Expression, problems: Problems) -> bool:
    """Whether the expression uses a sensitive field."""
    fields = fields_of(draft, expression.section)
    found = [name for name in sorted(names_in(expression.sql)) if (field := fields.get(name)) and field.sensitive]
    for name in found:
        text = f'{expression.name}: the field "{name}" is sensitive, and so never stored; it cannot be used here'
        problems.add(expression.path, text)
    return bool(found)


def _check_type(draft: Draft, expression: _Expression, problems: Problems) -> Type | None:
    """The type that the expression gives; None when it is wrong, or rests on a field that is."""
    fields = fields_of(draft, expression.section)
    if not fields or any(name in fields and fields[name] is None for name in names_in(expression.sql)):
        return None
    names = {name: field.type for name, field in fields.items() if field is not None and name != "as_of"}
    if expression.section == "label" and "as_of" in names_in(expression.sql):
        problems.add(expression.path, f"{expression.name}: an outcome has no as_of: it holds for every question")
        return None
    try:
        given = compile_expressions({expression.name: expression.sql}, names).types[expression.name]
    except ExpressionError as error:
        for _, position, message in error.problems:
            problems.add(expression.path, f"{expression.name}: at character {position}: {message}")
        return None
    if given not in expression.gives:
        problems.add(expression.path, f"{expression.name}: {_wrong_type(expression, given)}")
    return given


def _wrong_type(expression: _Expression, given: Type) -> str:
    if expression.gives == FEATURE_TYPES:
        return "a feature cannot be a timestamp; give a span, such as unix_seconds(as_of) - unix_seconds(t), or hour(t)"
    return f"gives {given.value}; it must give {' or '.join(kind.value for kind in expression.gives)}"


def _check_slices(draft: Draft, types: dict[str, Type | None], problems: Problems) -> None:
    features = draft[""].get("features", {})
    for name in draft["training"].get("slices", ()):
        given = types.get(f"features.{name}")
        if name not in features:
            problems.add("training.slices", f'slices: there is no feature "{name}"{did_you_mean(name, features)}')
        elif given not in (None, Type.STRING):
            text = f'slices: the feature "{name}" is of type {given.value}; only string features have levels'
            problems.add("training.slices", text)


def _check_constraints(draft: Draft, types: dict[str, Type | None], problems: Problems) -> None:
    features = draft[""].get("features", {})
    for section in ("training.gbm", "training.xgboost"):
        for name in draft[section].get("monotone_constraints", ()):
            path, given = f"{section}.monotone_constraints.{name}", types.get(f"features.{name}")
            if name not in features:
                problems.add(path, f'there is no feature "{name}"{did_you_mean(name, features)}')
            elif given not in (None, Type.INT, Type.DOUBLE):
                problems.add(path, f'the feature "{name}" is of type {given.value}; only numbers rise and fall')


def _check_examples(draft: Draft, problems: Problems) -> None:
    features = draft[""].get("features", {})
    for index, example in enumerate(draft["examples"]["examples"]):
        for key in ("expected", "expected_null"):
            for name in example.get(key, ()):
                if features and name not in features:
                    path = f"examples.{index}.{key}"
                    near = did_you_mean(name, features)
                    problems.add(f"{path}.{name}", f'there is no feature "{name}"{near}')
