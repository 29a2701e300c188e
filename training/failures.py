"""What the metrics say of a pipeline whose training runs fail."""

from __future__ import annotations

from dataclasses import dataclass

from contract import metrics

UNEXPECTED = "an unexpected error, which the trainer's log describes"


@dataclass
class Failures:
    """The failed runs of one pipeline since its last good one."""

    pipeline: str
    in_a_row: int = 0
    reason: str | None = None

    def note(self, reason: str) -> None:
        """A run failed for this reason. The new reason appears before the old one goes: a scrape finds one of them."""
        metrics.PROBLEMS.labels(part="trainer").inc()
        metrics.TRAINING_VERDICTS.labels(pipeline=self.pipeline, verdict="failed").inc()
        self.in_a_row += 1
        before, self.reason = self.reason, reason
        metrics.TRAINING_FAILURES.labels(pipeline=self.pipeline).set(self.in_a_row)
        metrics.TRAINING_FAILING.labels(pipeline=self.pipeline, reason=reason).set(1)
        if before not in (None, reason):
            metrics.TRAINING_FAILING.remove(self.pipeline, before)

    def clear(self) -> None:
        """A run succeeded."""
        self.in_a_row = 0
        metrics.TRAINING_FAILURES.labels(pipeline=self.pipeline).set(0)
        if self.reason is not None:
            metrics.TRAINING_FAILING.remove(self.pipeline, self.reason)
            self.reason = None
