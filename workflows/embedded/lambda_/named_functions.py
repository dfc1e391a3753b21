"""Functions by name for machines of others: Python callables, and functions behind an HTTP address.

A callable takes the event, and Lambda's context if it has a second parameter. Calls run on daemon threads, so that a
function may block and does not hold up the end of the process. It should be safe to repeat, because a call without an
outcome is made again by the next process.
"""

from __future__ import annotations

import inspect
import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue
from typing import Any, Final
from urllib.parse import quote

import httpx

from workflows.asl import answers
from workflows.asl.json_text import from_text, to_text
from workflows.asl.signals import JSON
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.lambda_.functions import Context, FunctionFailed, FunctionUnknown
from workflows.hub.deferred import Deferred

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 900.0
"""The longest run of a function on Lambda."""

THREADS_MAX: Final = 64
"""Calls at once; more wait."""

FindFunction = Callable[[str], Callable[..., Any] | None]
"""Finds a callable by the name, ARN or Resource that a definition has; None if there is none."""


class NamedFunctions:
    """Implements ``Callees``."""

    def __init__(self, find: FindFunction, *, clock: Clock) -> None:
        self._find = find
        self._clock = clock
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads = 0
        self._idle = 0
        self._gate = threading.Lock()

    def invoke(self, function: str, payload: JSON) -> Deferred[JSON]:
        """Queue a call of a function.

        Returns:
            A future with the result, or FunctionFailed.

        Raises:
            FunctionUnknown: There is no such function.
        """
        called = self._found(function)
        event, answer = to_text(payload), Deferred[JSON]()
        self._calls.put(lambda: self._run(called, function, event, answer))
        self._add_thread_if_needed()
        return answer

    def call(self, function: str, payload: JSON) -> JSON:
        """Call a function on this thread. Raises FunctionFailed or FunctionUnknown."""
        return self._result(self._found(function), function, to_text(payload))

    def _found(self, function: str) -> Callable[..., Any]:
        try:
            called = self._find(function)
        except Exception as error:  # e.g. of a module's own __getattr__; an unknown function fails its task alone
            log.warning("a function cannot be looked up", exc_info=error, extra={"function": function})
            called = None
        if called is None:
            raise FunctionUnknown(f"there is no function {function}")
        return called

    def _run(self, called: Callable[..., Any], name: str, event: str, answer: Deferred[JSON]) -> None:
        try:
            answer.set_result(self._result(called, name, event))
        except FunctionFailed as failure:
            log.info("a function failed: %s", failure.error, extra={"function": name})
            answer.set_exception(failure)

    def _add_thread_if_needed(self) -> None:
        with self._gate:
            if self._threads < THREADS_MAX and self._calls.qsize() > self._idle:
                self._threads += 1
                threading.Thread(target=self._work, name=f"function {self._threads}", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._gate:
                self._idle += 1
            call = self._calls.get()
            with self._gate:
                self._idle -= 1
            call()

    def _result(self, called: Callable[..., Any], name: str, event: str) -> JSON:
        try:
            given = (from_text(event), self._context(name)) if _takes_context(called) else (from_text(event),)
            return answers.function_result(called(*given))
        except FunctionFailed:
            raise
        except SystemExit as error:
            raise FunctionFailed(*answers.function_exited(error.code)) from error
        except BaseException as error:
            raise _failed(error) from error

    def _context(self, name: str) -> Context:
        return Context(
            function_name=name,
            invoked_function_arn=arns.function_arn(name),
            memory_limit_in_mb="128",
            clock=self._clock,
            deadline=self._clock.now() + timedelta(seconds=TIMEOUT_S),
        )


def _failed(error: BaseException) -> FunctionFailed:
    try:
        return FunctionFailed(*answers.function_failed(answers.without_own_frames(error)))
    except Exception:  # the exception's own __str__ failed
        return FunctionFailed(type(error).__name__, "")


class HttpFunction:
    """A function behind an address that speaks Lambda's Invoke protocol, e.g. ``sam local start-lambda``."""

    def __init__(self, url: str, name: str, qualifier: str = "") -> None:
        """``url`` is the address of the service, without the path of the protocol.

        ``qualifier`` is a version or an alias. The version $LATEST is not sent: it is what a name alone stands for, and
        not every service takes qualifiers.
        """
        path = f"/2015-03-31/functions/{_quoted(name)}/invocations"
        self._url = (
            url.rstrip("/") + path + (f"?Qualifier={_quoted(qualifier)}" if qualifier not in ("", "$LATEST") else "")
        )
        self._name = name

    def __call__(self, event: JSON) -> JSON:
        """Invoke it. Raises FunctionFailed."""
        try:
            body = to_text(event).encode(errors="backslashreplace")  # half of a surrogate pair, as JSON escapes it
            response = httpx.post(self._url, content=body, timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            raise FunctionFailed("Lambda.SdkClientException", f"{self._url}: {error}") from error
        if response.status_code >= httpx.codes.BAD_REQUEST:
            raise FunctionFailed(*_refused(response, self._name))
        if "x-amz-function-error" in response.headers:
            raise FunctionFailed(_error_type(response.text), response.text)
        return answers.function_result(response.content or b"null")


def _quoted(name: str) -> str:
    return quote(name, safe="", errors="replace")


def _refused(response: httpx.Response, name: str) -> answers.TaskError:
    if response.status_code == httpx.codes.NOT_FOUND:
        return answers.function_missing(name)
    error = response.headers.get("x-amzn-errortype", "ServiceException").split(":")[0]
    return answers.TaskError(
        f"Lambda.{error}", f"{response.text} (Service: Lambda, Status Code: {response.status_code})"
    )


def _error_type(text: str) -> str:
    """Return the error that a machine matches on: ``errorType`` of the function's error object."""
    try:
        details = json.loads(text)
    except ValueError:
        details = None
    error = details.get("errorType") if isinstance(details, dict) else None
    return error if isinstance(error, str) and error else "Lambda.Unknown"


def _takes_context(called: Callable[..., Any]) -> bool:
    try:
        inspect.signature(called).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True
