"""Delta tables without Spark."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from streaming.lake import delta_tables


def test_creating_a_table_that_is_there_changes_nothing(tmp_path: Path) -> None:
    url = (tmp_path / "events").as_uri()
    first = pa.schema([("speed", pa.float64()), ("hour", pa.int64())])
    delta_tables.create(url, first, ["hour"], {"delta.appendOnly": "false"})
    delta_tables.create(
        url, pa.schema([("other", pa.string()), ("hour", pa.int64())]), ["hour"], {"delta.appendOnly": "true"}
    )
    with delta_tables.opened(url) as table:
        assert table.version() == 0
        assert pa.schema(table.schema()).names == ["speed", "hour"]
        assert table.metadata().configuration["delta.appendOnly"] == "false"
