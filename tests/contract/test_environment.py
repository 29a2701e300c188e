"""The reader of the environment: types, defaults, NAME_FILE, and errors that name the variable and the remedy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

from contract import metrics, variables
from contract.environment import Environment, VariableError
from tests.serving.hot_host import free_port


def environment(**env: str) -> Environment:
    return Environment(env)


def test_a_variable_is_read_by_its_type_and_has_a_default() -> None:
    assert environment().get(variables.TRIGGER_S) == timedelta(seconds=5)
    assert environment(HOTPATH_TRIGGER_S="2.5").get(variables.TRIGGER_S) == timedelta(seconds=2.5)
    assert environment(HOTPATH_ADMIN="10.0.0.7:80").get(variables.ADMIN) == ("10.0.0.7", 80)
    assert environment(HOTPATH_KEYS="one, two,").get(variables.KEYS) == ("one", "two")
    assert environment(HOTPATH_TRIGGER_S="").get(variables.TRIGGER_S) == timedelta(seconds=5), "empty is not given"
    assert environment(HOTPATH_SCORER_ABC="h:1").get(variables.SCORER.of("abc")) == ("h", 1)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_every_variable_may_be_given_as_a_file(tmp_path: Path, end: str) -> None:
    (tmp_path / "secret").write_bytes(f" two words {end}".encode())
    given = environment(HOTPATH_H2O_PASSWORD_FILE=str(tmp_path / "secret"))
    assert given.get(variables.H2O_PASSWORD) == " two words "
    assert given.is_given(variables.H2O_PASSWORD)
    (tmp_path / "address").write_text("h:1\n")
    family = environment(HOTPATH_SCORER_ABC_FILE=str(tmp_path / "address"))
    assert family.required(variables.SCORER.of("abc")) == ("h", 1)


def test_a_variable_and_its_file_together_are_refused(tmp_path: Path) -> None:
    both = environment(HOTPATH_KEYS="a", HOTPATH_KEYS_FILE=str(tmp_path / "keys"))
    with pytest.raises(VariableError, match="HOTPATH_KEYS and HOTPATH_KEYS_FILE are both set; unset one of them"):
        both.get(variables.KEYS)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "url").write_bytes(content)
    with pytest.raises(
        VariableError, match=f"HOTPATH_HDFS_FILE={tmp_path}/url: the file cannot be read .*; name a file"
    ):
        environment(HOTPATH_HDFS_FILE=f"{tmp_path}/url").required(variables.HDFS)


def test_what_does_not_read_is_refused_by_name_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(
        VariableError, match=r"HOTPATH_PORT_BASE=80: must be .* from 1024 to 65000, for example HOTPATH_"
    ):
        environment(HOTPATH_PORT_BASE="80").get(variables.PORT_BASE)
    with pytest.raises(VariableError, match=r"HOTPATH_HDFS is not set; .* example HOTPATH_HDFS=hdfs://namenode:8020"):
        environment().required(variables.HDFS)
    (tmp_path / "rate").write_text("fast\n")
    with pytest.raises(VariableError, match="HOTPATH_RATE_FILE=fast: must be a positive number"):
        environment(HOTPATH_RATE_FILE=str(tmp_path / "rate")).get(variables.RATE)


def test_every_example_and_default_reads() -> None:
    for variable in (each for group in variables.GROUPS.values() for each in group):
        variable.read(variable.example)
    names = [*variables.declared()]
    assert len(set(names)) == len(names)


def test_a_misspelt_variable_is_told_with_the_nearest_that_is_known() -> None:
    well = {
        "HOTPATH_HDFS": "",
        "HOTPATH_KEYS_FILE": "",
        "HOTPATH_SCORER_X": "",
        "HOTPATH_SCORER_X_FILE": "",
        "PATH": "",
    }
    assert variables.misspelt(well) == []
    [told] = variables.misspelt(well | {"HOTPATH_HFDS": ""})
    assert told == "HOTPATH_HFDS is no variable of hotpath and does nothing; did you mean HOTPATH_HDFS?"
    [far] = variables.misspelt({"HOTPATH_XYZZY_QUUX_PLUGH": ""})
    assert "docs/operations.md" in far


@pytest.mark.parametrize("variable", ["HOTPATH_BIND", "HOTPATH_METRICS_BIND"])
def test_metrics_are_served_where_the_environment_says(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("HOTPATH_METRICS_PORT", str(port))
    monkeypatch.setenv(variable, "127.0.0.2")
    metrics.serve("test")
    assert b"hotpath_problems" in urlopen(f"http://127.0.0.2:{port}/metrics", timeout=5).read()
    with pytest.raises(OSError, match="refused"):
        urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)
