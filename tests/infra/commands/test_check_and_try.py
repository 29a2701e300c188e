"""`hotpath check` and `hotpath try`: what they print, and their exit codes."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from infra.commands import check, try_event

MINIMAL = Path(__file__).parents[2] / "pipelines" / "minimal.toml"
EVENT = '{"reading": 1, "machine": 7, "shift": 2, "temperature": 80, "load": 0.5, "read_at": 1767225600000, "more": 1}'


def hotpath(*words: str) -> int:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    check.add_parser(subparsers)
    try_event.add_parser(subparsers)
    args = parser.parse_args(words)
    code: int = args.run(args)
    return code


def test_check_says_that_a_file_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert hotpath("check", str(MINIMAL)) == 0
    assert capsys.readouterr().out == f"{MINIMAL}: machines is well: 9 fields, 6 features, 1 example held\n"


def test_check_prints_every_problem_of_every_file_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(MINIMAL.read_text(encoding="utf-8").replace("topic", "topics"), encoding="utf-8")
    assert hotpath("check", str(MINIMAL), str(wrong)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert f'{wrong}:6:1: [events] unknown key "topics"; did you mean "topic"?' in lines
    assert len([line for line in lines if line.startswith(str(wrong))]) == 2


def test_check_runs_the_files_own_examples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(MINIMAL.read_text(encoding="utf-8").replace("heat = 40.0", "heat = 41.0"), encoding="utf-8")
    assert hotpath("check", str(wrong)) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{wrong}:53:34: ")
    assert out.endswith("[examples.0.expected] heat: expected 41.0, got 40.0\n")


def test_check_exits_2_when_a_file_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hotpath("check", str(tmp_path / "none.toml")) == 2
    assert "cannot read" in capsys.readouterr().err


def test_check_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    hotpath("check", "--json", str(MINIMAL))
    [report] = json.loads(capsys.readouterr().out)
    assert (report["pipeline"], report["problems"], report["examples"]) == ("machines", [], 1)


def test_try_shows_every_field_and_feature_with_type_and_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = tmp_path / "event.json"
    event.write_text(EVENT, encoding="utf-8")
    assert hotpath("try", str(MINIMAL), str(event)) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["question", "due", "timestamp", '"2026-01-01T00:02:00Z"'] in rows
    assert ["field", "hours_run", "int", "NULL"] in rows
    assert ["feature", "heat", "double", "40.0"] in rows
    assert ["unknown", "more"] in rows


def test_try_takes_the_moment_from_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = tmp_path / "event.json"
    event.write_text(EVENT, encoding="utf-8")
    assert hotpath("try", str(MINIMAL), str(event), "--as-of", "2026-01-02T00:00:00Z", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["as_of"] == "2026-01-02T00:00:00Z"
    assert answer["features"]["heat"] == {"type": "double", "value": 40.0}


def test_try_lists_everything_that_is_wrong_with_an_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"machine": "seven", "shift": 1}', encoding="utf-8")
    assert hotpath("try", str(MINIMAL), str(event)) == 1
    out = capsys.readouterr().out
    assert out.startswith("error: ")
    assert "error: wrong_type at byte 12: machine must be a whole number, not a string" in out
    assert "error: missing: reading is missing" in out


@pytest.mark.parametrize(
    ("body", "says"), [(b"not json", "not_json at byte 1"), (b"[1]", "error: "), (b"\xff", "error: ")]
)
def test_try_of_a_body_that_cannot_be_read_tells_the_error_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], body: bytes, says: str
) -> None:
    (tmp_path / "event.json").write_bytes(body)
    assert hotpath("try", str(MINIMAL), str(tmp_path / "event.json")) == 1
    out = capsys.readouterr().out
    assert says in out
    assert all(line.startswith("error: ") for line in out.splitlines())
