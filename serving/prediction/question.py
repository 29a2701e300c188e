"""A question's options: the query parameters of a predict request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final
from urllib.parse import parse_qsl

from contract.timestamps import parse_us
from serving.prediction.problems import Fault

KNOWN: Final = ("as_of", "strict", "tolerance", "explain")
RESERVED: Final = ("explain",)


@dataclass(frozen=True)
class Options:
    """`as_of_us`: as stated, or None. `strict`: warnings are errors. `tolerance`: the one that is named, or None."""

    as_of_us: int | None = None
    strict: bool = False
    tolerance: str | None = None


def read_options(query: bytes, tolerances: Collection[str] = ()) -> tuple[Options, list[Fault]]:
    """The options, and every fault among the parameters. A faulty parameter has its default in the options.

    `tolerances` are the names that there are.
    """
    if not query:
        return Options(), []
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace")
    names = [name for name, _ in given]
    values = dict(given)
    faults = [_unknown(name) for name in values if name not in KNOWN]
    faults += [Fault("reserved", name, f"`{name}` is not in this version") for name in RESERVED if name in values]
    faults += [Fault("repeated", name, f"`{name}` is given twice") for name in values if names.count(name) > 1]
    as_of_us = _as_of(values["as_of"], faults) if "as_of" in values else None
    strict = _strict(values["strict"], faults) if "strict" in values else False
    tolerance = _tolerance(values["tolerance"], tolerances, faults) if "tolerance" in values else None
    return Options(as_of_us, strict, tolerance), faults


def _unknown(name: str) -> Fault:
    near = get_close_matches(name, KNOWN[:3], n=1, cutoff=0.5)
    hint = f"did you mean `{near[0]}`?" if near else "there are `as_of`, `strict` and `tolerance`"
    return Fault("unknown_parameter", name, f"there is no parameter `{name}`; {hint}")


def _tolerance(name: str, known: Collection[str], faults: list[Fault]) -> str | None:
    if name in known:
        return name
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    there_are = f"there are {', '.join(f'`{each}`' for each in known)}" if known else "this pipeline has none"
    hint = f"did you mean `{near[0]}`?" if near else there_are
    faults.append(Fault("unknown_tolerance", "tolerance", f"there is no tolerance `{name}`; {hint}"))
    return None


def _as_of(text: str, faults: list[Fault]) -> int | None:
    try:
        return parse_us(text)
    except ValueError as error:
        hint = "write a time such as 2026-01-31T08:00:00Z (a + as %2B), or epoch milliseconds"
        faults.append(Fault("wrong_type", "as_of", f"{text!r}: {error}; {hint}"))
        return None


def _strict(text: str, faults: list[Fault]) -> bool:
    if text not in ("0", "1"):
        faults.append(Fault("wrong_type", "strict", f"{text!r}: write 1 or 0"))
    return text == "1"
