"""`hotpath bench`: runs a checkout's benchmarks, keeps what they print, and says where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.cli import main
from infra.commands import bench


def test_every_benchmark_is_listed_with_what_it_measures() -> None:
    found = bench.benchmarks(bench.FOLDER)
    assert set(found) == {"bundle", "delay", "growth", "monitor", "pictures", "rows", "start", "transform"}
    assert all(found.values())


def test_what_a_benchmark_prints_is_kept_in_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path))
    assert main(["bench", "transform", "examples/flights/pipeline.toml"]) == 0
    (kept,) = (tmp_path / "benchmarks").glob("transform-*.txt")
    command, *figures = kept.read_text().splitlines()
    assert command == "$ hotpath bench transform examples/flights/pipeline.toml"
    assert any("decode_ns_per_row" in line for line in figures)


def test_the_benchmarks_exit_code_is_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path))
    assert main(["bench", "transform", str(tmp_path / "nothing.toml")]) != 0


def test_an_unknown_name_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "nonsense"]) == 2
    assert "there are: bundle, delay" in capsys.readouterr().err


def test_outside_a_checkout_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "FOLDER", tmp_path / "benchmarks")
    assert main(["bench", "transform"]) == 1
    assert "are part of a checkout" in capsys.readouterr().err


@pytest.mark.parametrize("name", bench.benchmarks(bench.FOLDER))
def test_arguments_that_a_benchmark_refuses_are_usage_of_the_command_and_nothing_is_kept(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTPATH_DATA", str(tmp_path))
    assert main(["bench", name, "--nonsense"]) == 2
    out = capsys.readouterr().out
    assert out.startswith(f"usage: hotpath bench {name} ")
    assert "kept in" not in out
    assert list((tmp_path / "benchmarks").iterdir()) == []
