"""A small lake on a local disk, filled by the real decoder in any order; and what one plain batch makes of it.

`plain_batch` knows nothing of Spark, Delta or the job: it goes over the JSON records one by one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

from streaming.compile import Compiled, compile_pipeline
from streaming.decode import decoding_of
from streaming.load import load
from streaming.pipeline import Pipeline
from streaming.places import Places
from streaming.tables import HOT_TABLES, arrow_schema

FILE = """
name = "world"
[events]
topic = "asked"
key = ["entity"]
id = "id"
time = "at"
host = "host"
fields = { id = "string", entity = "string", at = "timestamp", host = "string", due_at = "timestamp", x = "double" }
[features]
double_x = "x * 2.0"
minutes = "(unix_millis(due_at) - unix_millis(as_of)) / 60000.0"
[label]
topic = "happened"
key = ["entity"]
fields = { entity = "string", outcome = "double" }
value = "outcome > 0.5"
wait = "due_at"
max_wait = "10m"
max_late = "90s"
MISSING
[clock]
imports = true
[lake]
buckets = "1m"
retention = "30d"
raw_retention = "1d"
[training]
window = "30m"
holdout = "5m"
every = "1m"
[serving]
max_age = "4h"
"""
MINUTE_S, MAX_WAIT_S, MAX_LATE_S = 60, 600, 90
START_S = 1_767_225_600
END_S = START_S + 3_600


@dataclass
class Far:
    """How far everything has come, as a test says."""

    upto_s: float | None = END_S
    importing: bool = False

    def caught_up_to(self, topics: Iterable[str]) -> datetime | None:
        return None if self.upto_s is None else datetime.fromtimestamp(self.upto_s, UTC)

    def import_open(self, topics: Iterable[str]) -> bool:
        return self.importing


@dataclass(frozen=True)
class Record:
    """A Kafka record: where it is, when it was appended, what it says."""

    topic: str
    partition: int
    offset: int
    append_s: float
    value: dict[str, Any]

    @property
    def place(self) -> tuple[float, int, int]:
        return (self.append_s, self.partition, self.offset)


class Lake:
    """The tables of one pipeline in a folder. `commit` is one batch of the hot query."""

    def __init__(self, folder: Path, missing: str = "") -> None:
        folder.mkdir(parents=True)
        self.places = Places(folder, {"HOTPATH_HDFS": f"file://{folder}"})
        file = folder / "world.toml"
        file.write_text(FILE.replace("MISSING", missing))
        self.pipeline: Pipeline = load(file)
        self.compiled: Compiled = compile_pipeline(self.pipeline)
        self.committed: list[Record] = []

    def url(self, table: str) -> str:
        return self.places.table(self.pipeline.name, table)

    def commit(self, records: list[Record]) -> None:
        """Decode the records and append them to their tables."""
        decoding = decoding_of(self.pipeline, self.compiled.spec)
        decoded = [pa.table(batch) for batch in decoding(iter([_batch(records)]))] if records else []
        for table in HOT_TABLES:
            schema = arrow_schema(self.pipeline, table)
            parts = [_own(part, table, schema) for part in decoded]
            whole = pa.concat_tables([schema.empty_table(), *parts])
            if whole.num_rows or not DeltaTable.is_deltatable(self.url(table)):
                write_deltalake(self.url(table), whole, mode="append", partition_by=[schema.names[-1]])
        self.committed += records

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What is built."""
        name = f"rows-{self.pipeline.rows_hash}" if table == "rows" else table
        built = DeltaTable(self.url(name)).to_pyarrow_table().to_pylist()
        return sorted(built, key=lambda row: (row["append_time"], row["partition"], row["offset"]))

    def version(self, table: str) -> int:
        name = f"rows-{self.pipeline.rows_hash}" if table == "rows" else table
        return int(DeltaTable(self.url(name)).version())


def _batch(records: list[Record]) -> pa.RecordBatch:
    stamps = pa.array([moment(r.append_s) for r in records], pa.timestamp("us", tz="UTC"))
    return pa.record_batch({
        "topic": pa.array([r.topic for r in records]),
        "partition": pa.array([r.partition for r in records], pa.int32()),
        "offset": pa.array([r.offset for r in records], pa.int64()),
        "append_time": stamps,
        "kafka_time": stamps,
        "imported": pa.array([False] * len(records)),
        "kafka_key": pa.nulls(len(records), pa.binary()),
        "value": pa.array([json.dumps(r.value).encode() for r in records], pa.binary()),
    })  # fmt: skip


def _own(part: pa.Table, table: str, schema: pa.Schema) -> pa.Table:
    part = part.filter(pc.equal(part["table"], table)).combine_chunks()
    columns = {name: part[name] for name in part.schema.names if name in schema.names}
    struct = part[table].combine_chunks()
    columns |= {name: pc.struct_field(struct, name) for name in (f.name for f in struct.type)}
    return pa.table([columns[f.name].cast(f.type) for f in schema], schema=schema)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=round(seconds * 1000))


def text(seconds: float) -> str:
    return moment(seconds).isoformat(timespec="milliseconds")


def random_records(seed: int, questions: int) -> list[Record]:
    """Questions with retries, some of them out of bounds; labels with corrections and NULLs; predictions."""
    draw, made = random.Random(seed), []

    def put(topic: str, append_s: float, value: dict[str, Any]) -> None:
        made.append(Record(topic, draw.randrange(2), len(made), round(append_s, 3), value))

    entities = [f"e{n}" for n in range(max(1, questions // 3))]
    for number in range(questions):
        at = START_S + draw.randrange(600)
        due = at + draw.choice([60, 240, 480]) + draw.randrange(60)
        append = at + draw.choice([0.0, draw.uniform(0, 3), draw.uniform(0, 500)])
        value = {"id": f"q{number}", "entity": draw.choice(entities), "at": text(at), "due_at": text(due)}
        value |= {"x": draw.randrange(100) / 4, "host": draw.choice(["a", "b"])}
        value |= draw.choice([{}] * 12 + _out_of_bounds(at))
        put("asked", append, value)
        if draw.random() < 0.35:
            again = draw.choice([{}, {}, {"x": 0.25}, {"entity": draw.choice(entities)}, {"due_at": text(due + 60)}])
            put("asked", append + draw.choice([0.0, draw.uniform(-60, 400)]), value | again)
        for model in draw.sample(["m1", "m2"], draw.randrange(3)):
            for _ in range(draw.choice([1, 1, 2])):
                put("world.predictions", at + draw.uniform(0, 5), _prediction(len(made), value, model, draw))
    for _ in range(questions):
        entity, append = draw.choice(entities), START_S + draw.uniform(-30, 1500)
        for _ in range(draw.choice([1, 1, 2])):
            put("happened", append, {"entity": entity, "outcome": draw.choice([None, 0.0, 1.0, 1.0])})
            append += draw.choice([0.0, draw.uniform(0, 300)])
    return made


def _out_of_bounds(at: int) -> list[dict[str, Any]]:
    return [
        {"due_at": "9999-12-31T23:59:59Z"},
        {"due_at": None},
        {"at": None},
        {"at": text(at + 5 * 3600)},
        {"at": text(at - 5 * 3600), "due_at": text(at - 5 * 3600 + 240)},
    ]


def _prediction(number: int, event: dict[str, Any], model: str, draw: random.Random) -> dict[str, Any]:
    return {
        "prediction_id": f"p{number}",
        "id": event["id"],
        "key": json.dumps([event["entity"]]),
        "as_of": event["at"] or text(START_S),
        "due": event["due_at"],
        "answered": text(START_S),
        "model": model,
        "probability": draw.random(),
        "hypothetical": draw.random() < 0.1,
        "features": {},
        "event": {},
    }


@dataclass(frozen=True)
class State:
    """What one plain batch says of a record."""

    state: str
    label: bool | None = None
    label_s: float | None = None


def plain_batch(records: Iterable[Record], topic: str, missing: bool | None, closed_to_s: float) -> dict[Any, State]:
    """Place of each question's record -> its state, once everything that ends before `closed_to_s` is closed."""
    distinct = {(r.topic, r.place): r for r in records}.values()
    asked = sorted((r for r in distinct if r.topic == topic and not r.value.get("hypothetical")), key=lambda r: r.place)
    labels = sorted((r for r in distinct if r.topic == "happened"), key=lambda r: r.place)
    seen, states = set(), {}
    for record in asked:
        bucket_s = _bucket_s(record)
        if bucket_s is None:
            states[record.place] = State("quarantined")
            continue
        question = (bucket_s, record.value["id"], record.value.get("model"))
        repeated = question in seen
        seen.add(question)
        if bucket_s + MINUTE_S > closed_to_s:
            states[record.place] = State("waiting")
        elif repeated:
            states[record.place] = State("duplicate")
        else:
            states[record.place] = _labelled(record, bucket_s + MINUTE_S, labels, missing)
    return states


def _bucket_s(record: Record) -> int | None:
    value = record.value
    as_of, due = value.get("at", value.get("as_of")), value.get("due_at", value.get("due"))
    if as_of is None or due is None:
        return None
    moments = [datetime.fromisoformat(given.replace("Z", "+00:00")) for given in (as_of, due)]
    reach = timedelta(seconds=MAX_WAIT_S)
    if any(abs(given - moment(record.append_s)) > reach for given in moments):
        return None
    return int(moments[1].timestamp()) // MINUTE_S * MINUTE_S


def _labelled(record: Record, end_s: int, labels: list[Record], missing: bool | None) -> State:
    entity = record.value.get("entity") or json.loads(record.value["key"])[0]
    mine = [one for one in labels if one.value["entity"] == entity and one.value["outcome"] is not None]
    if mine and mine[0].append_s <= record.append_s:
        return State("known")
    counting = [one for one in mine if one.append_s < end_s + MAX_LATE_S]
    if counting:
        return State("row", counting[-1].value["outcome"] > 0.5, counting[-1].append_s)
    return State("expired") if missing is None else State("row", missing)
