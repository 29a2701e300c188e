"""From what the native call found to an answer, or to the problem that stands in its place. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Literal

from contract.timestamps import rfc3339_of_us
from serving.prediction.answer import Answer, Caution
from serving.prediction.problems import Fault, Problem
from serving.prediction.question import Options
from serving.prediction.served_model import ServedModel

MOST_UNKNOWN: Final = 50
"""So many unknown fields are named in an answer."""

STATUS_OF_REASON: Final = {"not_json": 400, "too_large": 413}
"""The dead letters that have a status of their own; every other one is a 422."""


@dataclass(frozen=True)
class Verdict:
    """An answer and what the prediction log needs beside it."""

    answer: Answer
    scored: dict[str, Any]
    hypothetical: bool
    """An explicit `as_of` was further off than the tolerance: nobody really asked then."""


def refusal(scored: dict[str, Any], parameter_faults: list[Fault]) -> Problem | None:
    """The problem with a question, if it has one: all faults of its parameters and of its body at once."""
    body_faults = [Fault(e["reason"], e["field"], e["detail"], e["at_byte"]) for e in scored["errors"]]
    faults = (*parameter_faults, *body_faults)
    if not faults:
        return None
    status = next((STATUS_OF_REASON[f.code] for f in body_faults if f.code in STATUS_OF_REASON), 422)
    return Problem(status, _listed(faults), faults)


def judge(
    scored: dict[str, Any], options: Options, model: ServedModel, now_us: int, tolerance_us: int, prediction_id: str
) -> Verdict | Problem:
    """Decide on a well-formed question: `scored` is `Bundle.score`'s result without errors."""
    skewed = scored["as_of_source"] != "clock" and abs(scored["as_of_us"] - now_us) > tolerance_us
    warnings = _warnings(scored, now_us if skewed else None)
    if options.strict and warnings:
        faults = tuple(Fault(warning["code"], warning["field"], warning["detail"]) for warning in warnings)
        return Problem(422, f"strict=1: {_listed(faults)}", faults)
    answer = _answer(scored, model, warnings, prediction_id)
    return Verdict(answer, scored, hypothetical=skewed and scored["as_of_source"] == "query")


def _answer(scored: dict[str, Any], model: ServedModel, warnings: list[Caution], prediction_id: str) -> Answer:
    as_of_us, valid_until_us = scored["as_of_us"], scored["tolerance_valid_until_us"]
    return {
        "prediction_id": prediction_id,
        "id": scored["id"],
        "pipeline": model.manifest.pipeline,
        "pipeline_hash": model.pipeline_hash,
        "model": model.version,
        "model_age_s": model.age_s(as_of_us),
        "as_of": rfc3339_of_us(as_of_us),
        "source": "model",
        "probability": scored["probability"] if isfinite(scored["probability"]) else None,
        "value": None,
        "probabilities": None,
        "decision": scored["decision"],
        "tolerance": scored["tolerance"],
        "expired": model.is_expired(as_of_us),
        "reason": scored["reason"],
        "warnings": warnings,
        "contributions": None,
        "experiment": None,
        "tolerance_valid_until": None if valid_until_us is None else rfc3339_of_us(valid_until_us),
        "tolerance_expired": scored["tolerance_expired"],
    }


def _warnings(scored: dict[str, Any], skewed_from_us: int | None) -> list[Caution]:
    warnings = _unknown_fields(list(dict.fromkeys(scored["unknown"])))
    for name, level in scored["unseen"]:
        warnings.append(_warning("unseen_level", name, f"{level!r} was not seen in training"))
    for name, value in scored["outside"]:
        warnings.append(_warning("outside_range", name, f"{value!r} is outside the range seen in training"))
    if skewed_from_us is not None:
        warnings.append(_skew(scored, skewed_from_us))
    return warnings


def _unknown_fields(names: list[str]) -> list[Caution]:
    """A warning for each; the last one speaks for those beyond the limit, so that no answer outgrows its question."""
    warnings = [_warning("unknown_field", name, "the pipeline declares no such field") for name in names[:MOST_UNKNOWN]]
    if len(names) > MOST_UNKNOWN:
        warnings[-1]["detail"] += f"; nor {len(names) - MOST_UNKNOWN} more"
    return warnings


def _skew(scored: dict[str, Any], now_us: int) -> Caution:
    seconds = (scored["as_of_us"] - now_us) / 1e6
    origin = "the parameter" if scored["as_of_source"] == "query" else "the body's time"
    return _warning("clock_skew", "as_of", f"{origin} is {seconds:+.3f} s from the scorer's clock")


def _warning(
    code: Literal["clock_skew", "unknown_field", "unseen_level", "outside_range"], name: str, detail: str
) -> Caution:
    return {"code": code, "field": name, "detail": detail}


def _listed(faults: tuple[Fault, ...]) -> str:
    first = faults[0].detail
    return first if len(faults) == 1 else f"{first}; and {len(faults) - 1} more, see `errors`"
