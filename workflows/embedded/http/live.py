"""Live updates over WebSockets and long polls: stands for a WebSocket API of Amazon API Gateway.

Sockets live on the event loop of the server's thread, subscriptions on the hub's thread. The hub queues messages for a
socket and wakes the loop once for all of them; nothing waits for a client there. A client that does not read is closed
with a reason, and goes on from the version that it has.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from domain.identifiers import Actor, OrderId
from domain.order.refusals import Rejected
from workflows.clock import Clock
from workflows.embedded.http.limits import LiveLimits
from workflows.embedded.http.problems import problem
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import NOT_AS_WRITTEN, ChainBroken
from workflows.event_store.documents import Documents
from workflows.event_store.event_log import NoSuchVersion
from workflows.event_store.streams import order_stream
from workflows.hub.hub import Hub, sleep
from workflows.live import messages
from workflows.live.requests import Ping, Subscribe, Unsubscribe, read_request
from workflows.live.subscriptions import LiveLog, Subscriptions
from workflows.live.tickets import LiveTicket, TicketRefused, redeem
from workflows.time_budgets import Budgets

if TYPE_CHECKING:
    from prometheus_client.core import Metric

log = logging.getLogger(__name__)

T = TypeVar("T")

PATH = "/live"

BAD_MESSAGES_MAX = 10
"""Messages that could not be served, after which a socket is closed: its client does not learn."""

SESSION_ENDED, SLOW_READER, BAD_MESSAGES = 4001, 4008, 4000
"""Codes that a socket is closed with, beside those of RFC 6455: 1012 while the engine restarts."""


class LiveFront:
    """The sockets and long polls of one engine."""

    def __init__(
        self, log: LiveLog, documents: Documents, *, clock: Clock, hub: Hub, budgets: Budgets, limits: LiveLimits
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._hub = hub
        self._limits = limits
        self._subscriptions = Subscriptions(log, documents, clock=clock, budgets=budgets, spawn=hub.spawn, pause=sleep)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sockets: Counter[str] = Counter()  # by caller
        self._polls: Counter[str] = Counter()  # by caller
        self._polled: defaultdict[str, set[asyncio.Event]] = defaultdict(set)  # by stream
        self._queued: deque[tuple[_Socket, str]] = deque()
        self._waking = False
        self._closed = False
        self._closings: Counter[str] = Counter()  # by reason
        log.on_commit(self._on_commit)

    @property
    def is_closed(self) -> bool:
        return self._closed

    @property
    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute(PATH, self._serve)]

    def courier_moved(self, order_id: OrderId) -> None:
        """Send the stored position of an order's courier. From any thread."""
        self._hub.spawn(lambda: self._subscriptions.courier_moved(order_id))

    def close(self) -> None:
        """Answer the long polls, so that the server can stop. The server closes the sockets."""
        self._closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._answer_polls)

    def _on_commit(self, entry: FeedEntry) -> None:
        self._subscriptions.on_commit(entry)
        if self._loop is not None and entry.commit.pk in self._polled:
            self._loop.call_soon_threadsafe(self._wake_polls, entry.commit.pk)

    def collect(self) -> Iterator[Metric]:
        """Yield what is connected and what was closed: this object is a ``MetricSource``."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        yield GaugeMetricFamily("expediter_live_sockets", "Sockets of live updates.", self._sockets.total())
        yield GaugeMetricFamily("expediter_live_polls", "Reads that wait for a change.", self._polls.total())
        words = "Sockets that the engine closed, by reason."
        closed = CounterMetricFamily("expediter_live_sockets_closed", words, labels=["reason"])
        for reason in ("slow_reader", "session_ended", "bad_messages"):
            closed.add_metric([reason], self._closings[reason])
        yield closed

    # --- long polls ----------------------------------------------------------------------------------------------

    @contextmanager
    def changes_of(self, order_id: str, caller: str) -> Iterator[asyncio.Event | None]:
        """Set an event at the order's next commit.

        Returns:
            None if the caller, or all callers together, wait already for as many orders as they may.
        """
        self._loop = asyncio.get_running_loop()
        limits = self._limits
        if self._closed or self._polls.total() >= limits.polls_max or self._polls[caller] >= limits.polls_per_caller:
            yield None
            return
        changed, stream = asyncio.Event(), order_stream(order_id)
        self._polls[caller] += 1
        self._polled[stream].add(changed)
        try:
            yield changed
        finally:
            _less(self._polls, caller)
            self._polled[stream].discard(changed)
            if not self._polled[stream]:
                del self._polled[stream]

    def _wake_polls(self, stream: str) -> None:
        for changed in self._polled.get(stream, ()):
            changed.set()

    def _answer_polls(self) -> None:
        for stream in list(self._polled):
            self._wake_polls(stream)

    # --- sockets -------------------------------------------------------------------------------------------------

    async def _serve(self, websocket: WebSocket) -> None:
        self._loop = asyncio.get_running_loop()
        if self._sockets.total() >= self._limits.sockets_max:
            await _refuse(websocket, HTTPStatus.SERVICE_UNAVAILABLE, "All sockets are taken.")
            return
        try:
            ticket = await self._on_hub(lambda: self._redeem(websocket.query_params.get("ticket", "")))
        except TicketRefused as refused:
            await _refuse(websocket, HTTPStatus.UNAUTHORIZED, str(refused))
            return
        caller = str(ticket.actor)
        if self._sockets[caller] >= self._limits.sockets_per_caller:
            detail = f"A caller may have {self._limits.sockets_per_caller} sockets; close one."
            await _refuse(websocket, HTTPStatus.TOO_MANY_REQUESTS, detail)
            return
        self._sockets[caller] += 1
        socket = _Socket(websocket, ticket.actor, self._queue, self._limits.queued_bytes_max)
        try:
            await websocket.accept()
            await self._follow(socket, ticket)
        finally:
            _less(self._sockets, caller)
            self._hub.spawn(lambda: self._subscriptions.leave(socket))

    def _redeem(self, name: str) -> LiveTicket:
        return redeem(self._documents, name, now=self._clock.now())

    async def _follow(self, socket: _Socket, ticket: LiveTicket) -> None:
        """Read and write until one of both ends."""
        rest_s = (ticket.ends_at - self._clock.now()).total_seconds()
        reading = asyncio.create_task(self._read(socket))
        writing = asyncio.create_task(socket.write())
        done, pending = await asyncio.wait({reading, writing}, timeout=rest_s, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        if not done:
            self._closings["session_ended"] += 1
            await socket.close(SESSION_ENDED, "the access token has expired; get another ticket")
        for task in done:
            if isinstance(error := task.exception(), Exception) and not isinstance(error, WebSocketDisconnect):
                raise error

    async def _read(self, socket: _Socket) -> None:
        bad = 0
        while bad < BAD_MESSAGES_MAX:
            text = await socket.read()
            bad += not await self._on_hub(lambda text=text: self._perform(socket, text))  # type: ignore[misc]  # called now
        self._closings["bad_messages"] += 1
        await socket.close(BAD_MESSAGES, f"{BAD_MESSAGES_MAX} messages could not be served")

    def _perform(self, socket: _Socket, text: str) -> bool:
        """Serve one message of a client. Returns False if it was refused."""
        topic = None
        try:
            request = read_request(text)
            topic = None if isinstance(request, Ping) else str(request.topic)
            match request:
                case Subscribe():
                    self._subscriptions.subscribe(socket, request.topic, request.since)
                case Unsubscribe():
                    self._subscriptions.unsubscribe(socket, request.topic)
                case Ping():
                    socket.send(messages.pong(request.value))
        except (Rejected, NoSuchVersion) as refused:
            socket.send(messages.refused(refused, topic))
            return False
        except (ChainBroken, Undecodable) as broken:
            log.error("a live request failed, because the order is not what was written: %s", broken)
            socket.send(messages.refused(broken, topic, NOT_AS_WRITTEN))
        except Exception as error:
            log.error("a live request failed: %s", error, exc_info=error)
            socket.send(messages.unavailable(topic))
        return True

    def _queue(self, socket: _Socket, message: str) -> None:
        """Queue a message on the hub. The loop is woken for all of them together, once the sending task pauses."""
        self._queued.append((socket, message))
        if not self._waking:
            self._waking = True
            self._hub.soon(self._wake_loop)

    def _wake_loop(self) -> None:
        self._waking = False
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        while self._queued:
            socket, message = self._queued.popleft()
            if socket.drops(message):
                self._closings["slow_reader"] += 1
                self._hub.spawn(lambda socket=socket: self._subscriptions.leave(socket))  # type: ignore[misc]  # bound now

    async def _on_hub(self, code: Callable[[], T]) -> T:
        """Run code as a task of the hub. Raises what it raises."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(code())
            except BaseException as error:
                future.set_exception(error)

        self._hub.spawn(run)
        return await asyncio.shield(asyncio.wrap_future(future))


class _Socket:
    """One socket: a ``Subscriber`` on the hub's thread, and what it has to write on the loop's."""

    def __init__(
        self, websocket: WebSocket, actor: Actor, queue: Callable[[_Socket, str], None], queued_bytes_max: int
    ) -> None:
        self.actor = actor
        self._websocket = websocket
        self._queue = queue
        self._queued_bytes_max = queued_bytes_max
        self._sent_bytes = 0  # counted on the hub's thread
        self._written_bytes = 0  # counted on the loop's
        self._messages: deque[str] = deque()
        self._wake = asyncio.Event()
        self._slow = False

    # --- on the hub's thread ---

    @property
    def has_room(self) -> bool:
        return self._slow or self._waiting_bytes < self._queued_bytes_max // 2

    def send(self, message: str) -> None:
        self._sent_bytes += len(message)
        self._queue(self, message)

    @property
    def _waiting_bytes(self) -> int:
        return self._sent_bytes - self._written_bytes

    # --- on the loop ---

    def drops(self, message: str) -> bool:
        """Take a message to write.

        Returns:
            True with the one message after which too much is waiting. The client does not keep up: the socket takes no
            more and ends once its client reads again; the server's ``reading_s`` ends one whose client does not.
        """
        if self._slow:
            return False
        self._messages.append(message)
        self._slow = self._waiting_bytes > self._queued_bytes_max
        self._wake.set()
        return self._slow

    async def write(self) -> None:
        """Write messages as they come; end if the client does not keep up."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._messages and not self._slow:
                message = self._messages.popleft()
                await self._websocket.send_text(message)
                self._written_bytes += len(message)
            if self._slow:
                self._messages.clear()
                await self.close(SLOW_READER, "too slow: messages were waiting; subscribe again with since")
                return

    async def read(self) -> str:
        """Return the next message. Raises WebSocketDisconnect."""
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1006))
        return str(received.get("text") or "")

    async def close(self, code: int, reason: str) -> None:
        """Close, unless the client has."""
        if self._websocket.application_state is WebSocketState.CONNECTED:
            await self._websocket.close(code, reason)


async def _refuse(websocket: WebSocket, status: HTTPStatus, detail: str) -> None:
    await websocket.send_denial_response(problem(status, detail, retry_after="1"))


def _less(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if not counts[name]:
        del counts[name]
