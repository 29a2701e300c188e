"""The script that takes pictures of the status page, on a page that is served here."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.pictures import LARGEST_BYTES, PICTURES, WIDTH, NoPicture, take
from monitoring.judge.model_health import OfLevel
from monitoring.page.page_server import serve_page
from monitoring.page.view import View
from tests.monitoring.page.test_figure_tables import ONE
from tests.monitoring.page.test_page_server import a_view, showing

pytestmark = pytest.mark.browser


@contextmanager
def page_of(view: View) -> Iterator[str]:
    """The address of a page that shows it."""
    server = serve_page(("127.0.0.1", 0), showing(view))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def with_slices() -> View:
    view = a_view()
    levels = [OfLevel("origin", level, ONE) for level in ("JFK", "LGA", "EWR")]
    return replace(view, pipelines=[replace(view.pipelines[0], slices=levels)])


def size(png: bytes) -> tuple[int, int]:
    """Width and height, from the header."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return int(width), int(height)


def test_each_picture_shows_its_part_of_the_page_and_is_small(tmp_path: Path) -> None:
    with page_of(with_slices()) as address:
        taken = list(take(address, tmp_path / "pictures"))
    assert [path.stem for path in taken] == [picture.name for picture in PICTURES]
    for path in taken:
        width, height = size(path.read_bytes())
        assert width == WIDTH
        assert 200 < height < 1200
        assert 5_000 < path.stat().st_size <= LARGEST_BYTES


def test_a_page_without_figures_gives_no_picture(tmp_path: Path) -> None:
    with page_of(a_view()) as address, pytest.raises(NoPicture, match=r"shows no 'section.pipeline table.slices' yet"):
        list(take(address, tmp_path))
    with pytest.raises(NoPicture, match=f"there is no status page at {address}"):
        list(take(address, tmp_path))
