"""How fast a pipeline's events decode, and its features evaluate, on this machine.

    hotpath bench transform PIPELINE_FILE

Takes the file's `[[examples]]` again and again. Prints JSON; times are the best of several runs: on a busy machine the
others measure the neighbours.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmarks.best_of_runs import best_s
from contract.pipeline import Pipeline
from streaming._native import Transform
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from streaming.pipeline_file.diagnostics import PipelineError
from streaming.pipeline_file.load import load

ROWS: Final = 20_000


def main() -> int:
    """Measure the pipeline that the command line names."""
    parser = argparse.ArgumentParser(prog="hotpath bench transform", description=__doc__)
    parser.add_argument("pipeline", type=Path)
    try:
        found = measure(load(parser.parse_args().pipeline))
    except (PipelineError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2))
    return 0


def measure(pipeline: Pipeline) -> dict[str, float]:
    """Nanoseconds a row: events decoded and features evaluated in batches, and both for one request at a time.

    Raises:
        ValueError: there is no example, or one does not decode.
    """
    if not pipeline.examples:
        raise ValueError(f"{pipeline.name} has no [[examples]]: there is nothing to measure with")
    transform = Transform(compile_pipeline(pipeline).spec)
    bodies = [json.dumps(example.event).encode() for example in islice(cycle(pipeline.examples), ROWS)]
    values = pa.record_batch({"value": pa.array(bodies, pa.binary())})
    decoded = pa.record_batch(transform.decode_events(values))
    events = pa.record_batch({name: decoded[name] for name in ("event", "as_of")})
    for reason in decoded["reason"].drop_null():
        raise ValueError(f"an example of {pipeline.name} does not decode ({reason}); `hotpath check` says which")

    def one_by_one() -> None:
        for body in bodies:
            transform.question(body, None, 0)

    found: Mapping[str, Callable[[], Any]] = {
        "decode_ns_per_row": lambda: transform.decode_events(values),
        "features_ns_per_row": lambda: transform.features(events),
        "one_request_ns": one_by_one,
    }
    bytes_per_event = sum(map(len, bodies)) / ROWS
    sizes = {"rows": ROWS, "features": len(pipeline.features), "bytes_per_event": bytes_per_event}
    return sizes | {name: best_s(action) * 1e9 / ROWS for name, action in found.items()}


if __name__ == "__main__":
    sys.exit(main())
