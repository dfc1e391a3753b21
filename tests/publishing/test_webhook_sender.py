"""A request to an endpoint over HTTP: to the checked address, within a deadline, and without following redirects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
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

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        match self.path.partition("?")[0]:
            case "/redirect":
                self._answer(307, b"", ("Location", "/hooks"))
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
