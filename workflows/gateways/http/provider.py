"""Call a provider over HTTP: build the request, and turn the answer into a receipt or an error.

Nothing is repeated here: the state machines retry, and the circuit breaker counts. So every call is one request, with
one of four results: a receipt, ``Unavailable``, ``CredentialRefused`` or ``KeyMisused``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, cast
from urllib.parse import SplitResult

import msgspec

from domain.picklable import Picklable
from workflows.bearer import PlainHttpRefused, UrlInvalid, address_for_token, is_token
from workflows.clock import Clock, SystemClock
from workflows.gateways.errors import CredentialRefused, KeyMisused, Unavailable
from workflows.gateways.http.exchange import AnswerTooLong, Exchanges, NoAnswer
from workflows.gateways.http.messages import ErrorMessage, Receipt, RequestMessage
from workflows.tracing import provider_headers

UNREADABLE = (msgspec.DecodeError, ValueError, OverflowError, RecursionError)
"""Raised for a body that is not JSON, breaks the protocol, or holds an impossible amount or time."""

AHEAD_MAX = timedelta(days=1)
"""How far in the future a receipt's time may be: clocks differ, and a provider may give its next booking day."""

SINCE = datetime(2000, 1, 1, tzinfo=UTC)
"""The earliest time that a receipt may have."""

Answer = TypeVar("Answer")


class ProviderUrlRefused(Picklable, ValueError):
    """The URL cannot be a provider's. The credential is sent there, so it must be https except on this machine."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url!r}, which {problem}; give e.g. https://payments.example.com/v1")


class Operation(Generic[Answer]):
    """A call of the protocol. Its name is that of the gateway's method."""

    def __init__(
        self, name: str, path: str, request: type[RequestMessage], answers: Any, *receipts: type[Answer]
    ) -> None:
        """Describe a call.

        Args:
            answers: A message, or a union of messages.
            receipts: The gateway's receipts for these messages. None for a call that only succeeds: it returns None.
        """
        self.name = name
        self.path = path
        self.request = request
        self.answers = answers
        self._decoder = msgspec.json.Decoder(answers)
        self._receipts = {kind.__name__: kind for kind in receipts}

    def read(self, body: bytes, now: datetime) -> Answer:
        """Return the receipt, whose time is checked against ``now``. Raises one of ``UNREADABLE``."""
        message = self._decoder.decode(body)
        if not isinstance(message, Receipt):
            return cast("Answer", None)
        facts = message.facts()
        if not SINCE <= facts["at"] <= now + AHEAD_MAX:
            raise ValueError("its time is impossible")
        return self._receipts[message.receipt_name()](**facts)


class Provider:
    """A provider's address and our credential. Safe to use from several threads; it connects on first use.

    ``credential()`` returns the bearer token for each call, so that a rotated token is used without a restart. It
    raises LookupError if there is none, which a person has to mend, and any other exception if it could not read it.
    """

    def __init__(
        self,
        url: str,
        credential: Callable[[], str],
        unavailable: type[Unavailable],
        now_s: Callable[[], float] = time.monotonic,
        *,
        clock: Clock | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            now_s: Seconds by which idle connections age.
            clock: What the times of receipts are checked against; the machine's clock by default.

        Raises:
            ProviderUrlRefused: The URL cannot be a provider's.
        """
        self._exchanges = Exchanges(provider_address(url), now_s)
        self._credential = credential
        self._unavailable = unavailable
        self._clock = clock or SystemClock()

    def ask(self, operation: Operation[Answer], request: RequestMessage, *, key: str, timeout_s: float) -> Answer:
        """Send one request under ``key``. Raises Unavailable, CredentialRefused, KeyMisused."""
        token = self._token(key)
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
            "Accept": "application/json",
            **provider_headers(key),
        }
        try:
            with self._exchanges.post(operation.path, msgspec.json.encode(request), headers, timeout_s) as answer:
                if answer.status != 200:
                    raise self._refusal(answer.status, answer.body, key, _call(operation, request), token)
                return operation.read(answer.body, self._clock.now())
        except NoAnswer as error:
            raise self._unavailable(key, str(error)) from error
        except AnswerTooLong as error:
            raise self.unusable_answer(key, str(error)) from None
        except UNREADABLE as error:
            raise self.unusable_answer(key, _unquoted(error)) from None  # the error may quote personal data

    def unusable_answer(self, key: str, problem: str) -> Unavailable:
        """Return the error for an answer that breaks the protocol: whether the call had its effect is unknown.

        The answer may belong to another call, so all connections are closed.
        """
        self._exchanges.close()
        return self._unavailable(key, f"the answer breaks the protocol: {problem}")

    def _refusal(self, status: int, body: bytes, key: str, call: str, token: str) -> Exception:
        if status in {401, 403}:
            return CredentialRefused(key, f"the provider refused our credential (HTTP {status})")
        try:
            answer = msgspec.json.decode(body, type=ErrorMessage)
        except UNREADABLE:
            answer = ErrorMessage(error="unknown", detail="no reason given")
        error, detail = _loggable(answer.error, token), _loggable(answer.detail, token)
        if (status, answer.error) == (409, "key_misused"):
            return KeyMisused(key, detail, call)
        return self._unavailable(key, f"the provider answered HTTP {status}, {error}: {detail}")

    def _token(self, key: str) -> str:
        """Return the token. It is checked here, because http.client's error about a malformed header would quote it."""
        try:
            token = self._credential().strip()
        except LookupError as missing:
            raise CredentialRefused(key, f"we have no credential for the provider: {missing}") from missing
        except Exception as error:
            raise self._unavailable(key, f"our credential could not be read: {type(error).__name__} {error}") from error
        if not is_token(token):
            raise CredentialRefused(key, "our credential for the provider is empty or not a bearer token")
        return token


def provider_address(url: str) -> SplitResult:
    """Return the parts of a provider's URL. Raises ProviderUrlRefused."""
    try:
        parts = address_for_token(url)
    except UrlInvalid as invalid:
        raise ProviderUrlRefused(url, f"{invalid} of a provider") from None
    except PlainHttpRefused:
        raise ProviderUrlRefused(url, "would send our credential unencrypted to another machine") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        redacted = parts._replace(netloc=parts.hostname or "", query="", fragment="").geturl()
        raise ProviderUrlRefused(redacted, "holds more than a host and a path")
    return parts


def _call(operation: Operation[Answer], request: RequestMessage) -> str:
    return operation.name + msgspec.json.encode(request, order="deterministic").decode()


def _loggable(text: str, token: str) -> str:
    """Return a provider's text without control characters, and without our token if the provider repeats it."""
    return "".join(character for character in text if character.isprintable()).replace(token, "...")


def _unquoted(error: BaseException) -> str:
    """Return the problem and its place, without the value."""
    return re.sub(r"'.*'", "...", str(error), flags=re.DOTALL)
