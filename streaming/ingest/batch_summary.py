"""What a batch held: records by table, dead letters by reason, the oldest stamp, each host's delays."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from contract.records import OUTSIDE
from streaming.ingest.delay_bins import bin_of
from streaming.ingest.quarantine_reasons import quarantine_reasons

LONGEST_HOST = 255
"""Characters in a host's name, as in DNS: what is longer is no host, and would become the label of a metric."""


@dataclass
class Summary:
    """What a task, or a whole batch, held. Times are microseconds; imported records count, but have no age or delay."""

    records: Counter[str] = field(default_factory=Counter)
    """Table -> records."""
    imported: int = 0
    """Records that are marked as imported."""
    bytes: int = 0
    """The size of all records in Arrow."""
    oldest_us: int | None = None
    """The smallest append time."""
    delays_us: dict[str, int] = field(default_factory=dict)
    """Producing host -> the smallest (append time - event time), of events that are not quarantined."""
    delay_counts: dict[str, Counter[str]] = field(default_factory=dict)
    """Producing host -> bin of `delay_bins` -> events; a bin is text, as the keys of JSON objects are."""
    far_delays_us: dict[str, list[int]] = field(default_factory=dict)
    """Producing host -> of its quarantined events, the delay that is nearest to 0; and how many there are."""
    dead_letters: dict[str, Counter[str]] = field(default_factory=dict)
    """Topic -> reason -> records."""
    quarantined: Counter[str] = field(default_factory=Counter)
    """Reason -> questions in the bucket OUTSIDE."""
    is_whole: bool = True
    """False where a task stopped decoding, because its records had become too large for the driver."""

    def add(self, table: str, records: pa.RecordBatch) -> None:
        """Count a table's records."""
        self.records[table] += records.num_rows
        self.bytes += records.nbytes
        if table == "dead_letters":
            self._count_reasons(records)
        own = records.filter(pc.invert(records["imported"]))
        self.imported += records.num_rows - own.num_rows
        if own.num_rows:
            self._see_oldest(pc.min(own["append_time"].cast(pa.int64())).as_py())
            if table == "events":
                self._see_delays(own)

        if table == "events":
            self.quarantined += quarantine_reasons(records)

    def _count_reasons(self, letters: pa.RecordBatch) -> None:
        for topic, reason in zip(letters["topic"].to_pylist(), letters["reason"].to_pylist(), strict=True):
            self.dead_letters.setdefault(topic, Counter())[reason] += 1

    def _see_oldest(self, stamp_us: int) -> None:
        self.oldest_us = stamp_us if self.oldest_us is None else min(self.oldest_us, stamp_us)

    def _see_delays(self, events: pa.RecordBatch) -> None:
        delay = pc.subtract(events["append_time"].cast(pa.int64()), events["as_of"].cast(pa.int64()))
        is_far = pc.equal(events["bucket"], OUTSIDE)
        columns = {"host": events["host"], "delay": delay, "distance": pc.abs(delay), "is_far": is_far}
        named = pc.less_equal(pc.utf8_length(events["host"]), LONGEST_HOST)
        table = pa.table(columns).filter(named).drop_null()
        near, far = table.filter(pc.invert(table["is_far"])), table.filter(table["is_far"])
        for host, delay_us in _by_host(near, ("delay", "min")):
            self._see_delay(host, delay_us)
        self._count_delays(near)
        counts = dict(_by_host(far, ("delay", "count")))
        ahead = dict(_by_host(far.filter(pc.less(far["delay"], 0)), ("distance", "min")))
        behind = dict(_by_host(far.filter(pc.greater_equal(far["delay"], 0)), ("distance", "min")))
        for host, count in counts.items():
            is_ahead = host not in behind or ahead.get(host, behind[host] + 1) < behind[host]
            self._see_far_delay(host, -ahead[host] if is_ahead else behind[host], count)

    def _count_delays(self, near: pa.Table) -> None:
        bins = pa.table({"host": near["host"], "bin": bin_of(np.asarray(near["delay"], np.int64))})
        counted = bins.group_by(["host", "bin"]).aggregate([("bin", "count")])
        for host, number, count in zip(
            *(counted[name].to_pylist() for name in ("host", "bin", "bin_count")), strict=True
        ):
            self.delay_counts.setdefault(host, Counter())[str(number)] += count

    def _see_delay(self, host: str, delay_us: int) -> None:
        self.delays_us[host] = min(delay_us, self.delays_us.get(host, delay_us))

    def _see_far_delay(self, host: str, delay_us: int, count: int) -> None:
        nearest, before = self.far_delays_us.get(host, (delay_us, 0))
        self.far_delays_us[host] = [min(nearest, delay_us, key=abs), before + count]

    def to_json(self) -> str:
        return json.dumps(vars(self))

    @classmethod
    def of(cls, parts: Iterable[str]) -> Summary:
        """The sum of the tasks' summaries, as `to_json` wrote them."""
        whole = cls()
        for text in parts:
            whole._take(cls(**json.loads(text)))
        return whole

    def _take(self, part: Summary) -> None:
        self.records.update(part.records)
        self.imported += part.imported
        self.bytes += part.bytes
        self.quarantined.update(part.quarantined)
        self.is_whole &= part.is_whole
        for topic, reasons in part.dead_letters.items():
            self.dead_letters.setdefault(topic, Counter()).update(reasons)
        if part.oldest_us is not None:
            self._see_oldest(part.oldest_us)
        for host, delay_us in part.delays_us.items():
            self._see_delay(host, delay_us)
        for host, counts in part.delay_counts.items():
            self.delay_counts.setdefault(host, Counter()).update(counts)
        for host, (delay_us, count) in part.far_delays_us.items():
            self._see_far_delay(host, delay_us, count)


def _by_host(delays: pa.Table, aggregation: tuple[str, str]) -> Iterator[tuple[str, int]]:
    found = delays.group_by("host").aggregate([aggregation])
    return zip(found["host"].to_pylist(), found["_".join(aggregation)].to_pylist(), strict=True)
