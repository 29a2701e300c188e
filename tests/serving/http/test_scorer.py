"""What a caller gets from a scorer: a real process, a real bundle, every answer held to its schema."""

from __future__ import annotations

import json
import resource
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.serving.scoring_host import (
    KEY,
    PREDICT,
    PROBLEM,
    QUESTION,
    VERSION,
    Scorer,
    ScoringHost,
    faults_of,
    warnings_of,
)
from tests.waiting import until

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LARGE = 32 * 1024 * 1024
"""Half of it is more than what else a scorer maps meanwhile, such as a stack of a new thread."""
ALL_FIELDS = QUESTION | {"count": 3, "fresh": True, "operator": "Ann"}


@pytest.fixture(scope="module")
def host() -> Iterator[ScoringHost]:
    with ScoringHost() as host:
        yield host


@pytest.fixture(scope="module")
def launched(host: ScoringHost) -> dict[str, Scorer]:
    """Every scorer of this file, started at once."""
    return {
        "full": host.launch("full"),
        "empty": host.launch("empty", bundle=False, env={"HOTPATH_MAX_BODY": "200"}),
        "limited": host.launch("limited", env={"HOTPATH_RATE": "0.5", "HOTPATH_KEYS": f"{KEY},second"}),
        "one_heap": host.launch("one_heap", env={"HOTPATH_MAX_BODY": str(LARGE), "MALLOC_ARENA_MAX": "1"}),
    }


@pytest.fixture(scope="module")
def scorer(host: ScoringHost, launched: dict[str, Scorer]) -> Iterator[Scorer]:
    yield host.answering(launched["full"])
    launched["full"].close()


def ago(**back: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**back):%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_question_gets_an_answer_with_every_field(scorer: Scorer, host: ScoringHost) -> None:
    answer = scorer.ask(ALL_FIELDS).json()
    assert UUID(answer["prediction_id"]).version == 7
    assert (answer["id"], answer["pipeline"], answer["model"], answer["source"]) == ("q1", "p", VERSION, "model")
    assert answer["pipeline_hash"] == host.manifest["pipeline_hash"]
    assert answer["decision"] == ("positive" if answer["probability"] >= host.manifest["threshold"] else "negative")
    nulls = ("value", "probabilities", "tolerance", "reason", "contributions", "experiment")
    assert {answer[name] for name in nulls} == {None}
    assert answer["warnings"] == []


def test_the_decision_falls_at_the_models_threshold(scorer: Scorer) -> None:
    decided = {scorer.ask(QUESTION | {"size": size}).json()["decision"] for size in (1.0, 9.0)}
    assert decided == {"positive", "negative"}


def test_as_of_is_the_parameter_else_the_bodys_time_else_now(scorer: Scorer) -> None:
    stated, body_time = ago(seconds=1), ago(seconds=2)
    now = datetime.fromisoformat(scorer.ask().json()["as_of"])
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)
    with_time = QUESTION | {"at": body_time}
    assert scorer.ask(with_time).json()["as_of"] == body_time[:-4] + "Z"
    assert scorer.ask(with_time, params={"as_of": stated}).json()["as_of"] == stated[:-4] + "Z"


def test_the_models_age_counts_from_the_newest_question_in_training(scorer: Scorer, host: ScoringHost) -> None:
    newest = datetime.fromisoformat(host.manifest["newest_as_of"])
    for age_s, expired in ((1800, False), (1801, True), (-60, False)):
        as_of = (newest + timedelta(seconds=age_s)).isoformat()
        answer = scorer.ask(params={"as_of": as_of}).json()
        assert (answer["model_age_s"], answer["expired"]) == (age_s, expired)
        assert answer["decision"] in ("positive", "negative"), "an expired model still decides"


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_that_is_off_is_a_warning_and_under_strict_an_error(scorer: Scorer, seconds: float) -> None:
    moment = ago(seconds=seconds)
    assert warnings_of(scorer.ask(params={"as_of": moment})) == {("clock_skew", "as_of")}
    assert warnings_of(scorer.ask(QUESTION | {"at": moment})) == {("clock_skew", "as_of")}
    refused = scorer.ask(params={"as_of": moment, "strict": "1"})
    assert (refused.status_code, faults_of(refused)) == (422, {("clock_skew", "as_of")})
    assert scorer.ask(params={"as_of": ago(seconds=1), "strict": "1"}).status_code == 200


def test_what_training_never_saw_is_a_warning_and_under_strict_an_error(scorer: Scorer) -> None:
    odd = QUESTION | {"colour": "ultraviolet", "size": 1e6, "shape": "round"}
    found = {("unknown_field", "shape"), ("unseen_level", "colour"), ("outside_range", "size")}
    before = scorer.metrics()
    assert warnings_of(scorer.ask(odd)) == found
    refused = scorer.ask(odd, params={"strict": "1"})
    assert (refused.status_code, faults_of(refused)) == (422, found)
    after = scorer.metrics()
    for code, _ in found:
        counted = f"hotpath_scorer_warnings_total{{code={code}}}"
        assert after[counted] - before[counted] == 1


def test_so_many_unknown_fields_do_not_make_an_endless_answer(scorer: Scorer) -> None:
    warnings = scorer.ask(QUESTION | {f"extra{n}": n for n in range(1000)}).json()["warnings"]
    assert len(warnings) == 50
    assert warnings[-1]["detail"].endswith("nor 950 more")


@pytest.mark.parametrize(
    ("body", "status", "faults"),
    [
        (b"", 400, {("not_json", None)}),
        (b'{"id": ', 400, {("not_json", None)}),
        (b"\xff\xfe", 400, {("not_json", None)}),
        (b'{"id": "q", "machine": "m", "size": NaN}', 400, {("not_json", None)}),
        (b"[]", 422, {("not_an_object", None)}),
        (b"{}", 422, {("missing", "id"), ("missing", "machine"), ("missing", "size")}),
        (b'{"id": 7.5, "machine": "m", "size": "big"}', 422, {("wrong_type", "id"), ("wrong_type", "size")}),
        (b'{"id": "q", "machine": "m", "size": 1, "size": 2}', 422, {("duplicate_field", "size")}),
        (b'{"id": "q", "machine": "m", "size": 1, "at": "yesterday"}', 422, {("wrong_type", "at")}),
    ],
)
def test_a_body_that_would_be_a_dead_letter_is_refused(
    scorer: Scorer, body: bytes, status: int, faults: set[tuple[str, str | None]]
) -> None:
    refused = scorer.ask(body)
    assert refused.status_code == status
    assert {(code, field if code != "not_json" else None) for code, field in faults_of(refused)} == faults


def test_every_problem_of_parameters_and_body_is_listed_at_once(scorer: Scorer) -> None:
    refused = scorer.ask({"id": "q", "size": 1, "machine": 3.5}, params={"tolerance": "low", "as_off": "1"})
    assert refused.status_code == 422
    assert faults_of(refused) == {
        ("unknown_tolerance", "tolerance"),
        ("unknown_parameter", "as_off"),
        ("wrong_type", "machine"),
    }
    assert refused.json()["detail"].endswith("; and 2 more, see `errors`")
    near = scorer.ask(params={"tolerance": "carefull"})
    assert (near.status_code, near.json()["detail"]) == (
        422,
        "there is no tolerance `carefull`; did you mean `careful`?",
    )


def verdict_of(answer: httpx.Response) -> tuple[str, str, str | None, bool | None]:
    """(tolerance, decision, reason, expired)"""
    told = answer.json()
    return told["tolerance"], told["decision"], told["reason"], told["tolerance_expired"]


def test_the_tolerance_that_is_named_decides(scorer: Scorer) -> None:
    def asked(tolerance: str, **fields: object) -> tuple[str, str, str | None, bool | None]:
        return verdict_of(scorer.ask(QUESTION | fields, params={"tolerance": tolerance}))

    decided = {asked("careful", size=size, colour=colour) for size in (2.5, 7.0) for colour in ("red", "blue")}
    assert decided == {
        ("careful", "positive", None, False),
        ("careful", "negative", None, False),
        ("careful", "abstain", "between_thresholds", False),
    }
    assert asked("strict", size=7.0) == ("strict", "abstain", "not_attainable", False)
    assert asked("newer", size=7.0) == ("newer", "abstain", "not_attainable", None), "the model is older than it"


def test_without_a_tolerance_the_models_threshold_decides(scorer: Scorer) -> None:
    told = scorer.ask(QUESTION | {"size": 7.0}).json()
    assert (told["tolerance"], told["decision"], told["reason"]) == (None, "positive", None)
    assert told["tolerance_valid_until"] is None is told["tolerance_expired"]


def test_after_its_end_a_tolerance_abstains_unless_it_is_told_to_answer(scorer: Scorer) -> None:
    until_then = scorer.ask(params={"tolerance": "careful"}).json()["tolerance_valid_until"]
    later = until_then.replace("Z", "1Z")  # a tenth of a millisecond later
    certain = QUESTION | {"size": 7.0}
    decisions = {
        (tolerance, as_of): {
            verdict_of(scorer.ask(certain | {"colour": colour}, params={"tolerance": tolerance, "as_of": as_of}))[1:]
            for colour in ("red", "blue")
        }
        for tolerance in ("careful", "lasting")
        for as_of in (until_then, later)
    }
    unsure = ("abstain", "between_thresholds")
    assert decisions == {
        ("careful", until_then): {("positive", None, False), (*unsure, False)},
        ("lasting", until_then): {("positive", None, False), (*unsure, False)},
        ("careful", later): {("abstain", "tolerance_expired", True)},
        ("lasting", later): {("positive", None, True), (*unsure, True)},
    }


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": f"Basic {KEY}"}])
def test_without_a_known_key_there_is_no_answer(scorer: Scorer, headers: dict[str, str]) -> None:
    refused = scorer.own.post(PREDICT, content=json.dumps(QUESTION), headers=headers)
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert scorer.own.get("/v1/pipelines/p/model", headers=headers).status_code == 401


def test_a_changed_file_of_keys_is_honoured_within_seconds(
    scorer: Scorer, host: ScoringHost, launched: dict[str, Scorer]
) -> None:
    for other in launched.values():
        host.answering(other)  # one that starts while the file is empty would be refused

    def problems() -> float:
        return scorer.metrics()["hotpath_problems_total{part=scorer}"]

    file, before = host.data / "keys", problems()
    assert scorer.ask(key="new").status_code == 401
    file.write_text(f"{KEY}\nnew\n")
    until(lambda: scorer.ask(key="new").status_code == 200, 5, "the new key is admitted")
    file.write_text("")
    until(lambda: problems() > before, 5, "the empty file is counted")
    assert scorer.ask(key="new").status_code == 200, "an empty file locks nobody out"
    file.write_text(f"{KEY}\n")
    until(lambda: scorer.ask(key="new").status_code == 401, 5, "the key that is gone admits nobody")
    assert scorer.ask().status_code == 200


def test_a_scorer_that_fails_says_so_counts_it_and_goes_on(host: ScoringHost, launched: dict[str, Scorer]) -> None:
    """It is left the memory for the pieces of a large body, but not for the whole body beside them."""
    scorer = host.answering(launched["one_heap"])
    asked: dict[str, Any] = {
        "content": json.dumps(QUESTION).encode().ljust(LARGE),
        "headers": {"authorization": f"Bearer {KEY}"},
    }
    counted = ("hotpath_problems_total{part=scorer}", "hotpath_scorer_requests_total{status=500}")
    before = scorer.metrics()
    with memory_left(scorer.process.pid, LARGE * 3 // 2):
        failed = scorer.own.post(PREDICT, **asked)
    assert (failed.status_code, failed.headers["content-type"]) == (500, "application/problem+json")
    PROBLEM.validate(failed.json())
    assert failed.json()["type"] == "urn:hotpath:problem:internal"
    assert "MemoryError" in host.said(20_000), "the log says how"
    after = scorer.metrics()
    assert [after[name] - before.get(name, 0) for name in counted] == [1, 1]
    assert scorer.own.post(PREDICT, **asked).status_code == 413, "with memory enough, it is more than Kafka would take"
    assert scorer.ask().status_code == 200


@contextmanager
def memory_left(pid: int, more: int) -> Iterator[None]:
    """Let a process map only so many bytes more than it has now."""
    mapped = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (mapped + more, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_AS, before)


def test_another_pipeline_or_method_is_not_answered(scorer: Scorer) -> None:
    assert scorer.ask(path="/v1/pipelines/p/forget").status_code == 404
    wrong = scorer.get(PREDICT)
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


def test_a_body_above_the_limit_is_refused_and_the_limit_is_the_hosts(
    scorer: Scorer, host: ScoringHost, launched: dict[str, Scorer]
) -> None:
    large = QUESTION | {"colour": "x" * 1000}
    assert scorer.ask(large).status_code == 200
    assert scorer.ask(b" " * (1024 * 1024 + 1)).status_code == 413
    refused = host.answering(launched["empty"]).ask(large)
    assert refused.status_code == 413
    assert "200 bytes" in refused.json()["detail"]


def test_a_key_that_asks_too_often_is_told_when_to_come_back(host: ScoringHost, launched: dict[str, Scorer]) -> None:
    limited = host.answering(launched["limited"])
    until(lambda: limited.ask().status_code == 429, 20, "the limit of one request in two seconds", 0)
    assert limited.ask().headers["retry-after"] in ("1", "2")
    assert limited.ask(key="second").status_code == 200, "each key has a rate of its own"


def test_without_a_model_the_answer_is_503_with_retry_after(host: ScoringHost, launched: dict[str, Scorer]) -> None:
    empty = host.answering(launched["empty"])
    refused = empty.ask()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert empty.ask(key="wrong").status_code == 401
    assert [empty.get(path).status_code for path in ("/health/live", "/health/ready")] == [200, 503]
    assert empty.get("/v1/pipelines/p/model").status_code == 503


def test_a_valid_traceparent_is_echoed_and_a_broken_one_is_not(scorer: Scorer) -> None:
    assert scorer.ask(headers={"traceparent": TRACE}).headers["traceparent"] == TRACE
    assert scorer.ask(b"{}", headers={"traceparent": TRACE}).headers["traceparent"] == TRACE
    assert "traceparent" not in scorer.ask(headers={"traceparent": TRACE[:-1]}).headers


def test_a_body_without_end_is_answered_before_it_ends(host: ScoringHost, launched: dict[str, Scorer]) -> None:
    host.answering(launched["empty"])
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: s\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 1000000\r\n\r\n"
    with socket.socket(socket.AF_UNIX) as sending:
        sending.settimeout(20)
        sending.connect(str(host.sockets / "empty.sock"))
        sending.sendall(head.encode() + b" " * (8 * 200 + 1))
        assert sending.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_golden_requests_are_no_traffic(scorer: Scorer) -> None:
    def logged(found: dict[str, float]) -> float:
        """They wait in the queue, and after half a minute on disk: there is no broker."""
        queued = found["hotpath_scorer_prediction_queue_records{}"]
        return queued + found["hotpath_scorer_predictions_total{outcome=spooled}"]

    def all_are_logged() -> bool:
        found = scorer.metrics()
        return logged(found) == found["hotpath_scorer_requests_total{status=200}"]

    until(all_are_logged, 5, "every earlier answer waits for a broker that is not there")
    before = scorer.metrics()
    golden = scorer.own.post(PREDICT, content=json.dumps(QUESTION | {"shape": 1}), headers={"hotpath-golden": "1"})
    assert golden.status_code == 200
    after = scorer.metrics()
    changed = {name for name, value in after.items() if name.startswith("hotpath_scorer") and value != before.get(name)}
    by_themselves = ("model_age", "prediction_queue", "prediction_spool", "outcome=spooled")
    assert {name for name in changed if not any(part in name for part in ("golden", *by_themselves))} == set()
    assert logged(after) == logged(before)
    assert after["hotpath_scorer_golden_requests_total{status=200}"] == 1


def test_prediction_ids_sort_by_time(scorer: Scorer) -> None:
    ids = [scorer.ask().json()["prediction_id"] for _ in range(20)]
    assert sorted(set(ids)) == ids


def test_the_model_that_answers_describes_itself(scorer: Scorer) -> None:
    model = scorer.get("/v1/pipelines/p/model").json()
    assert (model["model"], model["threshold"]) == (VERSION, 0.5)
    assert [feature["name"] for feature in model["features"]] == ["colour", "size", "many", "seconds"]


def test_the_own_socket_has_docs_metrics_and_state(scorer: Scorer, host: ScoringHost) -> None:
    assert "prediction_id" in scorer.own.get("/docs").text
    assert PREDICT in scorer.own.get("/openapi.json").json()["paths"]
    assert stat.S_IMODE((host.sockets / "full.sock").stat().st_mode) == 0o600, "it admits without a key"
    state = scorer.own.get("/state").json()
    assert (state["scorer"], state["model"], state["state"]) == ("full", VERSION, "standby")
    age = scorer.metrics()[f"hotpath_scorer_model_age_seconds{{model={VERSION}}}"]
    assert age > 0


def test_what_is_not_http_gets_a_problem_document(scorer: Scorer, host: ScoringHost) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(host.sockets / "full.sock"))
        raw.sendall(b"hello\r\n\r\n")
        head, _, body = raw.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["type"] == "urn:hotpath:problem:bad-request"
