"""Files that Python writes without a JVM."""

from __future__ import annotations

from pathlib import Path

from streaming.lake.filesystem import write_whole


def test_a_file_is_replaced_whole_and_nothing_is_left_aside(tmp_path: Path) -> None:
    url = (tmp_path / "note.json").as_uri()
    for content in (b"first", b"second"):
        write_whole(url, content)
        assert (tmp_path / "note.json").read_bytes() == content
        assert [path.name for path in tmp_path.iterdir()] == ["note.json"]
