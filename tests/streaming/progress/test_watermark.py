"""Caught up to T: the watcher's updates and the hot query's commits, put together."""

from __future__ import annotations

from datetime import UTC, datetime

from contract.messages.progress import LossNotice, ProgressUpdate
from streaming.progress.query_checkpoint import parse_offsets
from streaming.progress.watermark import Progress, ProgressUpdates

NOW_S = 1_800_000_000.0


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(NOW_S + ms / 1000, UTC)


def news(caught_up_to_ms: int, cloud_offset: int, *, age_ms: int = 0, import_open: bool = False) -> ProgressUpdate:
    """`caught_up_to_ms` counts from now."""
    now_ms = int(NOW_S * 1000)
    return ProgressUpdate(
        topic="",
        partition=0,
        caught_up_to_ms=now_ms + caught_up_to_ms,
        cloud_offset=cloud_offset,
        onprem_offset=0,
        mirrored_offset=0,
        import_open=import_open,
        at_ms=now_ms - age_ms,
    )


def progress(board: ProgressUpdates) -> Progress:
    return Progress(board, now_s=lambda: NOW_S)


def test_nothing_known_is_not_caught_up() -> None:
    assert progress(ProgressUpdates()).caught_up_to(["a"]) is None


def test_news_that_the_commits_do_not_cover_do_not_count() -> None:
    board = ProgressUpdates()
    board.add(("a", 0), news(-2000, 10))
    board.add(("a", 0), news(-1000, 20))
    tables = progress(board)
    tables.commit({("a", 0): 9})
    assert tables.caught_up_to(["a"]) is None
    tables.commit({("a", 0): 15})
    assert tables.caught_up_to(["a"]) == at(-2000)
    tables.commit({("a", 0): 20})
    assert tables.caught_up_to(["a"]) == at(-1000)


def test_the_slowest_partition_of_the_asked_topics_counts() -> None:
    board = ProgressUpdates()
    for partition, moment in ((("a", 0), -1000), (("a", 1), -5000), (("b", 0), -9000)):
        board.add(partition, news(moment, 0))
    assert progress(board).caught_up_to(["a"]) == at(-5000)
    assert progress(board).caught_up_to(["a", "b"]) == at(-9000)


def test_a_partition_that_is_not_covered_or_not_heard_of_lately_holds_the_others_back() -> None:
    for held_back in (news(-2000, 7), news(-2000, 0, age_ms=15_001)):
        board = ProgressUpdates()
        board.add(("a", 0), news(-1000, 0))
        board.add(("a", 1), held_back)
        assert progress(board).caught_up_to(["a"]) is None


def test_a_topic_without_any_news_is_not_caught_up() -> None:
    board = ProgressUpdates()
    board.add(("a", 0), news(-1000, 0))
    assert progress(board).caught_up_to(["a", "b"]) is None


def test_fresh_news_count_however_old_the_ones_before_are() -> None:
    board = ProgressUpdates()
    board.add(("a", 0), news(-60_000, 0, age_ms=59_000))
    board.add(("a", 0), news(-1000, 0))
    assert progress(board).caught_up_to(["a"]) == at(-1000)


def test_what_is_behind_is_the_newest_offset_of_each_partition_less_what_is_committed() -> None:
    board = ProgressUpdates()
    for partition, offset in ((("a", 0), 10), (("a", 0), 25), (("a", 1), 5), (("b", 0), 99)):
        board.add(partition, news(-1000, offset))
    tables = progress(board)
    tables.commit({("a", 0): 20, ("a", 1): 7})
    assert tables.behind_records(["a"]) == {"a": 5}
    assert tables.behind_records(["a", "b"]) == {"a": 5, "b": 99}


def test_an_idle_partition_is_level() -> None:
    board = ProgressUpdates()
    board.add(("a", 0), news(-1000, 0))
    assert progress(board).caught_up_to(["a"]) == at(-1000)


def test_a_committed_partition_without_news_is_not_caught_up() -> None:
    board = ProgressUpdates()
    board.add(("a", 0), news(-1000, 0))
    tables = progress(board)
    tables.commit({("a", 0): 5, ("a", 1): 5})
    assert tables.caught_up_to(["a"]) is None


def test_news_older_than_fifteen_seconds_are_none() -> None:
    board = ProgressUpdates()
    board.add(("a", 0), news(-1000, 0, age_ms=15_001))
    assert progress(board).caught_up_to(["a"]) is None


def test_an_import_is_open_until_the_watcher_says_so_and_all_of_it_is_committed() -> None:
    board = ProgressUpdates()
    tables = progress(board)
    board.add(("a", 0), news(-3000, 0, age_ms=2000, import_open=True))
    assert tables.import_open(["a"])
    assert not tables.import_open(["b"])
    board.add(("a", 0), news(-500, 10))
    assert tables.import_open(["a"])
    tables.commit({("a", 0): 10})
    assert not tables.import_open(["a"])


def test_an_import_is_open_while_nothing_later_than_its_last_news_is_committed() -> None:
    board = ProgressUpdates()
    tables = progress(board)
    board.add(("a", 0), news(-3000, 0, age_ms=2000, import_open=True))
    board.add(("a", 0), news(-2000, 0))
    assert tables.import_open(["a"]), "what was imported in that very millisecond may not be there"
    board.add(("a", 0), news(-1999, 0))
    assert not tables.import_open(["a"])


def test_the_offset_log_of_a_checkpoint_is_read() -> None:
    log = 'v1\n{"batchWatermarkMs":0,"conf":{}}\n{"flights.asked":{"0":1002,"1":7},"flights.arrived":{"0":3}}'
    assert parse_offsets(log) == {("flights.asked", 0): 1002, ("flights.asked", 1): 7, ("flights.arrived", 0): 3}


def test_while_a_loss_is_not_written_down_its_topic_is_not_caught_up() -> None:
    board = ProgressUpdates()
    board.add(("a", 0), news(-1000, 0))
    board.add(("b", 0), news(-1000, 0))
    lost = LossNotice(
        where="mirror", topic="a", partition=0, from_offset=0, to_offset=5, count=5, after_ms=None,
        before_ms=1, at_ms=1,
    )  # fmt: skip
    board.lose(lost)
    tables = progress(board)
    assert (tables.caught_up_to(["a"]), tables.caught_up_to(["b"])) == (None, at(-1000))
    assert tables.unrecorded(["a"]) == [lost]
    tables.recorded(lost)
    assert tables.caught_up_to(["a"]) == at(-1000)
