"""A process is known by its pid and its start, whatever its name is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from contract.process_identity import Process


def test_a_name_with_brackets_and_blanks_hides_no_field(tmp_path: Path) -> None:
    program = tmp_path / ") S 1 ("
    shutil.copy("/bin/sleep", program)
    running = subprocess.Popen([program, "600"])
    try:
        found, me = Process.of(running.pid), Process.of(os.getpid())
        assert found is not None
        assert me is not None
        assert found.started >= me.started
    finally:
        running.kill()
        running.wait()
    assert Process.of(running.pid) is None


def test_another_process_with_the_same_pid_is_neither_alive_nor_signalled() -> None:
    running = subprocess.Popen(["sleep", "600"])
    try:
        found = Process.of(running.pid)
        assert found is not None
        former = Process(found.pid, found.started - 1)
        assert (found.is_alive, former.is_alive) == (True, False)
        former.signal(signal.SIGKILL)
        assert running.poll() is None
        found.signal(signal.SIGKILL)
        assert running.wait(10) == -signal.SIGKILL
        found.signal(signal.SIGKILL)
    finally:
        running.kill()
        running.wait()
