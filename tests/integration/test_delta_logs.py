"""Table logs on HDFS: a table of many commits opens, however many open it at the same moment."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from streaming.lake.delta_tables import create
from streaming.lake.filesystem import file_system
from streaming.lake.hot_tables import COMMITS_TO_READ, PROPERTIES, arrow_schema
from tests.streaming.ingest.test_write_batch import PIPELINE, append
from tests.waiting import until

pytestmark = pytest.mark.engines

COMMITS = 99
PROCESSES = 8
"""With all of these commits to read, none of them comes back."""
PATIENCE_S = 90
OPENS = """
import sys, threading
from deltalake import DeltaTable

def opens():
    for _ in range(5):
        DeltaTable(sys.argv[1])

threads = [threading.Thread(target=opens) for _ in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_a_table_of_many_commits_opens_however_many_open_it_at_once(stack: Any, tmp_path: Path) -> None:
    url = stack.places.table("tests", "many-commits")
    create(tmp_path.as_uri(), arrow_schema(PIPELINE, "events"), ["bucket"], PROPERTIES)
    for number in range(COMMITS):
        append([{"id": str(number), "bucket": 60}], tmp_path.as_uri(), ("query", number))
    assert COMMITS % COMMITS_TO_READ == COMMITS_TO_READ - 1, "as many commits behind a checkpoint as ever"
    copy(tmp_path / "_delta_log", f"{url}/_delta_log")
    opening = [subprocess.Popen([sys.executable, "-c", OPENS, url]) for _ in range(PROCESSES)]
    try:
        until(lambda: None not in [process.poll() for process in opening], PATIENCE_S, "all that open the table")
    finally:
        for process in opening:
            process.kill()
    assert [process.returncode for process in opening] == [0] * PROCESSES


def copy(folder: Path, url: str) -> None:
    """Copy a folder's files, many at once: the closing of each mostly waits."""
    files, path = file_system(url)
    files.makedirs(path, exist_ok=True)
    with ThreadPoolExecutor(COMMITS) as pool:
        list(pool.map(lambda file: files.put_file(str(file), f"{path}/{file.name}"), folder.iterdir()))
