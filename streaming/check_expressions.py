"""Whether the SQL of a pipeline file is well typed, and keeps sensitive fields out."""

from __future__ import annotations

from streaming.check_references import fields_of
from streaming.names_in import names_in
from streaming.problems import Problems
from streaming.read_sections import Draft


def check_expressions(draft: Draft, problems: Problems) -> None:
    """Note what is wrong with the features, the label's value and its wait."""
    for section, path, expression in _expressions(draft):
        _check_sensitive(draft, section, path, expression, problems)


def _expressions(draft: Draft) -> list[tuple[str, str, str]]:
    """(section whose fields it may use, dotted key, SQL) of every expression."""
    features = draft[""].get("features", {})
    found = [("events", f"features.{name}", sql) for name, sql in features.items() if sql is not None]
    label = draft["label"]
    if isinstance(label.get("wait"), str):
        found.append(("events", "label.wait", label["wait"]))
    if "value" in label:
        found.append(("label", "label.value", label["value"]))
    return found


def _check_sensitive(draft: Draft, section: str, path: str, expression: str, problems: Problems) -> None:
    for name in sorted(names_in(expression)):
        field = fields_of(draft, section).get(name)
        if field is not None and field.sensitive:
            what = path.rpartition(".")[2]
            problems.add(path, f'{what}: the field "{name}" is sensitive, and so never stored; it cannot be used here')
