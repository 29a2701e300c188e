"""What a caller may rely on at the hot address: bytes on a connection, whatever program listens there."""

from __future__ import annotations

import json
import re

import pytest

from tests.serving.http.raw_client import PATIENCE_S, Address, Connection

H2C_OFFERS = {
    "java": (
        "Connection: Upgrade, HTTP2-Settings",
        "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
        "Upgrade: h2c",
        "User-Agent: Java-http-client/17.0.9",
    ),
    "curl": ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"),
    "lower case, two headers": ("connection: upgrade", "connection: http2-settings", "upgrade: h2c"),
    "websocket": ("Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
}


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


def is_answer(body: bytes) -> bool:
    return json.loads(body)["decision"] in ("positive", "negative")


# connections


def test_a_connection_is_kept_and_requests_that_come_together_are_answered_in_their_order(address: Address) -> None:
    questions = [json.loads(address.question) | {"id": f"q{number}"} for number in range(5)]
    requests = [address.ask(body=json.dumps(question).encode()) for question in questions]
    with Connection(address) as connection:
        connection.send(b"".join(requests))
        answers = [json.loads(connection.response().body)["id"] for _ in requests]
        assert answers == ["q0", "q1", "q2", "q3", "q4"]
        assert connection.asks(address.ask()).status == 200


def test_a_caller_may_end_the_connection(address: Address) -> None:
    for request in (address.ask("Connection: close"), address.ask(version="1.0"), address.ask("connection: Close")):
        with Connection(address) as connection:
            answer = connection.asks(request)
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert connection.is_closed()


@pytest.mark.parametrize("offer", H2C_OFFERS.values(), ids=H2C_OFFERS)
def test_an_offer_to_upgrade_is_ignored_and_the_request_answered(address: Address, offer: tuple[str, ...]) -> None:
    with Connection(address) as connection:
        for _ in range(2):
            answer = connection.asks(address.ask(*offer))
            assert (answer.status, is_answer(answer.body)) == (200, True)
        assert connection.asks(address.head(*offer, method="GET", path="/health/live")).status == 200
        with_chunks = address.head(*offer, "Transfer-Encoding: chunked") + chunked(address.question)
        assert connection.asks(with_chunks).status == 200
        assert connection.asks(address.ask()).status == 200


def test_an_offer_to_upgrade_is_ignored_however_the_bytes_come(address: Address) -> None:
    request = address.ask(*H2C_OFFERS["java"])
    with Connection(address) as connection:
        connection.send(*(bytes([byte]) for byte in request))
        assert connection.response().status == 200
        connection.send(request + request + address.ask("Connection: close, Upgrade", "Upgrade: h2c"))
        assert [connection.response().status for _ in range(3)] == [200, 200, 200]
        assert connection.is_closed()


def test_an_offer_to_upgrade_changes_no_rule(address: Address) -> None:
    offer = H2C_OFFERS["curl"]
    with Connection(address) as connection:
        assert connection.asks(address.ask(*offer, host=False)).status == 400
    with Connection(address) as connection:
        connection.send(address.head(*offer, "Expect: 100-continue", f"Content-Length: {len(address.question)}"))
        assert connection.response().status == 100
        assert connection.asks(address.question).status == 200


# bodies


def test_a_body_may_come_in_any_pieces(address: Address) -> None:
    with Connection(address) as connection:
        connection.send(*(bytes([byte]) for byte in address.ask()))
        assert is_answer(connection.response().body)
        pieces = [address.question[at : at + 7] for at in range(0, len(address.question), 7)]
        connection.send(address.head("Transfer-Encoding: chunked"), chunked(*pieces))
        assert is_answer(connection.response().body)
        by_bytes = address.head("Transfer-Encoding: chunked") + chunked(*pieces)
        connection.send(*(bytes([byte]) for byte in by_bytes))
        assert is_answer(connection.response().body)


def test_who_waits_for_100_continue_gets_it_and_who_would_be_refused_does_not(address: Address) -> None:
    length = f"Content-Length: {len(address.question)}"
    with Connection(address) as connection:
        connection.send(address.head("Expect: 100-continue", length))
        assert connection.response().status == 100
        assert connection.asks(address.question).status == 200
    refused = {
        413: address.head("Expect: 100-continue", f"Content-Length: {address.body_limit + 1}"),
        415: address.head("Expect: 100-continue", length, "Content-Encoding: gzip"),
        401: address.head("Expect: 100-continue", length).replace(address.key.encode(), b"unknown"),
    }
    for status, head in refused.items():
        with Connection(address) as connection:
            assert connection.asks(head).status == status


def test_a_stated_length_beyond_the_limit_is_refused_before_the_body_comes(address: Address) -> None:
    with Connection(address) as connection:
        refused = connection.asks(address.head(f"Content-Length: {address.body_limit + 1}"))
        assert (refused.status, refused.problem, refused.headers["connection"]) == (413, "too-large", "close")
        assert connection.is_closed()


def test_whoever_sends_a_body_beyond_the_limit_reads_the_refusal(address: Address) -> None:
    """A caller that reads only after it has sent everything finds the connection open until then."""
    piece = b" " * (address.body_limit // 4)
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    stated = address.head(f"Content-Length: {8 * len(piece)}")
    for head, part in ((stated, piece), (address.head("Transfer-Encoding: chunked"), chunk)):
        with Connection(address) as connection:
            connection.send(head, *[part] * 5)
            assert not connection.is_silent(PATIENCE_S), "it is refused already"
            connection.send(part, part, part)
            assert connection.response().problem == "too-large"


def test_a_body_of_exactly_the_limit_is_read(address: Address) -> None:
    with Connection(address) as connection:
        assert connection.asks(address.ask(body=address.question.ljust(address.body_limit))).status == 200
        assert connection.asks(address.ask()).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "GZIP", "zstd"])
def test_an_encoding_that_is_not_taken_is_a_415(address: Address, encoding: str) -> None:
    with Connection(address) as connection:
        refused = connection.asks(address.ask(f"Content-Encoding: {encoding}"))
        assert (refused.status, refused.problem) == (415, "unsupported-encoding")
        assert refused.headers["accept-encoding"] == "identity"
        assert connection.asks(address.ask("Content-Encoding: identity")).status == 200


def test_a_body_that_begins_with_a_byte_order_mark_is_refused_by_that_name(address: Address) -> None:
    with Connection(address) as connection:
        refused = connection.asks(address.ask(body=b"\xef\xbb\xbf" + address.question))
        assert (refused.status, "BOM" in refused.detail) == (400, True)
        assert connection.asks(address.ask()).status == 200


# what is not HTTP/1.1


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Content-Length: 5"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Content-Length: -1",),
        ("Content-Length: 5x",),
        ("Content-Length: 99999999999999999999",),
        ("Transfer-Encoding: chunked, gzip",),
        ("Bad header: 1", "Content-Length: 0"),
    ],
)
def test_a_request_whose_end_is_not_certain_is_refused_and_ends_the_connection(
    address: Address, lines: tuple[str, ...]
) -> None:
    with Connection(address) as connection:
        refused = connection.asks(address.head(*lines))
        assert (refused.status, refused.problem, refused.headers["connection"]) == (400, "bad-request", "close")
        assert connection.is_closed()


def test_http_1_1_needs_a_host_and_http_1_0_does_not(address: Address) -> None:
    for request in (address.ask(host=False), address.ask("Host: other")):
        with Connection(address) as connection:
            refused = connection.asks(request)
            assert (refused.status, refused.problem, "Host" in refused.detail) == (400, "bad-request", True)
            assert connection.is_closed()
    with Connection(address) as connection:
        assert connection.asks(address.ask(host=False, version="1.0")).status == 200


def test_a_request_that_is_refused_comes_after_the_answers_to_those_before_it(address: Address) -> None:
    with Connection(address) as connection:
        connection.send(address.ask() + address.ask(host=False))
        assert [connection.response().status for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"hello\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\nHost: s\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT scorer:80 HTTP/1.1\r\nHost: s\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["text", "unknown method", "HTTP/2", "CONNECT", "TLS"],
)
def test_what_is_not_http_1_1_gets_a_problem_document(address: Address, request_bytes: bytes) -> None:
    with Connection(address) as connection:
        refused = connection.asks(request_bytes)
        assert (refused.status, refused.problem) == (400, "bad-request")
        assert connection.is_closed()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"])
def test_a_method_that_is_not_answered_names_the_one_that_is(address: Address, method: str) -> None:
    with Connection(address) as connection:
        connection.send(address.head(method=method))
        refused = connection.response(to_head=method == "HEAD")
        assert (refused.status, refused.headers["allow"]) == (405, "POST")
        assert connection.asks(address.ask()).status == 200


def test_a_head_of_a_health_check_has_no_body(address: Address) -> None:
    with Connection(address) as connection:
        connection.send(address.head(method="HEAD", path="/health/ready"))
        assert connection.response(to_head=True).status == 200
        assert connection.asks(address.ask()).status == 200


def test_the_target_may_be_a_whole_url(address: Address) -> None:
    with Connection(address) as connection:
        assert connection.asks(address.ask(path=f"http://scorer{address.predict}")).status == 200
        assert connection.asks(address.ask(path="/v1/nowhere")).problem == "not-found"


def test_header_names_and_the_scheme_of_the_key_have_no_case(address: Address) -> None:
    shouted = re.sub(rb"\r\n([\w-]+):", lambda name: name.group(0).upper(), address.ask())
    with Connection(address) as connection:
        assert connection.asks(shouted.replace(b"Bearer", b"BEARER")).status == 200
