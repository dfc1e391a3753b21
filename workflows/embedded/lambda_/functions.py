"""Runs functions in this process, in a bounded pool of threads: stands for AWS Lambda.

As on Lambda, event and result are JSON and nothing else is shared, an exception becomes an error object, and a function
has its own environment and time limit. Lambda kills a function that is out of time. A thread cannot be killed: its
caller gets ``Sandbox.Timedout``, the thread runs to its end, and its result is dropped.
"""

from __future__ import annotations

import importlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

from workflows.asl import answers
from workflows.asl.reading.integrations import function_name
from workflows.asl.signals import JSON
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.template import Function
from workflows.engine import Engine, serving

log = logging.getLogger(__name__)

WORKERS = 32
"""Threads that run functions. They mostly wait for a commit or a provider: 16 to 64 measure alike."""

RESULT_BYTES_MAX = 6_291_556
"""The largest response of a synchronous invocation, as Lambda counts it."""


class FunctionUnknown(LookupError):
    """No function has this name: a definition or the template is wrong."""


class FunctionFailed(Exception):
    """A call failed.

    ``error`` is the name that state machines match on, ``cause`` Lambda's error object as JSON text.
    """

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error)
        self.error = error
        self.cause = cause

    @property
    def trace(self) -> list[str]:
        """Where it failed, for the log: lines of code. Unlike the message, they hold no personal data."""
        trace = json.loads(self.cause).get("stackTrace", [])
        return [str(line) for line in trace]


@dataclass(slots=True, kw_only=True)
class Context:
    """Lambda's context object, with the attributes that Python code reads."""

    function_name: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    clock: Clock
    deadline: datetime
    function_version: str = "$LATEST"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    log_group_name: str = ""
    log_stream_name: str = ""
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.clock.now()).total_seconds() * 1000))


@dataclass(slots=True)
class _Invocation:
    """A call under way. The function and its deadline compete for ``answered``; the first resolves the future."""

    function: Function
    event: str
    future: Future[JSON]
    answered: threading.Lock = field(default_factory=threading.Lock)
    thread_replaced: bool = False


class Functions:
    """Calls functions by logical id or ARN. Threads may share it."""

    def __init__(self, functions: Mapping[str, Function], *, clock: Clock, alarms: Alarms, workers: int = WORKERS):
        self._functions = functions
        self._clock = clock
        self._alarms = alarms
        self._workers = workers
        self._calls: SimpleQueue[_Invocation | None] = SimpleQueue()
        self._threads = 0
        self._threads_changed = threading.Condition()
        self._engine: Engine | None = None

    def start(self, engine: Engine) -> None:
        """Start the threads. Calls use the ports of ``engine``; those that were queued before run now."""
        self._engine = engine
        for _ in range(self._workers):
            self._add_thread()

    @property
    def waiting(self) -> int:
        """Calls that no thread has taken yet."""
        return self._calls.qsize()

    def invoke(self, function: str, payload: JSON) -> Future[JSON]:
        """Queue a call.

        Returns:
            A future with the result, or FunctionFailed.

        Raises:
            FunctionUnknown: No function has this name.
            TypeError, ValueError: The payload is not JSON.
        """
        called = self._functions.get(function_name(function))
        if called is None:
            known = ", ".join(self._functions) or "none"
            raise FunctionUnknown(f"there is no function {function}; the functions are: {known}")
        call = _Invocation(called, json.dumps(payload, allow_nan=False), Future())
        self._calls.put(call)
        return call.future

    def close(self, timeout_s: float) -> bool:
        """Drop the calls that wait, and wait for those under way.

        Returns False if some still run after ``timeout_s``.
        """
        while not self._calls.empty():
            call = self._calls.get()
            if call is not None:
                call.future.cancel()
        with self._threads_changed:
            for _ in range(self._threads):
                self._calls.put(None)
            return self._threads_changed.wait_for(lambda: self._threads == 0, timeout_s)

    # --- threads ---------------------------------------------------------------------------------------------

    def _add_thread(self) -> None:
        with self._threads_changed:
            self._threads += 1
            name = f"function {self._threads}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        try:
            while (call := self._calls.get()) is not None:
                self._run(call)
                if call.thread_replaced:
                    return
        finally:
            with self._threads_changed:
                self._threads -= 1
                self._threads_changed.notify_all()

    # --- one call --------------------------------------------------------------------------------------------

    def _run(self, call: _Invocation) -> None:
        if not call.future.set_running_or_notify_cancel():
            return  # the caller cancelled the call while it waited
        context = self._context(call.function)
        alarm = self._alarms.set(context.deadline, lambda: self._give_up(call, context))
        try:
            result = self._result(call, context)
            self._answer(call, lambda: call.future.set_result(result))
        except FunctionFailed as error:
            failure = error
            _log_failure(call, failure, context)
            self._answer(call, lambda: call.future.set_exception(failure))
        finally:
            self._alarms.cancel(alarm)

    def _context(self, function: Function) -> Context:
        return Context(
            function_name=function.logical_id,
            invoked_function_arn=arns.function_arn(function.logical_id),
            memory_limit_in_mb=str(function.memory_mb),
            clock=self._clock,
            deadline=self._clock.now() + timedelta(seconds=function.timeout_s),
        )

    def _result(self, call: _Invocation, context: Context) -> JSON:
        assert self._engine is not None, "start() gives the engine before a thread runs"
        try:
            handler = _handler(call.function.handler, context)
            with serving(self._engine, call.function.environment):
                returned = handler(json.loads(call.event), context)
        except FunctionFailed:
            raise
        except SystemExit as error:
            raise FunctionFailed(*answers.function_exited(error.code, context.aws_request_id)) from error
        except BaseException as error:
            of_handler = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            raise FunctionFailed(*answers.function_failed(of_handler, context.aws_request_id)) from error
        return _as_json(returned, context)

    def _give_up(self, call: _Invocation, context: Context) -> None:
        def give_up() -> None:
            call.thread_replaced = self._threads < 2 * self._workers  # bounds the threads that hang
            if call.thread_replaced:
                self._add_thread()
            failure = FunctionFailed(*answers.function_timed_out(call.function.timeout_s, context.aws_request_id))
            _log_failure(call, failure, context)
            call.future.set_exception(failure)

        self._answer(call, give_up)

    def _answer(self, call: _Invocation, answer: Callable[[], None]) -> None:
        if call.answered.acquire(blocking=False):  # never released: one answer a call
            answer()


def _log_failure(call: _Invocation, failure: FunctionFailed, context: Context) -> None:
    """Log a failure at level INFO, because many are expected: the caller decides what a failure means."""
    extra = {"function": call.function.logical_id, "request_id": context.aws_request_id, "trace": failure.trace}
    log.info("a function failed: %s", failure.error, extra=extra)


def _handler(name: str, context: Context) -> Callable[[Any, Context], Any]:
    module_name, _, attribute = name.rpartition(".")
    try:
        module = importlib.import_module(module_name)  # imported once; other threads wait for it
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise _failed("Runtime.ImportModuleError", message, context) from error
    handler = getattr(module, attribute, None)
    if not callable(handler):
        message = f"Handler '{attribute}' missing on module '{module_name}'"
        raise _failed("Runtime.HandlerNotFound", message, context)
    return handler  # type: ignore[no-any-return]  # getattr cannot know


def _as_json(returned: object, context: Context) -> JSON:
    try:
        text = json.dumps(returned, ensure_ascii=False, allow_nan=False)
        size = len(text.encode())  # a lone surrogate cannot be sent
    except (TypeError, ValueError) as error:
        raise _failed("Runtime.MarshalError", f"Unable to marshal response: {error}", context) from error
    if size > RESULT_BYTES_MAX:
        message = f"Response payload size exceeded maximum allowed payload size ({RESULT_BYTES_MAX} bytes)."
        raise _failed("Function.ResponseSizeTooLarge", message, context)
    result: JSON = json.loads(text)
    return result


def _failed(error: str, message: str, context: Context) -> FunctionFailed:
    """Return an error of the runtime itself, which has no stack trace."""
    cause = {"errorMessage": message, "errorType": error, "requestId": context.aws_request_id, "stackTrace": []}
    return FunctionFailed(error, json.dumps(cause))
