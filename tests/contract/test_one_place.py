"""Names that several places share stand in one: topics, variables, paths of the data folder, ways to write and lock.

The source text of the product is searched; documentation strings may name what they like.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("contract", "streaming", "training", "serving", "monitoring", "infra", "benchmarks", "examples")
TOPIC = re.compile(r"\bhotpath\.(append_time|progress|imports|commands)\b|^\.(predictions|models|commands)$")
VARIABLE = re.compile(r"\bHOTPATH_")
FOLDER = re.compile(r"\b(data|\.data)\s*/\s*f?\"")
WRITES = re.compile(r"\bos\.(replace|rename)\(|\bflock\(|\.rename\(|\.write_text\(|\.write_bytes\(")

PLACES = {
    "topic": {"contract/topics.py"},
    "variable": {"contract/variables.py", "contract/environment.py"},
    "environment": {
        "contract/environment.py",  # the reader
        "streaming/spark_session.py",  # tells Spark, through variables of Spark's own
        "serving/rollout/scorer_processes.py",  # the rest only hand the whole on to a process that they start
        "infra/cli.py",
        "infra/settings.py",
        "infra/install/installer.py",
        "infra/install/jars.py",
        "infra/install/influxd_build.py",  # of the user's cache, and of Go
        "infra/commands/bench.py",
        "infra/commands/run_tests.py",
    },
    "writes": {
        "contract/files.py",
        "contract/unix_socket.py",  # a socket, not a file
        "contract/alert_docs.py",
        "contract/environment_docs.py",  # pages of the checkout, written by a person's command
        "contract/metrics_docs.py",
        "serving/http/api_docs.py",
        "streaming/pipeline_file/pipeline_docs.py",
        "streaming/expressions/expression_docs.py",
        "serving/prediction_log/disk_spool.py",  # locks a file that it has open, and appends to it
        "serving/rollout/scorer_processes.py",  # a log that is put aside
        "infra/install/jars.py",  # what the installer makes again when it lacks: whole folders
        "infra/install/java_home.py",
        "infra/install/influxd_build.py",
    },
}
"""What is looked for -> where it may stand."""


def sources() -> Iterator[tuple[str, str]]:
    for package in PRODUCT:
        for file in sorted((ROOT / package).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")


def of_the_stack() -> Iterator[tuple[str, str]]:
    """Without the benchmarks, which fill temporary folders."""
    return ((file, text) for file, text in sources() if not file.startswith("benchmarks/"))


def texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and value of each string constant that is no documentation; of an f-string each part."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def strings_with(pattern: re.Pattern[str], source: str) -> list[int]:
    return [line for line, text in texts(source) if pattern.search(text)]


def lines_with(pattern: re.Pattern[str], source: str) -> list[int]:
    return [number for number, line in enumerate(source.splitlines(), 1) if pattern.search(line)]


@pytest.mark.parametrize(("what", "pattern"), [("topic", TOPIC), ("variable", VARIABLE)])
def test_a_name_is_written_as_text_in_its_one_place_alone(what: str, pattern: re.Pattern[str]) -> None:
    found = {f"{file}:{line}" for file, text in sources() for line in strings_with(pattern, text)}
    strangers = sorted(place for place in found if place.rpartition(":")[0] not in PLACES[what])
    assert not strangers, f"import the {what} from {sorted(PLACES[what])[0]}"


def test_the_environment_is_read_in_one_place() -> None:
    reads = re.compile(r"\bos\.(environ|getenv)\b")
    strangers = [file for file, text in sources() if lines_with(reads, text) and file not in PLACES["environment"]]
    assert not strangers, "declare the variable in contract/variables.py and read it by Environment().get(...)"


def test_paths_in_the_data_folder_come_from_one_place() -> None:
    found = [f"{file}:{line}" for file, text in of_the_stack() for line in lines_with(FOLDER, text)]
    assert not found, "add a property to contract/data_folder.py"


def test_local_state_is_written_and_locked_in_one_way() -> None:
    strangers = [
        f"{file}:{line}"
        for file, text in of_the_stack()
        for line in lines_with(WRITES, text)
        if file not in PLACES["writes"]
    ]
    assert not strangers, "use write_durably, put_in_place or exclusive_lock of contract/files.py"


def test_the_search_finds_what_it_looks_for() -> None:
    source = '''
"""HOTPATH_DATA hotpath.progress"""
def f(x):
    """HOTPATH_DATA"""
    return f"{x}.predictions", "set HOTPATH_DATA", "hotpath.imports"
'''
    assert (strings_with(VARIABLE, source), strings_with(TOPIC, source)) == ([5], [5, 5])
    assert [bool(FOLDER.search(each)) for each in ('places.data / "onprem"', "data / name")] == [True, False]
    assert [bool(WRITES.search(each)) for each in ("os.replace(a, b)", "path.replace(text)")] == [True, False]
