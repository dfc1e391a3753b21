"""Histories of orders for tests of the views, as a log returns them: every version of random plays, and one story."""

from __future__ import annotations

from domain.identifiers import SYSTEM
from tests.domain.order.stories import ORDER_ID
from tests.domain.order.world import World
from tests.recorded import HandClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.blind_index import KEY_BYTES, BlindIndex

BLIND_INDEX = BlindIndex(b"k" * KEY_BYTES)


class OneOrderLog:
    """A log in memory with one order, and its history after each commit."""

    def __init__(self, world: World) -> None:
        self.keyring = InMemoryKeyRing()
        self.clock = HandClock()
        self.log: EventLog = InMemoryEventLog(Codec(self.keyring, EVENT_TYPES), self.clock)
        self.histories = list(self._appended(world))

    @property
    def newest(self) -> History:
        return self.histories[-1]

    def _appended(self, world: World):
        history = self.log.load(order_stream(ORDER_ID))
        yield history
        for number, sent in enumerate(each for each in world.sent if each.events):
            self.clock.advance(minutes=1)
            new = NewCommit(
                key=f"key-{number}",
                events=sent.events,
                actor=SYSTEM,
                correlation="test",
                causation="test",
                body_hash=str(number),
                subject="customer",
            )
            history = self.log.append(history, new)
            yield history
