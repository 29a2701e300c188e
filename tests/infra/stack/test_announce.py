"""The question that `up` prints can be asked whenever its reader gets to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.settings import Settings
from infra.stack.announce import event_of_now, example_body
from infra.stack.deployments import Deployment
from streaming.pipeline_file.load import load

FLIGHTS = Path(__file__).parents[3] / "examples/flights/pipeline.toml"


def body(file: Path, data: Path) -> dict[str, object]:
    settings = Settings.from_environment({"HOTPATH_DATA": str(data)})
    settings.run.mkdir(parents=True, exist_ok=True)
    found: dict[str, object] = json.loads(Path(example_body(settings, Deployment(load(file), file, None))).read_text())
    return found


def test_the_printed_question_has_no_time_of_its_own_that_would_be_old(tmp_path: Path) -> None:
    asked = body(FLIGHTS, tmp_path)
    assert "asked_at" not in asked
    assert {"question_id", "scheduled_departure"} <= asked.keys()


def test_its_other_times_keep_their_distance_to_the_asking() -> None:
    pipeline, now = load(FLIGHTS), datetime(2026, 11, 22, 8, 30, 15, 123_999, tzinfo=UTC)
    example, moved = pipeline.examples[0].event, event_of_now(pipeline, now)
    times = [name for name in moved if example[name] != moved[name]]
    assert times == ["asked_at", "scheduled_departure", "scheduled_arrival"]
    assert moved["asked_at"] == "2026-11-22T08:30:15.123Z"
    for name in times:
        apart = [
            datetime.fromisoformat(str(e[name])) - datetime.fromisoformat(str(e["asked_at"])) for e in (example, moved)
        ]
        assert abs(apart[0] - apart[1]) < timedelta(milliseconds=1), name


def test_a_time_that_may_not_lack_stays(tmp_path: Path) -> None:
    text = FLIGHTS.read_text()
    plain, required = 'asked_at = "timestamp"', 'asked_at = { type = "timestamp", required = true }'
    assert plain in text
    file = tmp_path / "strict.toml"
    file.write_text(text.replace(plain, required, 1))
    assert "asked_at" in body(file, tmp_path)
