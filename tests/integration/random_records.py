"""Random records of the small pipeline, in no order."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.integration.rows_world import START_S, Record, text

NOTHING_ODD: list[dict[str, Any]] = [{}] * 12


def random_records(seed: int, questions: int, start_s: float = START_S) -> list[Record]:
    """Questions with retries, some of them out of bounds; labels with corrections and NULLs; predictions."""
    draw = random.Random(seed)
    made: list[Record] = []

    def put(topic: str, append_s: float, value: dict[str, Any]) -> None:
        made.append(Record(topic, draw.randrange(2), len(made), round(append_s, 3), value))

    entities = [f"e{n}" for n in range(max(1, questions // 3))]
    for number in range(questions):
        at = start_s + draw.randrange(600)
        due = at + draw.choice([60, 240, 480]) + draw.randrange(60)
        append = at + draw.choice([0.0, draw.uniform(0, 3), draw.uniform(0, 500)])
        value: dict[str, Any] = {
            "id": f"q{number}",
            "entity": draw.choice(entities),
            "at": text(at),
            "due_at": text(due),
        }
        value |= {"x": draw.randrange(100) / 4, "host": draw.choice(["a", "b"])}
        value |= draw.choice([*NOTHING_ODD, *_out_of_bounds(at)])
        put("asked", append, value)
        if draw.random() < 0.35:
            again: dict[str, Any] = draw.choice(
                [{}, {}, {"x": 0.25}, {"entity": draw.choice(entities)}, {"due_at": text(due + 60)}]
            )
            put("asked", append + draw.choice([0.0, draw.uniform(-60, 400)]), value | again)
        for model in draw.sample(["m1", "m2"], draw.randrange(3)):
            for _ in range(draw.choice([1, 1, 2])):
                put("world.predictions", at + draw.uniform(0, 5), _prediction(len(made), value, model, draw))
    for _ in range(questions):
        entity, append = draw.choice(entities), start_s + draw.uniform(-30, 1500)
        for _ in range(draw.choice([1, 1, 2])):
            put("happened", append, {"entity": entity, "outcome": draw.choice([None, 0.0, 1.0, 1.0])})
            append += draw.choice([0.0, draw.uniform(0, 300)])
    return made


def _out_of_bounds(at: float) -> list[dict[str, Any]]:
    return [
        {"due_at": "9999-12-31T23:59:59Z"},
        {"due_at": None},
        {"at": None},
        {"at": text(at + 5 * 3600)},
        {"at": text(at - 5 * 3600), "due_at": text(at - 5 * 3600 + 240)},
    ]


def _prediction(number: int, event: dict[str, Any], model: str, draw: random.Random) -> dict[str, Any]:
    return {
        "prediction_id": f"p{number}",
        "id": event["id"],
        "key": json.dumps([event["entity"]]),
        "as_of": event["at"] or text(START_S),
        "due": event["due_at"],
        "answered": text(START_S),
        "model": model,
        "probability": draw.random(),
        "hypothetical": draw.random() < 0.1,
        "features": {},
        "event": {},
    }
