"""The trainer as the stack runs it: what serving could not admit is refused while it is trained, not at its rollout.

Training may not import serving; this hands it serving's own check.

Run: python -m infra.stack.trainer_process
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from contract.manifest import Manifest
from serving.candidates.admission import Refused, admit
from training import trainer
from training.candidates.registry import write_candidate
from training.training_errors import TrainingFailed

_REASON = "serving cannot admit what was trained"


def refuse_what_cannot_serve(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Admit the candidate here, as its rollout will.

    Raises:
        TrainingFailed: it could not serve; the message says what its model needs, or where its answers differ.
    """
    with TemporaryDirectory() as folder:
        write_candidate(f"file://{folder}", manifest, files)
        try:
            admit(Path(folder) / manifest.version, Path(folder) / "trial.bundle")
        except Refused as error:
            raise TrainingFailed(
                f"serving cannot admit it: {error}", "serving cannot admit what was trained"
            ) from error


if __name__ == "__main__":
    trainer.main(refuse_what_cannot_serve)
