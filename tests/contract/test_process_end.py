"""A thread or task that ends unasked ends its process, and the log has the stacks of all threads."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from contract.process_end import GIVEN_UP, VitalThread, vital_task

PROGRAM = """
import logging, threading, time
from contract.process_end import VitalThread
logging.basicConfig()
def main():
    {body}
threading.Thread(target=lambda: time.sleep(60), name="bystander", daemon=True).start()
VitalThread("reader", main).start()
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise KeyError('x')", "the thread reader ended by KeyError: 'x'"),
        ("raise SystemExit(0)", "the thread reader ended by SystemExit: 0"),
        ("return", "the thread reader ended although nobody asked it to"),
    ],
)
def test_a_vital_thread_ends_its_process(body: str, says: str) -> None:
    command = [sys.executable, "-c", PROGRAM.format(body=body)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert ended.returncode == GIVEN_UP
    assert says in ended.stderr
    assert ended.stderr.count("most recent call first") >= 3, "the stacks of all threads"


def test_a_vital_thread_that_was_asked_to_end_may() -> None:
    asked, reasons = threading.Event(), list[str]()
    thread = VitalThread("reader", lambda: None, asked, reasons.append)
    asked.set()
    thread.start()
    thread.join(10)
    assert reasons == []


async def fails() -> None:
    raise KeyError("x")


async def returns() -> None:
    return None


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (fails, "the task looking ended by KeyError: 'x'"),
        (returns, "the task looking ended although nobody asked it to"),
    ],
)
def test_a_vital_task_that_ends_is_told(body: object, says: str) -> None:
    reasons = list[str]()

    async def main() -> None:
        vital_task(body(), "looking", reasons.append)  # type: ignore[operator]
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert reasons == [says]


def test_a_vital_task_may_be_cancelled() -> None:
    reasons = list[str]()

    async def main() -> None:
        task = vital_task(asyncio.sleep(60), "looking", reasons.append)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert reasons == []
