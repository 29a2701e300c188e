"""What a changed pipeline file means for what is there: said before anything is done.

Features or the label's value: a new `rows` table. A new field: a nullable column. Any other change in `[events]`,
`[label]`, `[clock] imports` or `[lake] buckets` is refused in this version. All other keys act at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from contract.pipeline import Field, Pipeline


@dataclass(frozen=True)
class Changes:
    """`effects` in words, in the order of the file; `refused` in words, each with what to do instead."""

    effects: tuple[str, ...]
    refused: tuple[str, ...]


def changes(old: Pipeline, new: Pipeline) -> Changes:
    """Compare what is deployed with what is to be. Both have the same name."""
    effects, refused = list[str](), list[str]()
    for section in ("events", "label"):
        before, after = _plain(getattr(old, section)), _plain(getattr(new, section))
        added, field_problems = _compare_fields(section, before.pop("fields"), after.pop("fields"))
        effects += added
        refused += field_problems
        if section == "label" and before.pop("value") != after.pop("value"):
            effects.append("[label] value changes: " + _NEW_ROWS)
        refused += [_refuse(f"[{section}] {key}") for key in before if before[key] != after[key]]
    if dict(old.features) != dict(new.features) or list(old.features) != list(new.features):
        effects.append("[features] change: " + _NEW_ROWS)
    if old.clock.imports != new.clock.imports:
        refused.append(_refuse("[clock] imports"))
    if old.lake.buckets != new.lake.buckets:
        refused.append(_refuse("[lake] buckets"))
    effects += [f"[{name}] changes: acts from now on" for name in _others(old, new)]
    return Changes(tuple(effects), tuple(refused))


_NEW_ROWS = (
    "a new table of rows is built from the stored events; the model that serves goes on until one trained on it is "
    "admitted"
)


def _refuse(place: str) -> str:
    return (
        f"{place} has changed, which this version cannot do to stored events: give the pipeline a new name, "
        "or clear its data with `hotpath reset`"
    )


def _plain(section: object) -> dict[str, object]:
    return {each.name: getattr(section, each.name) for each in fields(section)}  # type: ignore[arg-type]


def _compare_fields(section: str, before: object, after: object) -> tuple[list[str], list[str]]:
    old, new = _by_name(before), _by_name(after)
    added = [name for name in new if name not in old]
    effects = [f"[{section}] field {name} is new: a column, NULL in what is stored already" for name in added]
    gone = [_refuse(f"[{section}] field {name} (gone)") for name in old if name not in new]
    changed = [_refuse(f"[{section}] field {name}") for name in old if name in new and old[name] != new[name]]
    required = [name for name in added if new[name].required]
    return effects, gone + changed + [_refuse(f"[{section}] field {name} (new and required)") for name in required]


def _by_name(declared: object) -> Mapping[str, Field]:
    assert isinstance(declared, tuple)
    return {field.name: field for field in declared}


def _others(old: Pipeline, new: Pipeline) -> list[str]:
    """Sections of which only such keys differ as act at once."""
    old_clock, old_lake = replace(old.clock, imports=new.clock.imports), replace(old.lake, buckets=new.lake.buckets)
    pairs = {"facts": (old.facts, new.facts), "clock": (old_clock, new.clock), "lake": (old_lake, new.lake)}
    for name in ("training", "promotion", "serving", "monitoring", "examples"):
        pairs[name] = (getattr(old, name), getattr(new, name))
    return [name for name, (before, after) in pairs.items() if before != after]
