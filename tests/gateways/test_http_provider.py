"""A provider over HTTP that breaks the protocol: no invalid answer becomes a fact, and no secret leaks."""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from domain.identifiers import RestaurantId, order_id_for
from domain.money import Money
from workflows.embedded.providers import CREDENTIALS, http_gateways
from workflows.gateways.courier import CouriersUnavailable
from workflows.gateways.errors import CredentialRefused, KeyMisused
from workflows.gateways.http.courier import HttpCouriers
from workflows.gateways.http.exchange import ANSWER_BYTES_MAX, IDLE_MAX_S
from workflows.gateways.http.kitchen import HttpKitchen
from workflows.gateways.http.payment import HttpPayments
from workflows.gateways.http.provider import Provider, ProviderUrlRefused
from workflows.gateways.kitchen import KitchenUnavailable
from workflows.gateways.payment import Captured, PaymentsUnavailable, Refused
from workflows.hub.hub import Hub
from workflows.sandbox.settings import KitchenSettings, NetworkSettings, PaymentSettings, SandboxSettings
from workflows.tracing import follow, tracing

ORDER = order_id_for("provider", "1")
KEY = f"{ORDER}/7"
SECRET = "s3cret-of-ours"
CAPTURED = {
    "outcome": "captured",
    "capture_id": "cap_1",
    "amount": {"amount": "4.00", "currency": "EUR"},
    "at": "2026-03-01T12:00:00Z",
}

Script = Callable[[socket.socket], None]


@dataclass
class Stub:
    """A provider that answers each connection by a script and keeps the requests."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def payments(self) -> HttpPayments:
        return HttpPayments(f"http://127.0.0.1:{self.port}", lambda: SECRET)


@pytest.fixture
def provider() -> Iterator[Callable[..., Stub]]:
    """Start a stub that runs a script for every connection; ``wrap`` adds TLS."""
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(script: Script, wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain) -> Stub:
        listener = socket.create_server(("127.0.0.1", 0))
        sockets.append(listener)
        stub = Stub(listener.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                stub.connections += 1
                plain.settimeout(10)
                with suppress(OSError), wrap(plain) as connection:
                    sockets.append(connection)
                    while request := _request(connection):
                        stub.requests.append(request)
                        script(connection)

        threads.append(threading.Thread(target=serve, daemon=True))
        threads[-1].start()
        return stub

    yield start
    for each in sockets:  # the listener comes first: from then on no connection is added
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()
    for each in sockets:
        each.close()


def _request(connection: socket.socket) -> bytes:
    """Read one request, headers and body; empty if the other side closed the connection."""
    read = b""
    while b"\r\n\r\n" not in read:
        chunk = connection.recv(65_536)
        if not chunk:
            return b""
        read += chunk
    head, _, body = read.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-len"))
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def _http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def says(body: Any, status: str = "200 OK", *headers: str) -> Script:
    """Answer with this body, JSON unless it is bytes."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda connection: connection.sendall(_http(status, sent, *headers))


def capture(payments: HttpPayments, timeout_s: float = 5) -> Captured:
    receipt = payments.capture(authorization_id="auth_1", amount=Money(400, "EUR"), key=KEY, timeout_s=timeout_s)
    assert isinstance(receipt, Captured)
    return receipt


def test_a_call_is_one_request_with_its_key_and_our_token(provider):
    """It has the idempotency key, the bearer token and JSON; the answer is read as a receipt with its time in UTC."""
    stub = provider(says(CAPTURED | {"at": "2026-03-01T14:00:00+02:00", "fee": "0.10"}))
    assert capture(stub.payments()) == Captured(
        capture_id="cap_1", amount=Money(400, "EUR"), at=datetime(2026, 3, 1, 12, tzinfo=UTC)
    )
    (request,) = stub.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /capture HTTP/1.1"
    assert {f"Idempotency-Key: {KEY}", f"Authorization: Bearer {SECRET}", "Content-Type: application/json"} < set(lines)
    assert json.loads(body) == {"authorization_id": "auth_1", "amount": {"amount": "4.00", "currency": "EUR"}}


def test_a_call_in_a_trace_carries_it_in_both_forms(provider):
    """W3C Trace Context and X-Ray's header. A repeated call is the same span; without a trace neither is sent."""
    stub = provider(says(CAPTURED))
    with tracing():
        follow("4bf92f3577b34da6a3ce929d0e0e4736")
        capture(stub.payments())
        capture(stub.payments())
    capture(stub.payments())
    once, again, untraced = (request.partition(b"\r\n\r\n")[0].decode().split("\r\n") for request in stub.requests)
    [traceparent] = [line for line in once if line.startswith("traceparent: ")]
    assert re.fullmatch("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01", traceparent)
    assert "X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736" in once
    assert traceparent in again
    assert not [line for line in untraced if "trace" in line.lower()]


def _silent(connection: socket.socket) -> None:
    connection.recv(1)  # until the caller leaves


def _killed(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST instead of FIN
    connection.close()


def _hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def _killed_halfway(connection: socket.socket) -> None:
    connection.sendall(_http("200 OK", json.dumps(CAPTURED).encode())[:-10])
    connection.shutdown(socket.SHUT_RDWR)


def _trickles(connection: socket.socket) -> None:
    """Send single bytes: each restarts a socket's timeout, but not the timeout of the call."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b" ")
            threading.Event().wait(0.02)


def _drips(head: bytes, again: bytes = b"x") -> Script:
    """Send ``head``, and then ``again`` without end."""

    def script(connection: socket.socket) -> None:
        connection.sendall(head)
        with suppress(OSError):
            while True:
                connection.sendall(again)
                threading.Event().wait(0.02)

    return script


_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "a status line": _drips(b"HTTP/1.1 200 O"),
    "a header": _drips(b"HTTP/1.1 200 OK\r\nX"),
    "headers": _drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "the size of a chunk": _drips(_CHUNKED + b"1;"),
    "chunks": _drips(_CHUNKED, b"1\r\nx\r\n"),
    "trailers": _drips(_CHUNKED + b"0\r\n", b"X: y\r\n"),
    "asking to continue": _drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": _trickles,
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_call_ends_in_time_however_slowly_a_provider_answers(case, provider):
    """The timeout is for the whole call, because the timeouts of machines and functions build on it."""
    began_s = time.monotonic()
    with pytest.raises(PaymentsUnavailable, match=r"no answer within 0\.3 s"):
        capture(provider(ENDLESS[case]).payments(), timeout_s=0.3)
    assert time.monotonic() - began_s < 2


EARLY = {
    "a hint": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "a protocol of its own": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "an error": _http("503 Busy", b"{}"),
    "no JSON": _http("200 OK", b"<html>"),
    "another amount": _http(
        "200 OK", json.dumps(CAPTURED | {"amount": {"amount": "5.00", "currency": "EUR"}}).encode()
    ),
}


@pytest.mark.parametrize("case", EARLY)
def test_a_late_receipt_is_not_used_for_the_next_call(case, provider):
    """After an invalid answer the connection is not used again, because later bytes belong to the earlier call."""
    stub = provider(lambda connection: connection.sendall(EARLY[case]))
    payments = stub.payments()
    for called in (1, 2):
        with pytest.raises(PaymentsUnavailable):
            capture(payments)
        assert (len(stub.requests), stub.connections) == (called, called)


def test_an_unrequested_answer_is_not_used_for_the_next_call(provider):
    """A connection on which bytes came without a request is closed."""
    go_on, sent = threading.Event(), threading.Event()

    def script(connection: socket.socket) -> None:
        says(CAPTURED)(connection)
        assert go_on.wait(10)
        says(CAPTURED | {"capture_id": "cap_2"})(connection)
        sent.set()

    stub = provider(script)
    payments = stub.payments()
    assert capture(payments).capture_id == "cap_1"
    go_on.set()
    assert sent.wait(10)
    assert capture(payments).capture_id == "cap_1"
    assert stub.connections == 2


_OK = b"HTTP/1.1 200 OK\r\n"
NO_HTTP = {
    "a length beyond all memory": _OK + b"Content-Length: 99999999999999\r\n\r\n{}",
    "a length beyond all bounds": _OK + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}",
    "a length below nothing": _OK + b"Content-Length: -5\r\n\r\n{}",
    "a chunk beyond all memory": _CHUNKED + b"fffffffffff\r\n{}",
    "a chunk beyond all bounds": _CHUNKED + b"f" * 30 + b"\r\n{}",
    "a chunk below nothing": _CHUNKED + b"-1\r\n" + b"x" * 200_000,
    "a chunk that is cut": _CHUNKED + b"9\r\n{}",
    "headers without end": _OK + b"X: y\r\n" * 200 + b"\r\n{}",
    "a header without end": _OK + b"X" * 200_000,
    "continuing without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000,
}


@pytest.mark.parametrize("case", NO_HTTP)
def test_an_announced_length_takes_no_more_memory_than_an_answer_needs(case, provider):
    """The call fails with the same error as any other invalid answer."""

    def script(connection: socket.socket) -> None:
        connection.sendall(NO_HTTP[case])
        connection.shutdown(socket.SHUT_WR)

    with pytest.raises(PaymentsUnavailable):
        capture(provider(script).payments())


@pytest.mark.parametrize(
    "body",
    [b'{"error":"e","detail":"gest\xf6rt"}', b'{"error":"e","detail":"d","x":' + b"[" * 30_000 + b"]" * 30_000 + b"}"],
)
def test_an_unreadable_error_is_an_error_of_the_provider(body, provider):
    """Machines and circuits know these error names only; any other exception would count as an internal error."""
    with pytest.raises(PaymentsUnavailable, match="HTTP 503, unknown"):
        capture(provider(says(body, "503 Down")).payments())
    with pytest.raises(CredentialRefused, match="HTTP 401"):
        capture(provider(says(body, "401 Who are you")).payments())


def test_control_characters_in_a_providers_texts_are_removed(provider):
    """In errors and refusals, so that a log line or a terminal cannot be forged; the refusal stays a refusal."""
    stub = provider(says({"error": "down\x07", "detail": "we\x1b[2J are\r\n"}, "500 Oh no"))
    with pytest.raises(PaymentsUnavailable, match=r"HTTP 500, down: we\[2J are; repeat"):
        capture(stub.payments())
    refused = {"outcome": "refused", "reason": "too\x1b late\n", "at": "2026-03-01T12:00:00Z"}
    receipt = (
        provider(says(refused))
        .payments()
        .capture(authorization_id="auth_1", amount=Money(400, "EUR"), key=KEY, timeout_s=5)
    )
    assert isinstance(receipt, Refused)
    assert receipt.reason == "too  late"


NO_ANSWER = {
    "no answer": (_silent, "no answer within 0.3 s"),
    "an answer without end": (_trickles, "no answer within 0.3 s"),
    "a connection that is reset": (_killed, "the connection broke"),
    "a connection that is closed": (_hangs_up, "the connection broke"),
    "a connection that ends in the answer": (_killed_halfway, "the connection broke"),
    "no HTTP": (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"), "the connection broke"),
    "an error of the provider": (says({"error": "down", "detail": "we are"}, "500 Oh no"), "HTTP 500, down: we are"),
    "an error of a proxy before it": (says(b"<html>", "502 Bad Gateway"), "HTTP 502"),
    "too many calls": (says({}, "429 Slow down"), "HTTP 429"),
    "an unknown path": (says({}, "404 Not Found"), "HTTP 404"),
    "a success that is not in the protocol": (says(CAPTURED, "202 Accepted"), "HTTP 202"),
    "a key in use": (says({"error": "key_in_use", "detail": "wait"}, "409 Conflict"), "key_in_use: wait"),
    "a conflict of another kind": (says({"status": "no"}, "409 Conflict"), "HTTP 409"),
}


@pytest.mark.parametrize("case", NO_ANSWER)
def test_a_call_without_a_valid_answer_is_unavailable_and_made_once(case, provider):
    """Its effect is unknown. Retries are made by the machine, not by the gateway."""
    script, words = NO_ANSWER[case]
    stub = provider(script)
    with pytest.raises(PaymentsUnavailable, match=words) as failure:
        capture(stub.payments(), timeout_s=0.3)
    assert not isinstance(failure.value, CredentialRefused)
    assert failure.value.key == KEY
    assert len(stub.requests) == 1
    assert " object at 0x" not in str(failure.value)


def test_a_refused_connection_is_unavailable():
    """No server listens at the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(PaymentsUnavailable, match=r"no connection: .*refused"):
        capture(HttpPayments(f"http://127.0.0.1:{port}", lambda: SECRET))


def _captured(**changed: Any) -> dict[str, Any]:
    return {name: value for name, value in (CAPTURED | changed).items() if value is not None}


GARBLED = {
    "no JSON": b"<html>OK</html>",
    "nothing": b"",
    "not UTF-8": b'{"outcome": "\xff"}',
    "half a character": json.dumps(_captured(capture_id="\ud800")).encode(),
    "a list": [CAPTURED],
    "no outcome": _captured(outcome=None),
    "an unknown outcome": _captured(outcome="pending"),
    "the outcome of another call": _captured(outcome="refunded", refund_id="ref_1"),
    "no id": _captured(capture_id=None),
    "an empty id": _captured(capture_id=""),
    "an id without end": _captured(capture_id="x" * 256),
    "an id that is a number": _captured(capture_id=7),
    "no amount": _captured(amount=None),
    "a float": _captured(amount={"amount": 4.0, "currency": "EUR"}),
    "a bare number": _captured(amount=400),
    "an exponent": _captured(amount={"amount": "4e0", "currency": "EUR"}),
    "digits of another script": _captured(amount={"amount": "\u0664.00", "currency": "EUR"}),
    "more digits than the currency has": _captured(amount={"amount": "4.000", "currency": "EUR"}),
    "more money than there is": _captured(amount={"amount": "9" * 40, "currency": "EUR"}),
    "no currency": _captured(amount={"amount": "4.00"}),
    "a currency in small letters": _captured(amount={"amount": "4.00", "currency": "eur"}),
    "another amount than asked": _captured(amount={"amount": "4.01", "currency": "EUR"}),
    "another currency than asked": _captured(amount={"amount": "4.00", "currency": "USD"}),
    "less than nothing": _captured(amount={"amount": "-4.00", "currency": "EUR"}),
    "no time": _captured(at=None),
    "a time without an offset": _captured(at="2026-03-01T12:00:00"),
    "a time in no year of UTC": _captured(at="0001-01-01T00:00:00+14:00"),
    "a time that is far ahead": _captured(at="9999-12-31T00:00:00Z"),
    "a time before there was anything": _captured(at="0001-01-01T00:00:00Z"),
    "two days ahead": _captured(at=(datetime.now(UTC) + timedelta(days=2)).isoformat()),
    "an id that moves the cursor": _captured(capture_id="cap\x1b[2J"),
    "an id of two lines": _captured(capture_id="cap_1\nordered"),
    "lists without end": b'{"outcome":"captured","x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "seconds": _captured(at=1772366400),
    "a refusal without a reason": {"outcome": "refused", "at": "2026-03-01T12:00:00Z"},
    "too much": b" " * ANSWER_BYTES_MAX + json.dumps(CAPTURED).encode(),
}


@pytest.mark.parametrize("case", GARBLED)
def test_an_answer_that_breaks_the_protocol_becomes_no_fact(case, provider):
    """Money is booked from answers, so an invalid one is retried."""
    with pytest.raises(PaymentsUnavailable, match="breaks the protocol"):
        capture(provider(says(GARBLED[case])).payments())


def test_a_compressed_answer_is_not_unpacked(provider):
    """None was requested, and a small compressed answer may unpack to a very large one."""
    import gzip

    packed = gzip.compress(json.dumps(CAPTURED).encode())
    with pytest.raises(PaymentsUnavailable, match="breaks the protocol"):
        capture(provider(says(packed, "200 OK", "Content-Encoding: gzip")).payments())


@pytest.mark.parametrize("answer", [b"", b"{}", b'{"outcome": "cancelled"}', b'{"outcome": "receive"}'])
def test_a_ticket_or_an_offer_exists_only_after_a_valid_answer(answer, provider):
    """An empty 200 may come from any server."""
    url = f"http://127.0.0.1:{provider(says(answer)).port}"
    with pytest.raises(KitchenUnavailable, match="breaks the protocol"):
        HttpKitchen(url, lambda: SECRET).send_ticket(
            reference=ORDER, restaurant=RestaurantId("r"), lines=[], key=KEY, timeout_s=5
        )
    with pytest.raises(CouriersUnavailable, match="breaks the protocol"):
        HttpCouriers(url, lambda: SECRET).offer(
            reference=ORDER, restaurant=RestaurantId("r"), attempt=1, key=KEY, timeout_s=5
        )


@pytest.mark.parametrize(("detail", "first"), [("void", "void"), ("void of auth_1 with pm_4242", "unknown")])
def test_a_misused_key_is_an_internal_error_that_names_both_operations(detail, first, provider):
    """The second call had no effect and is not retried. Other text of the provider is not quoted."""
    stub = provider(says({"error": "key_misused", "detail": detail}, "409 Conflict"))
    with pytest.raises(KeyMisused) as misused:
        capture(stub.payments())
    message = f"key {KEY} belongs to one call ({first}) and was used again for another (capture)"
    assert (misused.value.key, str(misused.value)) == (KEY, message)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_credential_has_a_name_of_its_own(status, provider):
    """No machine retries it, so the order is parked with it; the circuit counts it like any failure."""
    with pytest.raises(CredentialRefused, match="refused our credential") as refused:
        capture(provider(says({}, status)).payments())
    assert type(refused.value).__name__ == "CredentialRefused"


def test_no_machine_retries_a_refused_credential():
    """A retry does not help before an operator has replaced the credential."""
    machines = Path(__file__).parents[2] / "statemachines"
    assert all("CredentialRefused" not in path.read_text(encoding="utf-8") for path in machines.glob("*.yaml"))


@pytest.mark.parametrize("token", ["", "  ", "two words", "a\nb", "caf\u00e9", "a\x00b"])
def test_an_invalid_token_is_not_sent(token, provider):
    """The error does not quote it either, unlike the errors of HTTP libraries about invalid headers."""
    stub = provider(says(CAPTURED))
    with pytest.raises(CredentialRefused, match="empty or not a bearer token") as refused:
        capture(HttpPayments(f"http://127.0.0.1:{stub.port}", lambda: token))
    assert not token.strip() or token not in str(refused.value)
    assert stub.requests == []


def test_a_missing_credential_differs_from_one_that_cannot_be_read_now(provider):
    """The first needs an operator, the second is retryable; no request is sent in either case."""
    stub = provider(says(CAPTURED))

    def fails(error: Exception) -> Callable[[], str]:
        def credential() -> str:
            raise error

        return credential

    url = f"http://127.0.0.1:{stub.port}"
    with pytest.raises(CredentialRefused, match=r"no credential for the provider: .*no token for payments"):
        capture(HttpPayments(url, fails(LookupError("no token for payments"))))
    with pytest.raises(PaymentsUnavailable, match="our credential could not be read: TimeoutError too slow"):
        capture(HttpPayments(url, fails(TimeoutError("too slow"))))
    assert stub.requests == []


def test_a_redirect_is_not_followed(provider):
    """The credential is meant for one address only."""
    elsewhere = provider(says(CAPTURED))
    stub = provider(says({}, "307 Temporary Redirect", f"Location: http://127.0.0.1:{elsewhere.port}/capture"))
    with pytest.raises(PaymentsUnavailable, match="HTTP 307"):
        capture(stub.payments())
    assert elsewhere.requests == []


def test_the_credential_is_in_no_error_and_no_log_line(provider, caplog):
    """Not even if the provider returns it, on any level of any logger."""
    caplog.set_level(logging.DEBUG)
    echo = {"error": "bad_token", "detail": f"you sent Bearer {SECRET}"}
    escaped = b'{"error":"x","detail":"\\u0073' + SECRET[1:].encode() + b'"}'
    for script in (
        says(echo, "500 Oh no"),
        says(echo, "409 Conflict"),
        _killed,
        _silent,
        says(b"<html>" + SECRET.encode()),
        says(escaped, "500 Oh no"),
        says({"outcome": SECRET}),
        lambda connection: connection.sendall(b"Bearer " + SECRET.encode() + b"\r\n\r\n"),
        lambda connection: connection.sendall(b"HTTP/1.1 Bearer " + SECRET.encode() + b"\r\n\r\n"),
    ):
        with pytest.raises(PaymentsUnavailable) as failure:
            capture(provider(script).payments(), timeout_s=0.3)
        assert SECRET not in f"{failure.value!r} {failure.value} {failure.value.reason}"
        assert SECRET not in "".join(traceback.format_exception(failure.value))
    assert SECRET not in caplog.text


def test_a_rotated_credential_is_used_from_the_next_call_on(provider):
    """No restart is needed."""
    tokens = iter(["first", "second"])
    stub = provider(says(CAPTURED))
    payments = HttpPayments(f"http://127.0.0.1:{stub.port}/", lambda: next(tokens))
    capture(payments)
    capture(payments)
    assert [b"Bearer first" in stub.requests[0], b"Bearer second" in stub.requests[1]] == [True, True]


@pytest.mark.parametrize(("booked", "accepted"), [(timedelta(hours=1), True), (timedelta(days=2), False)])
def test_the_engine_checks_the_time_of_a_receipt_against_its_own_clock(provider, tmp_path, booked, accepted):
    """A wall clock that is set days back would make every true receipt impossible, and park the orders."""
    time_of_engine = datetime.now(UTC) + timedelta(days=30)
    stub = provider(says(CAPTURED | {"at": (time_of_engine + booked).isoformat()}))
    names = ("payments", "kitchen", "couriers")
    (tmp_path / CREDENTIALS).write_text(json.dumps(dict.fromkeys(names, SECRET)))
    gateways = http_gateways({f"{name.title()}Url": f"http://127.0.0.1:{stub.port}" for name in names})
    assert gateways is not None
    clock = SimpleNamespace(now=lambda: time_of_engine)
    with closing(Hub()) as hub, gateways(tmp_path, clock, hub) as opened:
        if accepted:
            assert capture(opened.payments).at == time_of_engine + booked
        else:
            with pytest.raises(PaymentsUnavailable, match="time is impossible"):
                capture(opened.payments)


def test_a_connection_is_used_again_while_it_is_fresh(provider):
    """A handshake for each call would be slow; a connection that was idle for long may be dead."""
    now_s = 1000.0
    stub = provider(says(CAPTURED))
    payments = stub.payments()
    payments._provider = Provider(f"http://127.0.0.1:{stub.port}", lambda: SECRET, PaymentsUnavailable, lambda: now_s)
    for _ in range(3):
        capture(payments)
        now_s += IDLE_MAX_S
    assert stub.connections == 1
    now_s += 1
    capture(payments)
    assert (len(stub.requests), stub.connections) == (4, 2)


def test_a_connection_the_provider_closed_meanwhile_is_not_used(provider):
    """Servers close idle connections; the next call opens a new one and succeeds."""

    closed = threading.Event()

    def once(connection: socket.socket) -> None:
        says(CAPTURED)(connection)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    stub = provider(once)
    payments = stub.payments()
    capture(payments)
    assert closed.wait(10)
    capture(payments)
    assert len(stub.requests) == 2


URLS = [
    ("payments.example.com", "is not an http or https URL of a provider"),
    ("ftp://payments.example.com", "is not an http or https URL of a provider"),
    ("https://", "is not an http or https URL of a provider"),
    ("https://[::1", "is not a URL"),
    ("https://payments.example.com:http", "is not a URL"),
    ("http://payments.example.com", "unencrypted to another machine"),
    ("http://127.0.0.1.example.com", "unencrypted to another machine"),
    ("https://user:pass@payments.example.com", "holds more than a host and a path"),
    ("https://payments.example.com?key=1", "holds more than a host and a path"),
    ("https://payments.example.com#x", "holds more than a host and a path"),
]


@pytest.mark.parametrize(("url", "words"), URLS)
def test_an_invalid_address_is_refused_before_a_request_is_sent(url, words):
    """When the function starts, with its name; a password in the address is not quoted."""
    with pytest.raises(ProviderUrlRefused, match=words) as refused:
        HttpPayments(url, lambda: SECRET)
    assert "pass@" not in str(refused.value)


def _certificate(folder: Path) -> Path:
    """Write a self-signed certificate of 127.0.0.1 and its key."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "provider.pem"
    file.write_bytes(
        builder.sign(key, hashes.SHA256()).public_bytes(pem)
        + key.private_bytes(pem, private, serialization.NoEncryption())
    )
    return file


def test_a_provider_without_a_trusted_certificate_gets_no_request(provider, tmp_path, monkeypatch):
    """TLS is verified before a request is sent. Once its certificate is trusted, calls succeed."""
    file = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    stub = provider(says(CAPTURED), lambda plain: context.wrap_socket(plain, server_side=True))
    url = f"https://127.0.0.1:{stub.port}"
    with pytest.raises(PaymentsUnavailable, match=r"no secure connection: .*self-signed certificate"):
        capture(HttpPayments(url, lambda: SECRET))
    assert stub.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert capture(HttpPayments(url, lambda: SECRET)).capture_id == "cap_1"


# --- a server of the sandbox -------------------------------------------------------------------------------------


def test_a_call_that_timed_out_may_have_had_its_effect(opened, served):
    """The same call again gets the receipt of the first."""
    came, go_on = threading.Event(), threading.Event()

    def wait(_seconds: float) -> None:
        if not came.is_set():
            came.set()
            assert go_on.wait(10)

    sandbox = opened(SandboxSettings(), wait=wait)
    payments = served(sandbox).payments()
    ask = {"reference": ORDER, "payment_method": "pm_ok", "amount": Money(400, "EUR"), "key": KEY}
    with pytest.raises(PaymentsUnavailable, match=r"no answer within 0\.2 s"):
        payments.authorize(**ask, timeout_s=0.2)
    with pytest.raises(PaymentsUnavailable, match="key_in_use: the first call under this key still runs"):
        payments.authorize(**ask, timeout_s=5)
    go_on.set()
    receipt = None
    while receipt is None:
        with suppress(PaymentsUnavailable):
            receipt = payments.authorize(**ask, timeout_s=5)
    (line,) = sandbox.payments.entries(ORDER)
    assert receipt.authorization_id == line.id


def test_a_call_that_the_sandbox_loses_is_unavailable_over_http_too(opened, served):
    """The sandbox's fault settings work for a deployed engine too."""
    lossy = NetworkSettings(lost_before_rate=1.0)
    sandbox = opened(SandboxSettings(payment=PaymentSettings(network=lossy), kitchen=KitchenSettings(network=lossy)))
    with pytest.raises(PaymentsUnavailable, match="HTTP 503, unavailable: the call was lost"):
        capture(served(sandbox).payments())
    with pytest.raises(KitchenUnavailable, match="the call was lost"):
        served(sandbox).kitchen().cancel_ticket(ticket_key=KEY, key=f"{KEY}1", timeout_s=5)


def test_a_call_with_a_wrong_token_has_no_effect(opened, served):
    """Neither with the token of another sandbox nor without one."""
    sandbox = opened()
    url = served(sandbox).url
    with pytest.raises(CredentialRefused):
        HttpPayments(f"{url}/payments", lambda: "another").authorize(
            reference=ORDER, payment_method="pm_ok", amount=Money(400, "EUR"), key=KEY, timeout_s=5
        )
    assert sandbox.payments.entries() == ()


VOID = {"authorization_id": "auth_1"}
MALFORMED = {
    "an unknown path": ("POST", "/payments/steal", VOID, {}, 404, "unknown_operation"),
    "another method": ("GET", "/payments/void", None, {}, 404, "unknown_operation"),
    "no key": ("POST", "/payments/void", VOID, {"Idempotency-Key": ""}, 400, "malformed"),
    "a key without end": ("POST", "/payments/void", VOID, {"Idempotency-Key": "k" * 256}, 400, "malformed"),
    "no JSON": ("POST", "/payments/void", b"{", {}, 400, "malformed"),
    "no UTF-8": ("POST", "/payments/void", b'{"authorization_id":"\xff"}', {}, 400, "malformed"),
    "lists without end": ("POST", "/payments/void", b"[" * 100_000, {}, 400, "malformed"),
    "an object too deep": (
        "POST", "/payments/void", b'{"authorization_id":' + b"[" * 100_000 + b"]" * 100_000, {}, 400, "malformed"),
    "a field too few": ("POST", "/payments/void", {}, {}, 400, "malformed"),
    "a field too many": ("POST", "/payments/void", VOID | {"force": True}, {}, 400, "malformed"),
    "too many digits": (
        "POST", "/payments/capture", VOID | {"amount": {"amount": "1.001", "currency": "EUR"}}, {}, 400, "malformed"),
    "a body without end": ("POST", "/kitchen/tickets", b" " * 300_000, {}, 413, "too_large"),
    "no token": ("POST", "/payments/void", VOID, {"Authorization": ""}, 401, "credential_refused"),
    "another scheme": ("POST", "/payments/void", VOID, {"Authorization": "Basic secret"}, 401, "credential_refused"),
}  # fmt: skip


@pytest.mark.parametrize("case", MALFORMED)
def test_the_sandbox_explains_an_invalid_call(case, opened, served):
    """A developer who implements the protocol for another provider can compare."""
    import urllib3

    method, path, body, headers, status, error = MALFORMED[case]
    server = served(opened())
    sent = {"Authorization": f"Bearer {server.token}", "Idempotency-Key": KEY, **headers}
    encoded = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    answer = urllib3.request(method, server.url + path, body=encoded, headers=sent, retries=False)
    assert (answer.status, answer.json()["error"]) == (status, error)
    assert answer.json()["detail"]
