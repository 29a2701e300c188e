"""How fast a candidate compiles, opens and answers on this machine.

    hotpath bench bundle CANDIDATE_FOLDER

Prints JSON. Times are the best of several runs: on a busy machine the others measure the neighbours.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.best_of_runs import RUNS, best_s
from contract.timestamps import parse_us
from serving._native import Bundle, compile_bundle
from serving.candidates.read_candidate import Candidate, read_candidate


def main() -> None:
    """Measure the candidate that the command line names."""
    parser = argparse.ArgumentParser(prog="hotpath bench bundle", description=__doc__)
    parser.add_argument("candidate", type=Path)
    print(json.dumps(measure(read_candidate(parser.parse_args().candidate)), indent=2))


def measure(candidate: Candidate) -> dict[str, float]:
    """Seconds to compile, microseconds to open, nanoseconds a row and a request; and the bundle's size in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measured.bundle"
        arguments = (candidate.mojo, candidate.spec, candidate.manifest_text, str(path))
        compile_s = best_s(lambda: compile_bundle(*arguments))
        open_s = best_s(lambda: Bundle(str(path)))
        bundle, size = Bundle(str(path)), path.stat().st_size
    rows = [row["features"] for row in candidate.reference]
    found = {
        "trees": len(bundle.score_features(rows[0])[1]),
        "bundle_bytes": size,
        "compile_s": compile_s,
        "open_us": open_s * 1e6,
        "score_ns_per_row": min(bundle.time_scoring(rows, 20) for _ in range(RUNS)),
    }
    questions = [
        (json.dumps(row["event"]).encode(), parse_us(row["as_of"])) for row in candidate.reference if row["event"]
    ]
    if questions:
        found["python_call_ns_per_request"] = best_s(lambda: _ask(bundle, questions)) * 1e9 / len(questions)
    return found


def _ask(bundle: Bundle, questions: Sequence[tuple[bytes, int]]) -> None:
    for body, as_of_us in questions:
        bundle.score(body, as_of_us, as_of_us)


if __name__ == "__main__":
    main()
