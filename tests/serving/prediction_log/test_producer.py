"""The prediction log never stands in an answer's way, and what Kafka does not take outlives the scorer."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread

import pytest
from prometheus_client import REGISTRY

from contract.layout import Kafka
from serving.prediction_log import producer
from serving.prediction_log.disk_spool import FILE_BYTES, Spool, SpoolFullError, spooled
from serving.prediction_log.producer import PredictionLog
from streaming.pipeline_file.load import load
from tests.waiting import until

NOBODY = Kafka("127.0.0.1:1", {})
SLOW = Kafka("127.0.0.1:1", {"test.mock.num.brokers": "1", "test.mock.broker.rtt": "400"})
"""A broker inside librdkafka that takes its time for every answer."""
MOCK = Kafka("127.0.0.1:1", {"test.mock.num.brokers": "1"})
QUEUE_RECORDS = 100_000
OVERFLOW_RECORDS = producer._OVERFLOW_RECORDS
PLENTY = 1 << 40


def counted(outcome: str) -> float:
    labels = {"pipeline": "p", "outcome": outcome}
    return REGISTRY.get_sample_value("hotpath_scorer_predictions_total", labels) or 0.0


def log_to(folder: Path, limit_bytes: int = PLENTY, kafka: Kafka = NOBODY) -> PredictionLog:
    pipeline = load(Path(__file__).parents[1] / "machines.toml")
    return PredictionLog(kafka, pipeline, Spool(folder, "green", limit_bytes))


def records_in(folder: Path) -> Counter[tuple[bytes, bytes]]:
    return Counter(line for path in folder.iterdir() for line in spooled(path))


def test_without_a_broker_every_record_is_on_disk_when_the_scorer_has_left(tmp_path: Path) -> None:
    """Ten times as many as may wait beside the queue, and the thread that spools them is kept from it."""
    log = log_to(tmp_path)
    before, spent_s = counted("dropped"), 0.0
    asked = [(b'["m-%d"]' % (i % 7), b'{"id":"%d"}' % i) for i in range(QUEUE_RECORDS + 10 * OVERFLOW_RECORDS)]
    log._stopping.set()
    log._thread.join()
    for key, record in asked:
        begin = time.perf_counter()
        log.log(key.decode(), record)
        spent_s += time.perf_counter() - begin
    log.close(3)
    assert spent_s / len(asked) < 0.0005, "a full queue does not make anybody wait"
    assert counted("delivered") == 0
    assert counted("dropped") == before
    assert records_in(tmp_path) == Counter(asked)


def test_a_scorer_that_stops_does_not_wait_for_what_never_comes(tmp_path: Path) -> None:
    """The thread hangs; the broker is away. What is queued is on disk at the end of the time all the same."""
    log, hangs, ends = log_to(tmp_path), Event(), Event()

    def hang() -> None:
        hangs.set()
        ends.wait()

    log._turn = hang  # type: ignore[method-assign]
    assert hangs.wait(20)
    log.log("k", b"1")
    begin_s = time.monotonic()
    log.close(0.5)
    spent_s = time.monotonic() - begin_s
    ends.set()
    assert records_in(tmp_path) == Counter([(b"k", b"1")])
    assert spent_s < 30, "of a thread that would have hung for ever"


def test_a_thread_that_ends_unasked_says_so(tmp_path: Path) -> None:
    ended: list[str] = []
    pipeline = load(Path(__file__).parents[1] / "machines.toml")
    log = PredictionLog(NOBODY, pipeline, Spool(tmp_path, "green", PLENTY), ended.append)

    def broken() -> None:
        raise RuntimeError("broken")

    log._turn = broken  # type: ignore[method-assign]
    until(lambda: ended, 10, "the thread's end")
    assert ended == ["the thread prediction-log ended by RuntimeError: broken"]
    log.log("k", b"1")
    log.close(0.2)
    assert records_in(tmp_path) == Counter([(b"k", b"1")]), "and loses nothing"


def test_a_broker_that_lets_records_wait_costs_no_processor_time(tmp_path: Path) -> None:
    before = counted("delivered")
    log = log_to(tmp_path, kafka=SLOW)
    log.log("m", b"{}")
    until(lambda: counted("delivered") == before + 1, 30, "the first record")
    spent_s, begin_s = time.process_time(), time.monotonic()
    for _ in range(20):
        log.log("m", b"{}")
        time.sleep(0.04)  # a batch each: more than may be in flight where their number is limited
    until(lambda: counted("delivered") == before + 21, 30, "all records")
    share = (time.process_time() - spent_s) / (time.monotonic() - begin_s)
    log.close(1)
    assert share < 0.1, "of a core, for twenty records"


def test_what_has_no_room_on_disk_is_counted(tmp_path: Path) -> None:
    log = log_to(tmp_path, limit_bytes=100)
    before = counted("dropped")
    for _ in range(20):
        log.log("k", b"12345678")  # 11 bytes with key, tab and line end
    log.close(0.1)
    assert records_in(tmp_path).total() == 9
    assert counted("dropped") - before == 11


def test_the_limit_is_for_all_writers_together(tmp_path: Path) -> None:
    blue, green = Spool(tmp_path, "blue", 50), Spool(tmp_path, "green", 50)
    blue.put(b"k", b"x" * 30)
    with pytest.raises(SpoolFullError, match="HOTPATH_SPOOL"):
        green.put(b"k", b"x" * 30)


def test_a_file_that_is_written_or_sent_belongs_to_one_scorer(tmp_path: Path) -> None:
    blue, green = Spool(tmp_path, "blue", PLENTY), Spool(tmp_path, "green", PLENTY)
    blue.put(b"k", b"1")
    with green.oldest() as nothing:
        assert nothing is None
    blue.close()
    with green.oldest() as mine, blue.oldest() as other:
        assert mine is not None
        assert other is None
        mine.unlink()
    assert blue.size() == 0


def test_a_writer_may_send_its_own_and_goes_on_in_another_file(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "green", PLENTY)
    spool.put(b"k", b"1")
    with spool.oldest() as path:
        assert path is not None
        spool.put(b"k", b"2")
        path.unlink()
    assert records_in(tmp_path) == Counter([(b"k", b"2")])


def test_files_are_small_and_the_oldest_goes_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "green", PLENTY)
    for number in range(3):
        spool.put(b"%d" % number, b"x" * (FILE_BYTES - 100))
    Spool(tmp_path, "blue", PLENTY).put(b"3", b"x")
    found = []
    for _ in range(3):
        with spool.oldest() as path:
            assert path is not None
            found += [key for key, _ in spooled(path)]
            path.unlink()
    assert found == [b"0", b"1", b"2"]


def test_a_killed_writer_leaves_its_records_to_others(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from serving.prediction_log.disk_spool import Spool
spool = Spool(Path(sys.argv[1]), "killed", 1 << 40)
for number in range(1000):
    spool.put(b"k", b"%d" % number)
print("written", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        os.kill(writer.pid, signal.SIGKILL)
    spool = Spool(tmp_path, "green", PLENTY)

    def taken() -> list[bytes] | None:
        with spool.oldest() as path:
            return [record for _, record in spooled(path)] if path else None

    assert until(taken, 10, "the killed writer's file") == [b"%d" % number for number in range(1000)]


def test_a_line_that_was_cut_off_is_no_record_and_a_damaged_one_is_passed(tmp_path: Path) -> None:
    (tmp_path / "green-1").write_bytes(b"k\t1\n\0\0\nk\t2\nk\tcut o")
    assert list(spooled(tmp_path / "green-1")) == [(b"k", b"1"), (b"k", b"2")]


def test_files_of_the_previous_version_are_sent_and_those_of_a_later_one_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, "green", PLENTY)
    (tmp_path / "p-20261121T021700Z-ab12-00000000000000000001").write_bytes(b"k\told\n")
    (tmp_path / "blue-00000000000000000000.v2").write_bytes(b"of a later version")
    spool.put(b"k", b"new")
    found = []
    for _ in range(2):
        with spool.oldest() as path:
            assert path is not None
            found += [(path.suffix, *spooled(path))]
            path.unlink()
    assert found == [("", (b"k", b"old")), (".v1", (b"k", b"new"))]
    with spool.oldest() as nothing:
        assert nothing is None
    assert spool.size() == 0, "nothing waits that this version could send"
    (told,) = [record.getMessage() for record in caplog.records]
    assert f"or remove the file file={tmp_path / 'blue-00000000000000000000.v2'}" in told


def test_what_cannot_be_sent_takes_room_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "blue-00000000000000000000.v2").write_bytes(b"x" * 30)
    with pytest.raises(SpoolFullError):
        Spool(tmp_path, "green", 50).put(b"k", b"x" * 30)


def test_what_is_spooled_is_sent_once_a_broker_answers_old_files_too_and_one_that_stays_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "_LOOK_EVERY_S", 0.1)
    (tmp_path / "blue-00000000000000000001").write_bytes(b"k\told\n")
    spool = Spool(tmp_path, "red", PLENTY)
    for number in range(3000):
        spool.put(b"k", b"%d" % number)
    spool.close()
    stays, unlink, before = tmp_path / "blue-00000000000000000001", Path.unlink, counted("delivered")

    def unlink_others(path: Path, missing_ok: bool = False) -> None:
        if path == stays:
            raise PermissionError(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink_others)
    log = log_to(tmp_path, kafka=MOCK)
    until(lambda: list(tmp_path.iterdir()) == [stays], 60, "only the file that cannot be removed is left")
    spool.put(b"k", b"late")
    spool.close()
    until(lambda: list(tmp_path.iterdir()) == [stays], 60, "the later file has been sent")
    log.close(3)
    assert counted("delivered") - before == 3002


def test_many_threads_may_spool_at_once(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "green", PLENTY)
    asked = [[(b"%d" % thread, b"%d" % number) for number in range(500)] for thread in range(4)]

    def put(records: list[tuple[bytes, bytes]]) -> None:
        for record in records:
            spool.put(*record)

    threads = [Thread(target=put, args=(mine,)) for mine in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert records_in(tmp_path) == Counter(record for mine in asked for record in mine)


def test_a_folder_that_somebody_removed_is_made_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", "green", PLENTY)
    (tmp_path / "spool").rmdir()
    assert spool.size() == 0
    spool.put(b"k", b"1")
    assert records_in(tmp_path / "spool").total() == 1


def test_a_full_disk_leaves_no_half_record(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "green", PLENTY)
    spool.put(b"k", b"1")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError, match="no room left"):
            spool.put(b"k", b"too long")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    spool.put(b"k", b"2")
    assert records_in(tmp_path) == Counter([(b"k", b"1"), (b"k", b"2")])
