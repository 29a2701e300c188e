"""The shape of an answer, declared once: the JSON schema, `/docs` and the table in `docs/api.md` come from here.

Fields may be added to it; none is ever renamed, removed or given another type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, with_config
from typing_extensions import TypedDict

WARNING_CODES: Final = {
    "clock_skew": "`as_of`, as stated or from the body, is further than `[clock] tolerance` from the scorer's clock",
    "unknown_field": "the body has a field that the pipeline does not declare; it is ignored",
    "unseen_level": "a categorical feature has a level that training never saw; the model takes its path for missing",
    "outside_range": "a numeric feature lies outside the range seen in training",
}
"""Every code of a warning, and what it means. With `strict=1` each is an error."""

REASONS: Final = {
    "not_finite": "the model's figure is not a finite number",
    "between_thresholds": "the probability lies between the thresholds of the tolerance: nothing is promised there",
    "not_attainable": "the model has no threshold for the tolerance: too few rows to show that its bounds hold, or too "
    "many errors; or it was made before the tolerance was",
    "tolerance_expired": "`as_of` is after `tolerance_valid_until`",
}
"""Every reason to abstain, and what it means."""

Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
"""RFC 3339, UTC, milliseconds."""


@with_config({"title": "Warning"})
class Caution(TypedDict):
    """One thing that makes the answer less certain."""

    code: Literal["clock_skew", "unknown_field", "unseen_level", "outside_range"]
    field: str
    detail: str


class Answer(TypedDict):
    """What a question gets. Every field is always present; null where it does not apply."""

    prediction_id: Annotated[str, Field(description="unique, sortable by time (UUIDv7); names the logged prediction")]
    id: Annotated[str, Field(description="the question's `id`, from the body")]
    pipeline: Annotated[str, Field(description="the pipeline's name")]
    pipeline_hash: Annotated[str, Field(description="hash of the pipeline file that the model was made with")]
    model: Annotated[str, Field(description="the model's version")]
    model_age_s: Annotated[float, Field(description="`as_of` minus the newest question in training, seconds")]
    as_of: Annotated[Time, Field(description="the moment of the question that was used")]
    source: Annotated[
        Literal["model", "baseline"], Field(description="what gave the figure; `baseline` is reserved for later")
    ]
    probability: Annotated[
        float | None, Field(ge=0, le=1, description="binomial models: probability that the label is true")
    ]
    value: Annotated[float | None, Field(description="regression models: the figure")]
    probabilities: Annotated[dict[str, float] | None, Field(description="multinomial models: class to probability")]
    decision: Annotated[
        str | None,
        Field(description="binomial: `positive`, `negative` or `abstain`; multinomial: a class or `abstain`"),
    ]
    tolerance: Annotated[str | None, Field(description="the risk tolerance that decided; null: the model's threshold")]
    expired: Annotated[
        bool, Field(description="the model is older than `[serving] max_age`; changes neither figure nor decision")
    ]
    reason: Annotated[
        Literal["not_finite", "between_thresholds", "not_attainable", "tolerance_expired"] | None,
        Field(description="why it abstained; set only with `abstain`"),
    ]
    warnings: Annotated[list[Caution], Field(description="what makes this answer less certain; see the codes below")]
    contributions: Annotated[dict[str, float] | None, Field(description="reserved for explanations")]
    experiment: Annotated[str | None, Field(description="reserved for shadow and split")]
    tolerance_valid_until: Annotated[
        Time | None, Field(description="the last `as_of` for which the tolerance's thresholds hold")
    ]
    tolerance_expired: Annotated[
        bool | None,
        Field(description="`as_of` is later than that; it abstains then, unless the tolerance says otherwise"),
    ]


def answer_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) that every answer holds to."""
    schema = TypeAdapter(Answer).json_schema()
    schema["properties"]["warnings"]["items"] = schema.pop("$defs")["Caution"]  # so that it can stand anywhere
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def answer_fields() -> Iterator[tuple[str, str, str]]:
    """(name, type, meaning) of every field, in the order of the answer."""
    for name, property_ in answer_schema()["properties"].items():
        yield name, " or ".join(_types(property_)), property_["description"]


def _types(schema: dict[str, Any]) -> list[str]:
    if "anyOf" in schema:
        return [name for choice in schema["anyOf"] for name in _types(choice)]
    if "pattern" in schema:
        return ["time"]
    if "enum" in schema or "const" in schema:
        return [" or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))]
    return [str(schema["type"])]
