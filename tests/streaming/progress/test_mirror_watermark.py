"""The watcher's arithmetic: up to which moment the mirror has carried everything."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from streaming.progress.mirror_watcher import measure
from streaming.progress.mirror_watermark import KEPT, MirrorLevel, parse_mirrored

KEY = b'["MirrorSourceConnector",{"cluster":"onprem","partition":1,"topic":"flights.asked"}]'


def test_the_level_is_the_last_moment_whose_end_was_mirrored() -> None:
    level = MirrorLevel()
    for moment_ms, end in ((1000, 10), (2000, 20), (3000, 30)):
        level.see(moment_ms, end)
    assert level.rise(9) is None
    assert level.rise(25) == 2000
    assert level.rise(30) == 3000


def test_an_idle_partition_stays_level() -> None:
    level = MirrorLevel()
    for moment_ms in (1000, 2000, 3000):
        level.see(moment_ms, 10)
        assert level.rise(10) == moment_ms


def test_a_partition_that_never_had_a_record_is_level() -> None:
    level = MirrorLevel()
    level.see(1000, 0)
    assert level.rise(0) == 1000


def test_a_stalled_mirror_holds_the_level_where_it_was() -> None:
    level = MirrorLevel()
    level.see(1000, 10)
    level.rise(10)
    for second in range(2, KEPT + 100):
        level.see(second * 1000, 10 + second)
        assert level.rise(10) == 1000


def test_the_level_never_goes_back() -> None:
    level = MirrorLevel()
    level.see(2000, 10)
    level.rise(10)
    level.see(1000, 5)
    assert level.rise(10) == 2000


def test_only_an_end_that_stays_is_asked_about() -> None:
    level = MirrorLevel()
    level.see(1000, 10)
    assert not level.rests()
    level.see(2000, 11)
    assert not level.rests()
    level.see(3000, 11)
    assert level.rests()


def test_the_mirrors_offsets_are_read() -> None:
    assert parse_mirrored(KEY, b'{"offset":999}') == (("flights.asked", 1), 1000)
    assert parse_mirrored(KEY, None) == (("flights.asked", 1), None)
    assert parse_mirrored(b'["MirrorHeartbeatConnector",{"sourceClusterAlias":"onprem"}]', b'{"offset":1}') is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"{", b"{}"),
        (b"\xff", b"{}"),
        (KEY, b"[" * 100_000),
        (KEY, b"9"),
        (KEY, b'{"offset":"9"}'),
        (KEY, b'{"offset":-1}'),
    ],
)
def test_an_offset_that_does_not_read_is_refused(key: bytes, value: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parse_mirrored(key, value)


def test_what_was_never_mirrored_counts_from_the_first_look() -> None:
    level = MirrorLevel()
    for moment_ms in (1000, 2000, 3000):
        level.see(moment_ms, 10)
        level.rise(0)
        measure(("never", 0), level, 10)
    labels = {"topic": "never", "partition": "0"}
    assert REGISTRY.get_sample_value("hotpath_mirror_caught_up_to_seconds", labels) == 1.0
    level.rise(10)
    measure(("never", 0), level, 0)
    assert REGISTRY.get_sample_value("hotpath_mirror_caught_up_to_seconds", labels) == 3.0
