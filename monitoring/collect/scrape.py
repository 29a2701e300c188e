"""Scraping: the samples of every process's `/metrics`, as one snapshot."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from contract.metric_types import Counter, Gauge, Histogram, count_name, sample_name, sum_name
from contract.metrics import PROCESS_STARTED_SECONDS
from contract.variable_types import Address, reachable

TIMEOUT_S = 2.0
AT_ONCE = 8
SCORER_NAME = re.compile(r"(?P<pipeline>.+)-(\d{8}T\d{6}Z|no-model)-\w+")


@dataclass(frozen=True)
class Sample:
    part: str
    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Snapshot:
    """The samples of one look. `silent` names the parts that did not answer, with the reason.

    Metrics are named by their objects in `contract.metrics`. Labels given to a method must all be equal.
    """

    time_s: float
    samples: tuple[Sample, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)
    starting: frozenset[str] = frozenset()
    """Those that did not answer either, and may not have had the time to start."""

    @cached_property
    def _by_name(self) -> dict[str, list[Sample]]:
        found: dict[str, list[Sample]] = {}
        for sample in self.samples:
            found.setdefault(sample.name, []).append(sample)
        return found

    def find(self, metric: Counter | Gauge, **labels: str) -> list[Sample]:
        """The samples of a metric whose labels include the given ones."""
        return self._named(sample_name(metric), labels)

    def total(self, metric: Counter | Gauge, **labels: str) -> float | None:
        """The sum over the matching samples; None where there is none."""
        return _sum(self.find(metric, **labels))

    def largest(self, metric: Counter | Gauge, **labels: str) -> float | None:
        return max((sample.value for sample in self.find(metric, **labels)), default=None)

    def smallest(self, metric: Counter | Gauge, **labels: str) -> float | None:
        return min((sample.value for sample in self.find(metric, **labels)), default=None)

    def observed(self, metric: Histogram, **labels: str) -> float | None:
        """The sum of what a histogram observed."""
        return _sum(self._named(sum_name(metric), labels))

    def observations(self, metric: Histogram, **labels: str) -> float | None:
        """How often a histogram observed."""
        return _sum(self._named(count_name(metric), labels))

    def started_s(self, part: str) -> float | None:
        """When the part's process started, seconds since 1970."""
        started = [each.value for each in self._by_name.get(PROCESS_STARTED_SECONDS, []) if each.part == part]
        return started[0] if started else None

    def _named(self, name: str, labels: Mapping[str, str]) -> list[Sample]:
        named = self._by_name.get(name, [])
        return [each for each in named if all(each.labels.get(key) == value for key, value in labels.items())]


def _sum(samples: Sequence[Sample]) -> float | None:
    return sum(sample.value for sample in samples) if samples else None


def scrape(client: httpx.Client, targets: Mapping[str, str], time_s: float) -> Snapshot:
    """Ask every part (name -> URL of its `/metrics`) once, several at a time: those that are silent cost a time-out."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scrape") as pool:
        answers = list(pool.map(lambda target: _ask(client, *target), targets.items()))
    samples = tuple(sample for _, found in answers if not isinstance(found, str) for sample in found)
    return Snapshot(time_s, samples, {part: found for part, found in answers if isinstance(found, str)})


def _ask(client: httpx.Client, part: str, url: str) -> tuple[str, list[Sample] | str]:
    """The part's samples, or why there are none."""
    try:
        response = client.get(url, timeout=TIMEOUT_S).raise_for_status()
        return part, list(_samples(part, response.text))
    except (httpx.HTTPError, ValueError) as error:
        return part, f"{url}: {error or type(error).__name__}"


def local_targets(path: Path) -> dict[str, str]:
    """The targets that the launcher wrote, in Prometheus's form for file discovery; none while there is no file."""
    if not path.exists():
        return {}
    groups: list[dict[str, Any]] = json.loads(path.read_text())
    return {group["labels"]["part"]: f"http://{group['targets'][0]}/metrics" for group in groups}


def scorer_targets(client: httpx.Client, admin: Address) -> dict[str, str]:
    """The scorers behind the stable admin address; none when it does not answer (its own scrape tells why)."""
    root = f"http://{reachable(admin[0])}:{admin[1]}/scorers"
    try:
        scorers = client.get(root, timeout=TIMEOUT_S).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return {}
    names: Iterable[str] = (scorer["name"] for scorer in scorers)
    return {name: f"{root}/{name}/metrics" for name in names}


def pipeline_of_scorer(part: str) -> str | None:
    """The pipeline of a part that is a scorer; None of any other part."""
    found = SCORER_NAME.fullmatch(part)
    return found["pipeline"] if found else None


def _samples(part: str, text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield Sample(part, sample.name, sample.labels, sample.value)
