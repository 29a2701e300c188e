"""Scraping: the samples of every process's `/metrics`, as one snapshot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Sample:
    part: str
    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Snapshot:
    """One look at everything. `silent` names the parts that did not answer, with the reason."""

    time_s: float
    samples: tuple[Sample, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str, **labels: str) -> Iterator[Sample]:
        """The samples of a metric whose labels include the given ones."""
        for sample in self.samples:
            if sample.name == name and all(sample.labels.get(key) == value for key, value in labels.items()):
                yield sample

    def total(self, name: str, **labels: str) -> float | None:
        """The sum over the matching samples; None where there is none."""
        values = [sample.value for sample in self.find(name, **labels)]
        return sum(values) if values else None

    def largest(self, name: str, **labels: str) -> float | None:
        return max((sample.value for sample in self.find(name, **labels)), default=None)

    def smallest(self, name: str, **labels: str) -> float | None:
        return min((sample.value for sample in self.find(name, **labels)), default=None)


def scrape(client: httpx.Client, targets: Mapping[str, str], time_s: float) -> Snapshot:
    """Ask every part (name -> URL of its `/metrics`) once."""
    samples: list[Sample] = []
    silent: dict[str, str] = {}
    for part, url in targets.items():
        try:
            response = client.get(url, timeout=TIMEOUT_S).raise_for_status()
            samples.extend(_samples(part, response.text))
        except (httpx.HTTPError, ValueError) as error:
            silent[part] = f"{url}: {error or type(error).__name__}"
    return Snapshot(time_s, tuple(samples), silent)


def local_targets(path: Path) -> dict[str, str]:
    """The targets that the launcher wrote, in Prometheus's form for file discovery; none while there is no file."""
    if not path.exists():
        return {}
    groups: list[dict[str, Any]] = json.loads(path.read_text())
    return {group["labels"]["part"]: f"http://{group['targets'][0]}/metrics" for group in groups}


def scorer_targets(client: httpx.Client, admin: str) -> dict[str, str]:
    """The scorers behind the stable admin address; none when it does not answer (its own scrape tells why)."""
    try:
        scorers = client.get(f"http://{admin}/scorers", timeout=TIMEOUT_S).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return {}
    names: Iterable[str] = (scorer["name"] for scorer in scorers)
    return {name: f"http://{admin}/scorers/{name}/metrics" for name in names}


def _samples(part: str, text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield Sample(part, sample.name, sample.labels, sample.value)
