"""Runs functions in this process: stands for AWS Lambda.

The functions of this application reach the outside through ports alone, so each call is a task of the hub. Another
function may block its thread, so it runs on one of a bounded pool of threads.

As on Lambda, event and result are JSON and nothing else is shared, an exception becomes an error object, and a function
has its own environment and time limit. Lambda kills a function that is out of time. A thread cannot be killed: its
caller gets ``Sandbox.Timedout``, the thread runs to its end, and its result is dropped.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

from domain.picklable import Picklable
from workflows.asl import answers
from workflows.asl.json_text import from_text, to_text, to_text_strictly
from workflows.asl.reading.integrations import function_name
from workflows.asl.signals import JSON
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.template import Function
from workflows.engine import Engine, serving
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub

log = logging.getLogger(__name__)

TASKS_MAX = 256
"""Calls of hub functions at once; more wait. Each holds a stack of some 20 KB."""

WORKERS = 32
"""Threads that run functions. They mostly wait for a commit or a provider: 16 to 64 measure alike."""

RESULT_BYTES_MAX = 6_291_556
"""The largest response of a synchronous invocation, as Lambda counts it."""


class FunctionUnknown(LookupError):
    """No function has this name: a definition or the template is wrong."""


class FunctionFailed(Picklable, Exception):
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
    log_group_name: str = ""
    log_stream_name: str = ""
    identity: None = None
    client_context: None = None
    _request_id: str = ""

    @property
    def aws_request_id(self) -> str:
        """The id of this call, made when it is first read: most calls end without."""
        if not self._request_id:
            self._request_id = str(uuid4())
        return self._request_id

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - self.clock.now()).total_seconds() * 1000))


@dataclass(slots=True)
class _Invocation:
    """A call under way. The function and its deadline compete for ``answered``; the first resolves the future."""

    function: Function
    event: str
    future: Deferred[JSON]
    answered: threading.Lock = field(default_factory=threading.Lock)
    thread_replaced: bool = False


class Functions:
    """Calls functions by logical id or ARN. Threads may share it."""

    def __init__(
        self,
        functions: Mapping[str, Function],
        *,
        clock: Clock,
        hub: Hub,
        alarms: Alarms,
        on_hub: Callable[[Function], bool] = lambda function: function.handler.startswith("handlers."),
        workers: int = WORKERS,
    ) -> None:
        """Args:

        on_hub: Whether a function never blocks its thread, so that it runs as a task of the hub.
        workers: Threads for the other functions, started if there are any.
        """
        self._functions = functions
        self._clock = clock
        self._alarms = alarms
        self._hub = hub
        self._on_hub = on_hub
        self._workers = workers
        self._tasks = 0
        self._tasks_waiting: deque[_Invocation] = deque()
        self._calls: SimpleQueue[_Invocation | None] = SimpleQueue()
        self._threads = 0
        self._threads_changed = threading.Condition()
        self._engine: Engine | None = None
        self._all_done: Deferred[None] | None = None
        self._closed = False
        self._handlers: dict[str, Callable[[Any, Context], Any]] = {}

    def start(self, engine: Engine) -> None:
        """Start. Calls use the ports of ``engine``; those that were queued before run now."""
        self._engine = engine
        if not all(map(self._on_hub, self._functions.values())):
            for _ in range(self._workers):
                self._add_thread()
        self._hub.soon(self._begin_tasks)

    @property
    def waiting(self) -> int:
        """Calls that have not begun."""
        return self._calls.qsize() + len(self._tasks_waiting)

    def invoke(self, function: str, payload: JSON) -> Deferred[JSON]:
        """Queue a call.

        Returns:
            A future with the result, or FunctionFailed.

        Raises:
            FunctionUnknown: No function has this name.
        """
        called = self._functions.get(function_name(function))
        if called is None:
            known = ", ".join(self._functions) or "none"
            raise FunctionUnknown(f"there is no function {function}; the functions are: {known}")
        call = _Invocation(called, to_text(payload), Deferred())
        if self._on_hub(called):
            self._hub.call(lambda: self._begin_task(call))
        else:
            self._calls.put(call)
        return call.future

    def close(self, timeout_s: float) -> bool:
        """Drop the calls that wait, and wait for those under way. Idempotent once all have ended.

        Returns False if some still run after ``timeout_s``.
        """
        if self._closed:
            return True  # the hub may be closed by now
        tasks_ended: Deferred[None] = Deferred()
        self._hub.soon(lambda: self._drop_tasks(tasks_ended))
        until = time.monotonic() + timeout_s
        with suppress(TimeoutError):
            tasks_ended.result(timeout_s)
        while not self._calls.empty():
            call = self._calls.get()
            if call is not None:
                call.future.cancel()
        with self._threads_changed:
            for _ in range(self._threads):
                self._calls.put(None)
            threads_ended = self._threads_changed.wait_for(lambda: self._threads == 0, until - time.monotonic())
        self._closed = threads_ended and tasks_ended.done()
        return self._closed

    # --- tasks of the hub ----------------------------------------------------------------------------------------

    def _begin_task(self, call: _Invocation) -> None:
        self._tasks_waiting.append(call)
        self._begin_tasks()

    def _begin_tasks(self) -> None:
        while self._tasks_waiting and self._tasks < TASKS_MAX and self._engine is not None:
            call = self._tasks_waiting.popleft()
            self._tasks += 1
            self._hub.spawn(lambda call=call: self._run_as_task(call))  # type: ignore[misc]  # bound now

    def _run_as_task(self, call: _Invocation) -> None:
        try:
            self._run(call)
        finally:
            self._tasks -= 1
            self._begin_tasks()
            if not self._tasks and self._all_done is not None:
                self._all_done.set_result(None)

    def _drop_tasks(self, done: Deferred[None]) -> None:
        """Cancel the calls that wait, and resolve ``done`` once none is under way."""
        dropped, self._tasks_waiting = self._tasks_waiting, deque()
        for call in dropped:
            call.future.cancel()
        if self._tasks:
            self._all_done = done
        else:
            done.set_result(None)

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
            handler = self._imported(call.function.handler, context)
            with serving(self._engine, call.function.environment):
                returned = handler(from_text(call.event), context)
        except FunctionFailed:
            raise
        except SystemExit as error:
            raise FunctionFailed(*answers.function_exited(error.code, context.aws_request_id)) from error
        except BaseException as error:
            of_handler = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            raise FunctionFailed(*answers.function_failed(of_handler, context.aws_request_id)) from error
        return _as_json(returned, context)

    def _imported(self, name: str, context: Context) -> Callable[[Any, Context], Any]:
        """Import a handler. The first import takes tenths of a second, so it does not run on the hub."""
        known = self._handlers.get(name)
        if known is None:
            if self._hub.is_here and name.rpartition(".")[0] not in sys.modules:
                known = self._hub.elsewhere(lambda: _handler(name, context))
            else:
                known = _handler(name, context)
            self._handlers[name] = known
        return known

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
        text = to_text_strictly(returned)
        size = len(text.encode())  # a lone surrogate cannot be sent
    except (TypeError, ValueError) as error:
        raise _failed("Runtime.MarshalError", f"Unable to marshal response: {error}", context) from error
    if size > RESULT_BYTES_MAX:
        message = f"Response payload size exceeded maximum allowed payload size ({RESULT_BYTES_MAX} bytes)."
        raise _failed("Function.ResponseSizeTooLarge", message, context)
    return from_text(text)


def _failed(error: str, message: str, context: Context) -> FunctionFailed:
    """Return an error of the runtime itself, which has no stack trace."""
    cause = {"errorMessage": message, "errorType": error, "requestId": context.aws_request_id, "stackTrace": []}
    return FunctionFailed(error, json.dumps(cause))
