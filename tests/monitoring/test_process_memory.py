"""The monitor's process holds nothing that it does not need."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from monitoring.process_memory import keep_small
keep_small()
import numpy, pyarrow
import monitoring.monitor
assert pyarrow.array(numpy.arange(3)).to_pylist() == [0, 1, 2]  # pyarrow looks for pandas when it is given an array
print("pandas" in sys.modules, pyarrow.default_memory_pool().backend_name)
"""


def test_the_monitor_does_without_pandas_and_gives_freed_memory_back() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["False", "system"]
