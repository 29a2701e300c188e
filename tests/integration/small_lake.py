"""A small lake on a local disk: the tables of the small pipeline, filled by the real decoder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake

from contract.layout import Places
from contract.pipeline import Pipeline
from streaming.ingest.record_decoder import decoder_of
from streaming.lake.hot_tables import HOT_TABLES, arrow_schema
from streaming.pipeline_file.compile_pipeline import Compiled, compile_pipeline
from streaming.pipeline_file.load import load
from tests.integration.rows_world import END_S, FILE, Record, moment

PIPELINE_FILE = "world.toml"


@dataclass
class Far:
    """How far everything has come, as a test says."""

    upto_s: float | None = END_S
    importing: bool = False

    def caught_up_to(self, topics: Iterable[str]) -> datetime | None:
        return None if self.upto_s is None else datetime.fromtimestamp(self.upto_s, UTC)

    def import_open(self, topics: Iterable[str]) -> bool:
        return self.importing


class Lake:
    """The tables of one pipeline in a folder. `commit` is one batch of the hot query."""

    def __init__(self, folder: Path, *changes: tuple[str, str]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.places = places_in(folder)
        self.committed: list[Record] = []
        self.deploy(*changes)

    def deploy(self, *changes: tuple[str, str]) -> None:
        """Another pipeline file: FILE with texts replaced, each of which must be there."""
        text = FILE
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        file = self.folder / PIPELINE_FILE
        file.write_text(text)
        self.pipeline: Pipeline = load(file)
        self.compiled: Compiled = compile_pipeline(self.pipeline)

    def url(self, table: str) -> str:
        """Where a table is; `rows` is that of the deployed program."""
        name = f"rows-{self.pipeline.rows_hash}" if table == "rows" else table
        return self.places.table(self.pipeline.name, name)

    def commit(self, records: list[Record]) -> None:
        """Decode the records and append them to their tables."""
        decoding = decoder_of(self.pipeline, self.compiled.spec)
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
        return rows_at(self.url(table))

    def version(self, table: str) -> int:
        return int(DeltaTable(self.url(table)).version())


def places_in(folder: Path) -> Places:
    return Places(folder, {"HOTPATH_HDFS": f"file://{folder}"})


def rows_at(url: str) -> list[dict[str, Any]]:
    """The records of a built table, in the order of their questions."""
    built = DeltaTable(url).to_pyarrow_table().to_pylist()
    return sorted(built, key=lambda row: (row["append_time"], row["partition"], row["offset"]))


def _batch(records: list[Record]) -> pa.RecordBatch:
    stamps = pa.array([moment(r.append_s) for r in records], pa.timestamp("us", tz="UTC"))
    return pa.record_batch({
        "topic": pa.array([r.topic for r in records]),
        "partition": pa.array([r.partition for r in records], pa.int32()),
        "offset": pa.array([r.offset for r in records], pa.int64()),
        "kafka_time": stamps,
        "stated": pa.nulls(len(records), pa.binary()),
        "kafka_key": pa.nulls(len(records), pa.binary()),
        "value": pa.array([json.dumps(r.value).encode() for r in records], pa.binary()),
    })  # fmt: skip


def _own(part: pa.Table, table: str, schema: pa.Schema) -> pa.Table:
    part = part.filter(pc.equal(part["table"], table)).combine_chunks()
    columns = {name: part[name] for name in part.schema.names if name in schema.names}
    struct = part[table].combine_chunks()
    columns |= {name: pc.struct_field(struct, name) for name in (f.name for f in struct.type)}
    return pa.table([columns[f.name].cast(f.type) for f in schema], schema=schema)
