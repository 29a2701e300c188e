"""docs/metrics.md shows every metric as it is declared."""

from __future__ import annotations

from contract import metrics
from contract.doc_tables import with_tables
from contract.metric_types import DECLARED, Counter, Gauge, Histogram, Metric
from contract.metrics_docs import PAGE, tables


def test_the_tables_of_metrics_are_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text, tables()) == text, "run python -m contract.metrics_docs"


def test_every_metric_is_declared_by_its_emitter() -> None:
    found: list[Metric] = [each for each in vars(metrics).values() if isinstance(each, Counter | Gauge | Histogram)]
    assert {id(each) for each in found} == {id(each.metric) for each in DECLARED if each.metric is not None}
    assert len({each.name for each in DECLARED}) == len(DECLARED)
