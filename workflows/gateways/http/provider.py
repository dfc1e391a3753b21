"""One call to a provider over HTTP: what is sent, how long it may take, and what each answer means.

Nothing is repeated here: the state machines ask again, and the circuit breaker counts. So every call is one request,
and one of four things comes of it: a receipt, ``Unavailable``, ``CredentialRefused`` or ``KeyMisused``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError, SSLError

from workflows.gateways.errors import CredentialRefused, KeyMisused, Unavailable
from workflows.gateways.http.messages import Error, Receipt, Request

ANSWER_BYTES_MAX = 65_536
"""A receipt has a few hundred."""

IDLE_MAX_S = 60.0
"""A connection that nobody used for longer is not used again. A function's process sleeps between calls, and a NAT
gateway forgets a silent connection after 350 s, load balancers after 60: the first call after that would be lost."""

CONNECTIONS_MAX = 16
"""Kept open for the next call; a function makes one at a time, the embedded engine as many as it has workers."""

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1", "host.docker.internal"}

GARBLED = (msgspec.DecodeError, ValueError, OverflowError)
"""No JSON, not what the protocol says, an amount that the currency has not, a time that no calendar has."""

Answer = TypeVar("Answer")


class ProviderUrlRefused(ValueError):
    """Not where a provider can be: the credential goes there, so it is https, unless it is on this machine."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url!r} {problem}; give e.g. https://payments.example.com/v1")


class Operation(Generic[Answer]):
    """A call of the protocol, named like the gateway's method: what is asked, what may be answered."""

    def __init__(self, name: str, path: str, asks: type[Request], answers: Any, *receipts: type[Answer]) -> None:
        """``answers`` is a message or a union of some, ``receipts`` what the gateway says for them, of the same names.

        Without ``receipts`` the answer is only that it was done: None.
        """
        self.name = name
        self.path = path
        self.asks = asks
        self.answers = answers
        self._decoder = msgspec.json.Decoder(answers)
        self._receipts = {kind.__name__: kind for kind in receipts}

    def read(self, body: bytes) -> Answer:
        """Raises one of ``GARBLED``."""
        message = self._decoder.decode(body)
        if not isinstance(message, Receipt):
            return cast("Answer", None)
        return self._receipts[type(message).__name__](**message.facts())


class Provider:
    """Where a provider is, and how one is let in. Threads may share it; connections are made on first use.

    ``credential()`` gives the bearer token of each call, so that a rotated one is used without a restart. It raises
    LookupError where there is none, which a person has to see to, and anything else where it could not find out.
    """

    def __init__(
        self,
        url: str,
        credential: Callable[[], str],
        unavailable: type[Unavailable],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ProviderUrlRefused."""
        self._url = _checked(url)
        self._credential = credential
        self._unavailable = unavailable
        self._now_s = now_s
        self._guard = threading.Lock()
        self._connections: urllib3.PoolManager | None = None
        self._used_at_s = 0.0

    def ask(self, operation: Operation[Answer], request: Request, *, key: str, timeout_s: float) -> Answer:
        """One request under ``key``. Raises Unavailable, CredentialRefused, KeyMisused."""
        status, body = self._sent(operation.path, request, key, timeout_s)
        if status != 200:
            raise self._refusal(status, body, key, _call(operation, request))
        try:
            return operation.read(body)
        except GARBLED as garbled:
            raise self.not_understood(key, str(garbled)) from garbled

    def not_understood(self, key: str, problem: str) -> Unavailable:
        """For an answer that is no fact: what happened is unknown, as if nobody had answered."""
        return self._unavailable(key, f"the answer is not one of the protocol: {problem}")

    def _sent(self, path: str, request: Request, key: str, timeout_s: float) -> tuple[int, bytes]:
        token = self._token(key)
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        body = msgspec.json.encode(request)
        deadline_s = self._now_s() + timeout_s
        try:
            answer = self._pool().request(
                "POST",
                self._url + path,
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(total=timeout_s),
                retries=False,
                redirect=False,  # the credential is for this address alone
                preload_content=False,
                decode_content=False,
            )
            try:
                told = self._read(answer, key, deadline_s)
                return answer.status, told.replace(token.encode(), b"...")  # were it said back to us, we would log it
            finally:
                answer.close()  # what was not read to its end is not used again; what was, is back in the pool
        except HTTPError as error:
            raise self._unavailable(key, _why(error, timeout_s)) from error

    def _read(self, answer: urllib3.BaseHTTPResponse, key: str, deadline_s: float) -> bytes:
        """The body. The timeout of a socket begins anew with each byte, so the time is looked at here."""
        body = bytearray()
        while chunk := answer.read1(ANSWER_BYTES_MAX):
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise self.not_understood(key, f"it has more than {ANSWER_BYTES_MAX} bytes")
            if self._now_s() > deadline_s:
                raise self._unavailable(key, "the answer did not end in time")
        return bytes(body)

    def _refusal(self, status: int, body: bytes, key: str, call: str) -> Exception:
        try:
            told = msgspec.json.decode(body, type=Error)
        except msgspec.DecodeError:
            told = Error(error="unknown", detail="it does not say why")
        if status in {401, 403}:
            return CredentialRefused(key, f"the provider does not take our credential (HTTP {status})")
        if (status, told.error) == (409, "key_misused"):
            return KeyMisused(key, told.detail, call)
        return self._unavailable(key, f"the provider answered HTTP {status}, {told.error}: {told.detail}")

    def _token(self, key: str) -> str:
        """Nothing was sent yet. A token that cannot stand in a header would end up in the error that says so."""
        try:
            token = self._credential().strip()
        except LookupError as missing:
            raise CredentialRefused(key, f"we have no credential for the provider: {missing}") from missing
        except Exception as error:
            raise self._unavailable(key, f"no answer about our credential: {type(error).__name__} {error}") from error
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise CredentialRefused(key, "our credential for the provider is empty or is no bearer token")
        return token

    def _pool(self) -> urllib3.PoolManager:
        with self._guard:
            idle_s = self._now_s() - self._used_at_s
            if self._connections is None or idle_s > IDLE_MAX_S:
                self._connections = urllib3.PoolManager(maxsize=CONNECTIONS_MAX, cert_reqs="CERT_REQUIRED")
            self._used_at_s = self._now_s()
            return self._connections


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ProviderUrlRefused(url, "is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ProviderUrlRefused(url, "is not the URL of a provider")
    if parts.scheme == "http" and host not in _THIS_MACHINE:
        raise ProviderUrlRefused(url, "would carry the credential for all to read")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ProviderUrlRefused(parts._replace(netloc=host, query="", fragment="").geturl(), "holds more than a path")
    return url.rstrip("/")


def _call(operation: Operation[Answer], request: Request) -> str:
    return operation.name + msgspec.json.encode(request, order="deterministic").decode()


def _why(error: HTTPError, timeout_s: float) -> str:
    """In words, without addresses of objects."""
    match error:
        case ReadTimeoutError():
            return f"no answer within {timeout_s:g} s"
        case NewConnectionError():
            return f"no connection: {error.__cause__ or error.__context__}"
        case ConnectTimeoutError():
            return f"no connection within {timeout_s:g} s"
        case SSLError():
            return f"no secure connection: {error}"
        case _:
            return f"the connection broke: {error}"
