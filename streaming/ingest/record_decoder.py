"""Kafka records into the records of the tables: what Spark's workers run.

In: record batches `topic, partition, offset, kafka_time, stated, kafka_key, value`; `stated` is the value of the header
in which an import states its append time, NULL where there is none.
Out: the common columns, `table`, one struct per table (NULL but for the record's own), and, as each task's last
record, `summary`.

Whatever a record holds, decoding it raises nothing: what cannot be decoded becomes a dead letter with its reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from contract.pipeline import Pipeline
from contract.records import POSITION
from contract.timestamps import clock_us
from streaming.ingest import prediction_decoder
from streaming.ingest.append_times import with_append_times
from streaming.ingest.batch_summary import Summary
from streaming.ingest.bucketing import buckets, hours
from streaming.lake.hot_tables import HOT_TABLES, arrow_schema, own_columns
from streaming.pipeline_file.compile_pipeline import transform_of

SUMMARY = "summary"


@dataclass(frozen=True)
class RecordDecoder:
    """What a worker must know to decode a pipeline's records. Plain data: Spark sends it to its workers."""

    spec: str
    tables_by_topic: dict[str, str]
    bucket: timedelta
    max_wait: timedelta
    sensitive: frozenset[str]
    """The tables whose records may hold sensitive fields."""
    columns: dict[str, pa.StructType] = field(default_factory=dict)
    """Table -> its own columns."""
    most_bytes: int | None = None
    """A task stops decoding once its records take more than this in Arrow, and its summary says so; None: never."""

    @property
    def schema(self) -> pa.Schema:
        own = [pa.field(table, self.columns[table]) for table in HOT_TABLES]
        return pa.schema([*POSITION, pa.field("table", pa.string()), *own, pa.field(SUMMARY, pa.string())])

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Decode a task's batches; the last record sums them up."""
        summary = Summary()
        for batch in batches:  # to the end, also past the limit: Spark requires it
            for table, records in self._decode(batch) if summary.is_whole else ():
                summary.add(table, records)
                yield self._placed(table, records)
            summary.is_whole = self.most_bytes is None or summary.bytes <= self.most_bytes
        yield self._last(summary)

    def _decode(self, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """(table, its records) for each table that the batch holds records of."""
        for topic in pc.unique(batch["topic"]).to_pylist():
            records = with_append_times(batch.filter(pc.equal(batch["topic"], topic)), clock_us())
            table = self.tables_by_topic[topic]
            is_stamped = pc.is_null(records["problem"])
            parts = self._split(table, records.filter(is_stamped).drop_columns(["problem"]))
            misdated = self._misdated(table, records.filter(pc.invert(is_stamped)))
            yield from (part for part in (*parts, ("dead_letters", misdated)) if part[1].num_rows)

    def _split(self, table: str, records: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        """The good records of a topic, and its dead letters."""
        if table == "facts":
            yield table, records.append_column("append_hour", hours(records["append_time"]))
            return
        decoded = self._decoded(table, records["value"])
        good = pc.is_null(decoded["reason"])
        yield table, self._complete(table, _beside(records.filter(good), decoded.filter(good)))
        dead = pc.invert(good)
        yield "dead_letters", self._dead(table, records.filter(dead), decoded.filter(dead))

    def _decoded(self, table: str, values: pa.Array) -> pa.RecordBatch:
        """The columns of the native decoder. A tombstone has no value, which is not JSON."""
        if table == "predictions":
            return prediction_decoder.decode(values)
        batch = pa.record_batch({"value": values})
        transform = transform_of(self.spec)
        return pa.record_batch(transform.decode_events(batch) if table == "events" else transform.decode_labels(batch))

    def _complete(self, table: str, records: pa.RecordBatch) -> pa.RecordBatch:
        """With the partition column, the last of every table."""
        if table == "labels":
            return records.append_column("append_hour", hours(records["append_time"]))
        moments = records["as_of"], records["due"], records["append_time"]
        return records.append_column("bucket", buckets(*moments, self.bucket, self.max_wait))

    def _misdated(self, table: str, records: pa.RecordBatch) -> pa.RecordBatch:
        """Dead letters of records whose append time cannot be."""
        count = records.num_rows
        problems = {"reason": pa.array(["append_time"] * count, pa.string()), "field": pa.nulls(count, pa.string())}
        problems |= {"detail": records["problem"], "at_byte": pa.nulls(count, pa.int64())}
        return self._dead(table, records.drop_columns(["problem"]), pa.record_batch(problems))

    def _dead(self, table: str, records: pa.RecordBatch, problems: pa.RecordBatch) -> pa.RecordBatch:
        """Without their bytes where these may hold a sensitive field; the detail never repeats a field's value."""
        values = records["value"].to_pylist()
        hidden = table in self.sensitive
        columns = {column.name: records[column.name] for column in POSITION if column.name in records.schema.names}
        columns |= {
            "reason": problems["reason"],
            "field": problems["field"],
            "detail": problems["detail"],
            "at_byte": problems["at_byte"],
            "value": pa.nulls(len(values), pa.binary()) if hidden else records["value"],
            "sha256": pa.array([hashlib.sha256(value or b"").hexdigest() for value in values], pa.string()),
            "bytes": pa.array([len(value or b"") for value in values], pa.int64()),
            "append_hour": hours(records["append_time"]),
        }
        return pa.record_batch(columns)

    def _placed(self, table: str, records: pa.RecordBatch) -> pa.RecordBatch:
        """In the common schema: the table's own columns as its struct."""
        count, own = records.num_rows, self.columns[table]
        struct = pa.StructArray.from_arrays([_column(records, f) for f in own], fields=list(own))
        columns = [_column(records, column) for column in POSITION] + [pa.array([table] * count, pa.string())]
        columns += [struct if name == table else pa.nulls(count, self.columns[name]) for name in HOT_TABLES]
        return pa.record_batch([*columns, pa.nulls(count, pa.string())], schema=self.schema)

    def _last(self, summary: Summary) -> pa.RecordBatch:
        nothing = [pa.nulls(1, column.type) for column in self.schema]
        nothing[len(POSITION)], nothing[-1] = pa.array([SUMMARY]), pa.array([summary.to_json()])
        return pa.record_batch(nothing, schema=self.schema)


def decoder_of(pipeline: Pipeline, spec: str) -> RecordDecoder:
    """What the workers need for `pipeline`; `spec` is its compiled program."""
    hidden_event = any(field.sensitive for field in pipeline.events.fields)
    hidden = {"events", "predictions"} if hidden_event else set()
    if any(field.sensitive for field in pipeline.label.fields):
        hidden.add("labels")
    return RecordDecoder(
        spec=spec,
        tables_by_topic=tables_by_topic(pipeline),
        bucket=pipeline.lake.buckets,
        max_wait=pipeline.label.max_wait,
        sensitive=frozenset(hidden),
        columns={table: own_columns(arrow_schema(pipeline, table)) for table in HOT_TABLES},
    )


def tables_by_topic(pipeline: Pipeline) -> dict[str, str]:
    """Every topic that the hot query reads, and where its records land."""
    own = {pipeline.events.topic: "events", pipeline.label.topic: "labels", pipeline.predictions_topic: "predictions"}
    return own | dict.fromkeys(pipeline.facts, "facts")


def _beside(records: pa.RecordBatch, decoded: pa.RecordBatch) -> pa.RecordBatch:
    """Position and decoded columns in one batch; `value` is what may be stored."""
    columns = {name: records[name] for name in records.schema.names if name not in ("value", "kafka_key")}
    columns |= {name: decoded[name] for name in decoded.schema.names if name != "stored"}
    stored = {"value": decoded["stored"]} if "stored" in decoded.schema.names else {}
    return pa.record_batch(columns | stored)


def _column(records: pa.RecordBatch, column: pa.Field) -> pa.Array:
    """A column by name, in the table's type; NULL where the records have none."""
    if column.name not in records.schema.names:
        return pa.nulls(records.num_rows, column.type)
    found = records[column.name]
    return found if found.type == column.type else found.cast(column.type)
