"""A scorer, one part of which fails as soon as there is a file of the part's name in the data folder.

python failing_scorer.py keys|prediction-log ARGUMENTS OF A SCORER...
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from serving.http.caller_keys import Keys
from serving.prediction_log.producer import PredictionLog
from serving.scorer import main

PART = sys.argv.pop(1)
SIGN = Path(os.environ["HOTPATH_DATA"]) / f"fail-{PART}"


async def task_that_fails(_: Keys) -> None:
    while not SIGN.exists():
        await asyncio.sleep(0.02)
    raise RuntimeError("made to fail")


def thread_that_fails(_: PredictionLog) -> None:
    while not SIGN.exists():
        time.sleep(0.02)
    raise RuntimeError("made to fail")


if PART == "keys":
    Keys.follow = task_that_fails  # type: ignore[method-assign,assignment]
else:
    PredictionLog._follow = thread_that_fails  # type: ignore[method-assign,assignment]
sys.exit(main())
