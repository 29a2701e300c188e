"""The watchdog: a process whose call never comes back ends itself, and says which call that was."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.process_end import GIVEN_UP

ROOT = Path(__file__).parents[3]

IN_CALLS = """
import os
from streaming.lake import hang_watchdog
from streaming.lake.hang_watchdog import expected_back
hang_watchdog.start(300)
{}
print("went on", flush=True)
os._exit(0)  # the end of the interpreter is not watched, and may take longer than the limit of a test
"""

ONE_AFTER_THE_OTHER = """
import time
until = time.monotonic() + 4
while time.monotonic() < until:
    with expected_back("a short one"):
        time.sleep(0.01)
"""

ONE_FAILED = """
import contextlib, time
with contextlib.suppress(OSError), expected_back("one that failed"):
    raise OSError
time.sleep(4)
"""


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a NameNode that stands still: it takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"hdfs://127.0.0.1:{listening.getsockname()[1]}"


def run(calls: str, limit_s: str = "0.5") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", IN_CALLS.format(calls)],
        env=os.environ | {"HOTPATH_CALL_S": limit_s, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("calls", "named"),
    [
        ("from streaming.lake.filesystem import file_system; file_system('{}/a')[0].ls('/a')", "the listing of {}/a"),
        ("from streaming.lake.filesystem import file_system; file_system('{}/a')[0].open('/a', 'wb')", "create of {}"),
        ("from streaming.lake import delta_tables; delta_tables.add_actions('{}/a/rows')", "the log of {}/a/rows"),
    ],
)
def test_a_call_to_a_namenode_that_stands_still_ends_the_process(silent: str, calls: str, named: str) -> None:
    ended = run(calls.format(silent))
    assert ended.returncode == GIVEN_UP
    assert f"{named.format(silent)} has not come back for 0.5 s" in ended.stderr
    assert "<string>" in ended.stderr, "where each thread was"


def test_so_does_one_that_keeps_the_lock_of_python() -> None:
    ended = run("import ctypes; ctypes.PyDLL(None).sleep(60)")
    assert ended.returncode == 1
    assert "Timeout (0:00:00.5" in ended.stderr
    assert "<string>" in ended.stderr, "where each thread was"


@pytest.mark.parametrize("calls", [ONE_AFTER_THE_OTHER, ONE_FAILED])
def test_calls_that_come_back_end_nothing(calls: str) -> None:
    ended = run(calls, limit_s="2")
    assert (ended.returncode, ended.stdout) == (0, "went on\n"), ended.stderr


def test_a_limit_that_is_no_number_is_refused_with_the_remedy() -> None:
    assert (
        "HOTPATH_CALL_S=soon: must be a number of seconds above 0, for example HOTPATH_CALL_S=90"
        in run("", "soon").stderr
    )


def test_a_call_may_have_a_longer_limit_of_its_own() -> None:
    slow = "import time\nwith expected_back('a build', {limit}):\n    time.sleep(4)"
    ended = run(slow.format(limit=30), limit_s="2")
    assert (ended.returncode, ended.stdout) == (0, "went on\n"), ended.stderr
    ended = run(slow.format(limit=0.2), limit_s="30")
    assert ended.returncode == GIVEN_UP
    assert "a build has not come back for 0.2 s" in ended.stderr
