"""Erasing a customer destroys the key and records that in the log."""

from __future__ import annotations

import pytest

from domain.identifiers import Actor, Role
from domain.order.events import CancellationCause, CancellationRequested, Fault
from domain.personal import Erased
from workflows.audit.verify import verify
from workflows.event_store.commits import NewCommit
from workflows.event_store.erasure import ErasureRequested, KeyDestroyed, erase
from workflows.event_store.keyring import KeyRingUnavailable

ANNA = Actor(Role.SUPPORT, "anna")
ORDER, CUSTOMER = "order#1", "customer#ada"


@pytest.fixture
def key_id(log, keyring) -> str:
    """Record an event with a personal field for a customer. Returns the id of the customer's key."""
    event = CancellationRequested(cause=CancellationCause.ASKED, fault=Fault.CUSTOMER, by=ANNA, reason="my name is Ada")
    new = NewCommit(key="k", events=(event,), actor=ANNA, correlation="", causation="", body_hash="b", subject="ada")
    log.append(log.load(ORDER), new)
    return keyring.key_id_of("ada")


def erased(log, keyring, clock) -> bool:
    return erase(log, keyring, clock, "ada", actor=ANNA, reason="asked by letter")


def recorded(log) -> list[object]:
    return [each.event for each in log.load(CUSTOMER).recorded]


def test_an_erasure_destroys_the_key_and_records_requester_and_reason(log, keyring, clock, key_id):
    """The fields read as erased, the chain stays valid, and the audit finds nothing."""
    assert erased(log, keyring, clock)
    assert log.load(ORDER).events[0].reason == Erased()
    assert recorded(log) == [
        ErasureRequested(key_id=key_id, reason="asked by letter", requested_at=clock.now()),
        KeyDestroyed(key_id=key_id, destroyed_at=clock.now()),
    ]
    assert {each.actor for each in log.load(CUSTOMER).recorded} == {ANNA}
    assert verify(log, keys=keyring).intact


def test_an_erasure_is_recorded_once(log, keyring, clock, key_id):
    """A repeated erasure changes nothing."""
    assert erased(log, keyring, clock)
    clock.advance(minutes=1)
    assert not erased(log, keyring, clock)
    assert len(recorded(log)) == 2


def test_a_customer_without_a_key_leaves_no_stream(log, keyring, clock):
    """No key is created only to be destroyed."""
    assert not erased(log, keyring, clock)
    assert recorded(log) == []
    assert keyring.key_id_of("ada") is None


def test_a_customer_who_orders_again_can_be_erased_again(log, keyring, clock, key_id):
    """The new key has another id, and the stream holds both erasures."""
    assert erased(log, keyring, clock)
    second = keyring.current("ada").id
    assert erased(log, keyring, clock)
    assert [event.key_id for event in recorded(log)] == [key_id, key_id, second, second]


class Interrupted:
    """A key ring whose process ends while it destroys a key, just before or just after."""

    def __init__(self, keyring, *, destroys: bool) -> None:
        self._keyring = keyring
        self._destroys = destroys
        self.key_id_of = keyring.key_id_of

    def destroy(self, customer: str, key_id: str) -> bool:
        if self._destroys:
            self._keyring.destroy(customer, key_id)
        raise KeyRingUnavailable("no answer")


class Overtaken(Interrupted):
    """A key ring on which another erasure, and a new order of the customer, come first."""

    def destroy(self, customer: str, key_id: str) -> bool:
        self._keyring.destroy(customer, key_id)
        self.new_key = self._keyring.current(customer)
        return self._keyring.destroy(customer, key_id)


def test_of_two_erasures_at_once_none_destroys_the_key_of_a_new_order(log, keyring, clock, key_id):
    """Each destroys the key that it read and recorded, and no other."""
    overtaken = Overtaken(keyring, destroys=True)
    assert erased(log, overtaken, clock)
    assert [event.key_id for event in recorded(log)] == [key_id, key_id]
    assert keyring.find(overtaken.new_key.id) == overtaken.new_key
    assert verify(log, keys=keyring).intact


@pytest.mark.parametrize("destroys", [False, True])
def test_an_interrupted_erasure_is_completed_by_the_next_attempt(log, keyring, clock, key_id, destroys):
    """The process may end at any point between the recorded request and its confirmation."""
    with pytest.raises(KeyRingUnavailable):
        erased(log, Interrupted(keyring, destroys=destroys), clock)
    assert [type(event) for event in recorded(log)] == [ErasureRequested]
    assert verify(log, keys=keyring).intact
    assert erased(log, keyring, clock)
    assert [type(event) for event in recorded(log)] == [ErasureRequested, KeyDestroyed]
    assert keyring.find(key_id) is None


def test_a_key_that_was_destroyed_without_a_request_is_a_finding(log, keyring, clock, key_id):
    """The finding names the first event that the key was used for."""
    keyring.destroy("ada", key_id)
    (finding,) = verify(log, keys=keyring).findings
    assert (finding.stream, finding.version) == (ORDER, 1)
    assert finding.what == f"the key {key_id} of its personal fields is gone, and no erasure was recorded"
    assert verify(log).intact
