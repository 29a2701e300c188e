"""`[scorecard]`: its keys, and how a team's risk tolerances are read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from contract.pipeline import RATES, Costs, Per, Scorecard, Tolerance, WhenExpired
from streaming.pipeline_file.defaults import stated
from streaming.pipeline_file.diagnostics import Problems, did_you_mean, nearest
from streaming.pipeline_file.value_types import NAME, ValueType, last_part, number, one_of, shown

_SHARE: Final = number(0.0001, 0.9)
_COST: Final = number(0, 1e9)
_COSTS: Final = ("false_positive", "false_negative", "abstain", "bound")


def _read_costs(value: object, path: str, problems: Problems) -> object:
    if not isinstance(value, dict):
        problems.add(path, f"{last_part(path)}: must be a table of {', '.join(_COSTS)}, not {shown(value)}")
        return None
    before = len(problems.found)
    for key in value.keys() - set(_COSTS):
        problems.add(f"{path}.{key}", f'unknown key "{key}"{did_you_mean(key, _COSTS)}')
    for key in _COSTS:
        if key not in value:
            problems.add(path, f'{last_part(path)}: needs "{key}"')
    read: dict[str, Any] = {key: _COST.read(value[key], f"{path}.{key}", problems) for key in _COSTS if key in value}
    if len(problems.found) > before:
        return None
    costs = Costs(**read)
    if not 0 < costs.bound < costs.highest:
        told = f"bound: must be above 0 and below the highest cost ({costs.highest:g}), not {costs.bound:g}"
        problems.add(f"{path}.bound", f"{told}: else it says nothing")
        return None
    return costs


@dataclass(frozen=True)
class ToleranceKey:
    """A key of a tolerance's table, by the name of its field in `Tolerance`."""

    name: str
    kind: ValueType
    meaning: str

    @property
    def default(self) -> str:
        return stated(Tolerance, self.name)


TOLERANCE_KEYS: Final = (
    ToleranceKey("false_positive_rate", _SHARE, "Of the negatives, at most this share is answered `positive`."),
    ToleranceKey("false_negative_rate", _SHARE, "Of the positives, at most this share is answered `negative`."),
    ToleranceKey("false_discovery_rate", _SHARE, "Of the answers `positive`, at most this share is wrong."),
    ToleranceKey("false_omission_rate", _SHARE, "Of the answers `negative`, at most this share is wrong."),
    ToleranceKey(
        "cost",
        ValueType(f"table of {', '.join(_COSTS)}", _read_costs),
        "In place of rates: what a wrong answer of each kind costs, what no answer costs, and what an answer may cost "
        "on average.",
    ),
    ToleranceKey("confidence", number(0.5, 0.9999), "In this share of all scorecards the bounds hold, at least."),
    ToleranceKey(
        "per",
        one_of(*get_args(Per)),
        "Of what the bounds hold: `entity`: of one random answer of each entity; `answer`: of all answers; or both.",
    ),
    ToleranceKey(
        "when_expired",
        one_of(*get_args(WhenExpired)),
        "What it does when the card is no longer valid: abstain, or decide and say so (`tolerance_expired`).",
    ),
)
DEFAULT_MEANING: Final = (
    "The tolerance that decides where a caller names none. Without it the model's threshold decides."
)


_KNOWN: Final = frozenset(key.name for key in TOLERANCE_KEYS)


def _read_scorecard(value: object, path: str, problems: Problems) -> object:
    """The scorecard of the tolerances whose tables were right."""
    if not isinstance(value, dict):
        problems.add(path, f"tolerances are written as [scorecard.NAME], not as {shown(value)}")
        return None
    tables = {name: table for name, table in value.items() if name != "default"}
    read = [_read_tolerance(name, table, f"{path}.{name}", problems) for name, table in tables.items()]
    default = _read_default(value["default"], tables, f"{path}.default", problems) if "default" in value else None
    return Scorecard(tuple(tolerance for tolerance in read if tolerance is not None), default)


def _read_default(value: object, tables: Mapping[str, object], path: str, problems: Problems) -> str | None:
    if isinstance(value, dict):
        problems.add(path, "default: names a tolerance; give this one another name")
    elif value not in tables:
        near = did_you_mean(value, tables) if isinstance(value, str) else ""
        problems.add(path, f"default: there is no [scorecard.NAME] of the name {shown(value)}{near}")
    else:
        return str(value)
    return None


def _read_tolerance(name: str, table: object, path: str, problems: Problems) -> Tolerance | None:
    before = len(problems.found)
    NAME.read(name, path, problems)
    if not isinstance(table, dict):
        problems.add(path, f"{name}: a tolerance is a table, not {shown(table)}")
        return None
    known = {key.name: key for key in TOLERANCE_KEYS}
    for key in table.keys() - known.keys():
        problems.add(f"{path}.{key}", f'unknown key "{key}"{did_you_mean(key, known)}')
    values: dict[str, Any] = {
        key: known[key].kind.read(item, f"{path}.{key}", problems) for key, item in table.items() if key in known
    }
    _check_bounds(name, table, path, problems)
    return Tolerance(name, **values) if len(problems.found) == before else None


def _check_bounds(name: str, table: Mapping[str, object], path: str, problems: Problems) -> None:
    rates = [rate for rate in RATES if rate in table]
    meant = [key for key in table if key not in _KNOWN and nearest(key, (*RATES, "cost"))]
    if not rates and "cost" not in table and not meant:
        problems.add(path, f"{name}: bounds nothing; give one of {', '.join(RATES)}, or cost")
    if rates and "cost" in table:
        problems.add(f"{path}.cost", f"cost: stands beside {rates[0]}; a tolerance bounds rates or a cost, not both")


SCORECARD: Final = ValueType("tables of risk tolerances, by name", _read_scorecard)
