"""A request to an endpoint over HTTP: to the checked address, within a deadline, and without following redirects."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workflows.publishing.webhooks.http_sender import HttpWebhookSender
from workflows.publishing.webhooks.sender import WebhookPost
from workflows.publishing.webhooks.targets import TargetRefused, Targets


class Receiver(ThreadingHTTPServer):
    """A receiver on this machine that keeps the requests it gets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, str], str]] = []
        self.released = threading.Event()
        self.location = "/hooks"
        self.bomb = b""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        match self.path.partition("?")[0]:
            case "/redirect":
                self._answer(307, b"", ("Location", self.server.location))
            case "/bomb":
                self._answer(200, self.server.bomb, ("Content-Encoding", "gzip"))
            case "/large":
                self._answer(200, b"x" * 200_000)
            case "/silent":
                self.server.released.wait(10)
            case _:
                self._answer(204, b"")

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with _serving(Receiver()) as server:
        yield server


@contextmanager
def _serving(server: Receiver) -> Iterator[Receiver]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def post(url: str) -> WebhookPost:
    return WebhookPost(url=url, body='{"é":1}', headers={"webhook-id": "ord_x/1"})


def sent(url: str, *, targets: Targets = Targets.ANY, sender: HttpWebhookSender | None = None):
    (answer,) = (sender or HttpWebhookSender()).post_all(posts=[post(url)], targets=targets)
    return answer


def test_the_request_carries_the_body_the_headers_and_the_whole_path(receiver: Receiver) -> None:
    """A receiver may tell endpoints apart by the query."""
    answer = sent(receiver.url("/hooks/?shop=1"))
    assert (answer.http, answer.error, answer.is_success) == (204, "", True)
    ((path, headers, body),) = receiver.requests
    assert (path, body, headers["webhook-id"]) == ("/hooks/?shop=1", '{"é":1}', "ord_x/1")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    """It could lead to an address that was not checked."""
    answer = sent(receiver.url("/redirect"))
    assert (answer.http, answer.is_success) == (307, False)
    assert len(receiver.requests) == 1


def test_a_receiver_that_does_not_answer_ends_at_the_deadline(receiver: Receiver) -> None:
    """The others wait for the batch."""
    answer = sent(receiver.url("/silent"), sender=HttpWebhookSender(answer_within_s=0.2))
    assert (answer.http, answer.error) == (None, "no answer within 0.2 s")


def test_an_answer_is_read_up_to_a_limit(receiver: Receiver) -> None:
    """Of an answer only the status counts."""
    answer = sent(receiver.url("/large"))
    assert (answer.http, answer.error) == (None, "it has more than 65536 bytes")


def test_the_connection_goes_to_the_address_that_was_checked(receiver: Receiver) -> None:
    """The name is looked up once for an attempt, so that nothing can change between the check and the connection."""
    looked_up: list[str] = []

    def lookup(host: str, _: int) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    answer = sent(receiver.url("/hooks", host="shop.example"), sender=HttpWebhookSender(lookup))
    assert (answer.http, looked_up) == (204, ["shop.example"])
    assert receiver.requests[0][1]["host"] == f"shop.example:{receiver.server_port}"


def test_a_name_that_points_to_a_private_address_is_refused_at_the_attempt() -> None:
    """Nothing is sent. Whether the name was public at its registration does not matter."""
    with _serving(Receiver()) as receiver:
        url = receiver.url("/hooks", host="shop.example").replace("http:", "https:")
        answer = sent(url, targets=Targets.PUBLIC, sender=HttpWebhookSender(lambda *_: ["127.0.0.1"]))
        assert answer.http is None
        assert "not public" in answer.error
        assert receiver.requests == []


def test_plain_http_is_refused_at_the_attempt_when_only_public_targets_are_allowed(receiver: Receiver) -> None:
    """The setting may have changed since the registration."""
    assert "https://" in sent(receiver.url("/hooks"), targets=Targets.PUBLIC).error
    assert receiver.requests == []


def test_a_receiver_that_is_down_has_no_status() -> None:
    """The error is the reason, for the people who read the attempts."""
    with _serving(Receiver()) as receiver:
        url = receiver.url("/hooks")
    answer = sent(url)
    assert answer.http is None
    assert answer.error.startswith("no connection")


def test_the_check_of_a_url_looks_its_host_up() -> None:
    """A name that points inside is refused when it is registered."""
    sender = HttpWebhookSender(lambda *_: ["10.0.0.1"])
    with pytest.raises(TargetRefused):
        sender.check(url="https://shop.example/", targets=Targets.PUBLIC)
    sender.check(url="https://shop.example/", targets=Targets.ANY)


def test_a_name_server_that_does_not_answer_holds_up_its_own_requests_alone(receiver: Receiver) -> None:
    """The system may wait for it half a minute. Endpoints of other hosts would count as failing meanwhile."""
    answers = threading.Event()

    def lookup(host: str, _: int) -> list[str]:
        if host == "stuck.example":
            answers.wait(30)
        return ["127.0.0.1"]

    sender = HttpWebhookSender(lookup, lookup_within_s=0.2)
    stuck = [post(receiver.url("/hooks", host="stuck.example")) for _ in range(16)]
    try:
        outcomes = sender.post_all(posts=stuck, targets=Targets.ANY)
        assert {(outcome.http, outcome.error) for outcome in outcomes} == {(None, "no connection within 10 s")}
        assert min(outcome.took_ms for outcome in outcomes) >= 200  # so the endpoint counts as slow
        assert sent(receiver.url("/hooks", host="shop.example"), sender=sender).http == 204
    finally:
        answers.set()
        sender.close()


HOSTILE: dict[str, tuple[bytes, bytes]] = {
    "a byte at a time": (b"", b"H"),
    "a head without end": (b"HTTP/1.1 200 OK\r\n", b"X-Header: %b\r\n" % (b"a" * 1000)),
    "a header without end": (b"HTTP/1.1 200 OK\r\nX-Header: ", b"a" * 1000),
    "continue for ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body without end": (b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 10_000),
    "chunks without end": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3e8\r\n%b\r\n" % (b"a" * 1000),
    ),
    "a body of a terabyte": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", b"a" * 10_000),
    "trailers without end": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Header: a\r\n"),
    "no HTTP": (b"", b"\x00" * 1000),
}
"""What a receiver sends first, and then again and again."""


@pytest.mark.parametrize(("first", "on"), HOSTILE.values(), ids=HOSTILE)
def test_a_receiver_that_never_ends_its_answer_costs_a_bounded_time_and_memory(first: bytes, on: bytes) -> None:
    """An endpoint is chosen by a service, whose receiver may be broken or hostile."""
    within_s = 0.3
    with socket.create_server(("127.0.0.1", 0)) as server:
        receiver = threading.Thread(target=_send_for_ever, args=(server, first, on))
        receiver.start()
        sender = HttpWebhookSender(answer_within_s=within_s)
        answer = sent(f"http://127.0.0.1:{server.getsockname()[1]}/", sender=sender)
        receiver.join()
    assert (answer.http, answer.is_success) == (None, False)
    assert answer.error in {
        f"no answer within {within_s} s",
        "it has more than 65536 bytes",
        "the connection broke: the answer is not HTTP (BadStatusLine)",
        "the connection broke: the answer is not HTTP (LineTooLong)",
        "the connection broke: the answer is not HTTP (HTTPException)",  # more than 100 headers
    }


def _send_for_ever(server: socket.socket, first: bytes, on: bytes) -> None:
    connection, _ = server.accept()
    with connection, suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(first)
        while True:
            connection.sendall(on)


def test_a_compressed_answer_is_not_expanded(receiver: Receiver) -> None:
    """A body of 60 KB could become gigabytes."""
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 60_000
    receiver.bomb = bomb
    tracemalloc.start()
    try:
        assert sent(receiver.url("/bomb")).http == 200
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]:1/",
        "file:///etc/passwd",
    ],
)
def test_a_redirect_to_an_inner_address_is_an_answer_like_any_other(receiver: Receiver, location: str) -> None:
    """It is not followed, wherever it leads."""
    receiver.location = location
    answer = sent(receiver.url("/redirect"))
    assert (answer.http, answer.error, len(receiver.requests)) == (307, "", 1)


@pytest.mark.parametrize("inner", ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "::1"])
def test_a_name_with_another_address_at_the_second_lookup_is_refused(inner: str) -> None:
    """DNS rebinding: the first lookup is that of the registration, and each attempt has one of its own."""
    addresses = iter([["93.184.215.14"], [inner]])
    sender = HttpWebhookSender(lambda *_: next(addresses))
    sender.check(url="https://shop.example/", targets=Targets.PUBLIC)
    answer = sent("https://shop.example/", targets=Targets.PUBLIC, sender=sender)
    assert "not public" in answer.error
    assert next(addresses, None) is None
