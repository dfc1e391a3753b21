"""Time travel: any past state, and what each event changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.identifiers import Actor, CustomerId, RestaurantId, Role, Sku, order_id_for
from domain.money import Money
from domain.order.commands import CancelOrder, PlaceOrder, RecordFact
from domain.order.events import ItemUnavailable, Line, PaymentAuthorized, PreparationAccepted
from domain.personal import Contact
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import PastHistory
from workflows.event_store.event_log import NoSuchVersion
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import Caller, handle, load
from workflows.orders.time_travel import Change, NotPlacedYet, changes, order_at, past, replay
from workflows.orders.views import order_view
from workflows.orders.visibility import Audience

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ADA = Actor(Role.CUSTOMER, "ada")
ORDER = order_id_for("ada", "key-1")
HUNDRED = Money(10_000, "EUR")


class Ticking:
    """A minute passes with every commit."""

    def __init__(self) -> None:
        self.time = NOON - timedelta(minutes=1)

    def now(self) -> datetime:
        self.time += timedelta(minutes=1)
        return self.time


@pytest.fixture
def log():
    """An order, its payment authorised, accepted, a line halved, cancelled: 12:00 to 12:04."""
    log = InMemoryEventLog(Codec(InMemoryKeyRing(), EVENT_TYPES), Ticking())
    commands = [
        _place_order(),
        RecordFact(fact=PaymentAuthorized(answers=2, authorization_id="auth", amount=HUNDRED, at=NOON)),
        RecordFact(fact=PreparationAccepted(answers=4, ready_at=NOON, at=NOON)),
        RecordFact(fact=ItemUnavailable(answers=4, line=1, available=1, at=NOON)),
        CancelOrder(by=ADA, reason="my own reason"),
    ]
    for number, command in enumerate(commands):
        handle(log, command, order_id=ORDER, key=f"{number}", caller=Caller(ADA, "correlation", "causation"))
    return log


def _place_order():
    zero = Money.zero("EUR")
    pizza = Line(sku=Sku("pizza"), name="Pizza", quantity=2, unit_price=Money(5_000, "EUR"))
    return PlaceOrder(
        order_id=ORDER,
        customer=CustomerId("ada"),
        restaurant=RestaurantId("rosa"),
        lines=(pizza,),
        delivery_fee=zero,
        service_fee=zero,
        tip=zero,
        payment_method="pm_ok",
        contact=Contact(name="Ada", phone="1", address="Lindenstrasse 9"),
        at=NOON,
    )


def test_every_version_can_be_visited_and_replaying_to_the_last_is_the_order(log):
    """Each version is a prefix of the history; the last one is the whole history."""
    history, order = load(log, ORDER)
    for version in range(1, history.version + 1):
        assert order_at(history, ORDER, version).version == version
    assert order_at(history, ORDER, history.version) == order


def test_a_past_history_cannot_be_appended_to(log):
    """It has a type of its own, so that no decision is made on a past state."""
    assert type(past(load(log, ORDER)[0], 3)) is PastHistory


def test_a_time_is_inclusive_and_of_any_zone(log):
    """Events recorded at that very moment belong to the state."""
    history, _ = load(log, ORDER)
    recorded = history.recorded[2].recorded_at
    assert order_at(history, ORDER, recorded).version == 4  # PaymentAuthorized and what followed from it
    assert order_at(history, ORDER, recorded - timedelta(microseconds=1)).version == 2


def test_a_version_out_of_range_is_refused_with_the_newest_version(log):
    """The message names the versions to choose from."""
    history, _ = load(log, ORDER)
    for version in (-1, history.version + 1):
        with pytest.raises(NoSuchVersion, match=f"it is at version {history.version}"):
            past(history, version)


def test_a_time_before_the_order_is_refused_with_the_time_it_was_placed(log):
    """There was no order to show."""
    history, _ = load(log, ORDER)
    with pytest.raises(NotPlacedYet, match="placed at 2026-05-04T12:0"):
        order_at(history, ORDER, NOON - timedelta(days=1))


def test_a_replay_shows_the_changes_of_each_event(log):
    """By path, with the value before and after."""
    history, _ = load(log, ORDER)
    steps = replay(history, ORDER, history.version, Audience.CUSTOMER).steps
    by_type = {type(step.recorded.event).__name__: step.changes for step in steps}
    assert Change("payment.authorization.state", "asked", "held") in by_type["PaymentAuthorized"]
    assert Change("lines[0].quantity", 2, 1) in by_type["ItemUnavailable"]
    assert Change("totals.total.amount", "100.00", "50.00") in by_type["ItemUnavailable"]
    assert Change("status", "preparing", "cancelling") in by_type["CancellationRequested"]


def test_the_changes_add_up_to_the_order(log):
    """Every difference between two versions is among the changes of the events between them."""
    history, order = load(log, ORDER)
    steps = replay(history, ORDER, history.version, Audience.CUSTOMER).steps
    changed = {change.path for step in steps for change in step.changes}
    for version in range(1, history.version):
        before = order_view(order_at(history, ORDER, version), Audience.CUSTOMER)
        after = order_view(order, Audience.CUSTOMER)
        assert all(_is_below(change.path, changed) for change in changes(before, after) if change.path != "version")


def _is_below(path, changed):
    """Whether the path is one of the changed ones, or inside of one."""
    return any(path == other or path.startswith((f"{other}.", f"{other}[")) for other in changed)


def test_a_replay_without_personal_data_shows_none(log):
    """The changes withhold it too."""
    history, _ = load(log, ORDER)
    shown = repr([step.changes for step in replay(history, ORDER, history.version, Audience.AUDITOR).steps])
    assert "(withheld)" in shown
    assert not any(text in shown for text in ("Lindenstrasse", "my own reason"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Change("a", 1, 2)]),
        ({}, {"a": 1}, [Change("a", None, 1)]),
        ({"a": 1}, {}, [Change("a", 1, None)]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [Change("a.b[1]", 2, 3)]),
        ({"a": [1]}, {"a": [1, {"b": 2}]}, [Change("a[1]", None, {"b": 2})]),
        ({"a": None}, {"a": {"b": 1}}, [Change("a", None, {"b": 1})]),
        ({"a": [1]}, {"a": {"b": 1}}, [Change("a", [1], {"b": 1})]),
    ],
)
def test_a_change_is_named_by_its_deepest_path(before, after, expected):
    """A long list does not hide the one value that changed in it."""
    assert list(changes(before, after)) == expected
