"""One call to a provider over HTTP: what is sent, how long it may take, and what each answer means.

Nothing is repeated here: the state machines ask again, and the circuit breaker counts. So every call is one request,
and one of four things comes of it: a receipt, ``Unavailable``, ``CredentialRefused`` or ``KeyMisused``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar, cast
from urllib.parse import SplitResult

import msgspec

from workflows.bearer import ForAllToRead, NoAddress, address_for_token, is_token
from workflows.gateways.errors import CredentialRefused, KeyMisused, Unavailable
from workflows.gateways.http.exchange import AnswerTooLong, Exchanges, NoAnswer
from workflows.gateways.http.messages import Error, Receipt, Request

GARBLED = (msgspec.DecodeError, ValueError, OverflowError, RecursionError)
"""No JSON, not what the protocol says, an amount that the currency has not, a time that no calendar has."""

AHEAD_MAX = timedelta(days=1)
"""Clocks differ, and a provider may speak of its next booking day; more is no time at which something happened."""

SINCE = datetime(2000, 1, 1, tzinfo=UTC)
"""Nothing was ordered here before."""

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
        facts = message.facts()
        if not SINCE <= facts["at"] <= datetime.now(UTC) + AHEAD_MAX:
            raise ValueError("it says a time at which nothing can have happened")
        return self._receipts[type(message).__name__](**facts)


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
        self._exchanges = Exchanges(_checked(url), now_s)
        self._credential = credential
        self._unavailable = unavailable

    def ask(self, operation: Operation[Answer], request: Request, *, key: str, timeout_s: float) -> Answer:
        """One request under ``key``. Raises Unavailable, CredentialRefused, KeyMisused."""
        token = self._token(key)
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        try:
            with self._exchanges.post(operation.path, msgspec.json.encode(request), headers, timeout_s) as answer:
                if answer.status != 200:
                    raise self._refusal(answer.status, answer.body, key, _call(operation, request), token)
                return operation.read(answer.body)
        except NoAnswer as none:
            raise self._unavailable(key, str(none)) from none
        except AnswerTooLong as long:
            raise self.not_understood(key, str(long)) from None
        except GARBLED as garbled:
            raise self.not_understood(key, _unquoted(garbled)) from None  # it quotes what was read

    def not_understood(self, key: str, problem: str) -> Unavailable:
        """For an answer that is no fact: what happened is unknown, as if nobody had answered.

        It may be the answer to another call, so no connection is used again.
        """
        self._exchanges.close()
        return self._unavailable(key, f"the answer is not one of the protocol: {problem}")

    def _refusal(self, status: int, body: bytes, key: str, call: str, token: str) -> Exception:
        if status in {401, 403}:
            return CredentialRefused(key, f"the provider does not take our credential (HTTP {status})")
        try:
            told = msgspec.json.decode(body, type=Error)
        except GARBLED:
            told = Error(error="unknown", detail="it does not say why")
        error, detail = _sayable(told.error, token), _sayable(told.detail, token)
        if (status, told.error) == (409, "key_misused"):
            return KeyMisused(key, detail, call)
        return self._unavailable(key, f"the provider answered HTTP {status}, {error}: {detail}")

    def _token(self, key: str) -> str:
        """Nothing was sent yet. A token that cannot stand in a header would end up in the error that says so."""
        try:
            token = self._credential().strip()
        except LookupError as missing:
            raise CredentialRefused(key, f"we have no credential for the provider: {missing}") from missing
        except Exception as error:
            raise self._unavailable(key, f"no answer about our credential: {type(error).__name__} {error}") from error
        if not is_token(token):
            raise CredentialRefused(key, "our credential for the provider is empty or is no bearer token")
        return token


def _checked(url: str) -> SplitResult:
    try:
        parts = address_for_token(url)
    except NoAddress as none:
        raise ProviderUrlRefused(url, f"{none} of a provider") from None
    except ForAllToRead:
        raise ProviderUrlRefused(url, "would carry the credential for all to read") from None
    if parts.username or parts.password or parts.query or parts.fragment:
        named = parts._replace(netloc=parts.hostname or "", query="", fragment="").geturl()
        raise ProviderUrlRefused(named, "holds more than a path")
    return parts


def _call(operation: Operation[Answer], request: Request) -> str:
    return operation.name + msgspec.json.encode(request, order="deterministic").decode()


def _sayable(told: str, token: str) -> str:
    """A provider's words for our logs: without our token, were it said back to us, and without control characters."""
    return "".join(character for character in told if character.isprintable()).replace(token, "...")


def _unquoted(garbled: BaseException) -> str:
    """What is wrong and where, without the value that is."""
    return re.sub(r"'.*'", "...", str(garbled), flags=re.DOTALL)
