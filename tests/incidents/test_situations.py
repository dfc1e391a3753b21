"""Situations of support: each reaches its right end with the tool alone, in three previewed actions at most.

``docs/situations.md`` has a row for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import OrderId
from tests.simulated_engine import SimulatedEngine
from workflows.books.reconciliation import Period, StatementDifference, reconcile
from workflows.books.recorded import payments_in
from workflows.client import ApiProblem, ExpediterClient
from workflows.sandbox.statement import statement_lines
from workflows.simulation.baskets import eur

PAGE = Path(__file__).parents[2] / "docs" / "situations.md"
PHONE = ("by phone", "the device is broken")
STOLEN = {"party_reason": "the meal was stolen", "fault": "courier"}


@dataclass
class Desk:
    """Support at work on one order. It counts its actions, and previews each."""

    engine: SimulatedEngine
    order_id: str
    actions: int = 0
    refused: list[str] = field(default_factory=list)
    sue: ExpediterClient = field(init=False)
    sam: ExpediterClient = field(init=False)

    def __post_init__(self) -> None:
        self.sue, self.sam = self.engine.client("support", "sue"), self.engine.client("support", "sam")

    def act(self, action: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        """Preview an action, check that the preview recorded nothing, and carry it out."""
        before = self.engine.order(self.order_id).version
        plan = action(self.order_id, *arguments, **more, dry_run=True)["plan"]
        assert self.engine.order(self.order_id).version == before
        if plan["refused"]:
            self.refused.append(plan["refused"]["rule"])
            return None
        self.actions += 1
        done = action(self.order_id, *arguments, **more)
        kinds = self.engine.kinds(self.order_id)[before:]
        assert kinds[: len(plan["events"])] == plan["events"], "the preview was another"
        return done

    def pass_on(self, fact: str, **more: Any) -> Any:
        return self.act(self.sue.pass_on, fact, *PHONE, **more)

    def approve(self) -> None:
        """Let a colleague agree to the newest request."""
        self.act(self.sam.approve, max(self.engine.order(self.order_id).approvals), "I agree")

    def write_off(self) -> Any:
        [item] = [item for item in self.sue.why(self.order_id)["owed"] if item["refused"]]
        return self.act(self.sue.resolve, "write_off", "the account is closed", intent=item["intent"])

    def cancel(self) -> None:
        self.act(self.sue.cancel, "the customer called")

    def ends(self, status: str, *, refunded: str = "0.00", captured: str = "28.00") -> None:
        """Check that the order ends so, and that provider and log agree on its money."""
        self.engine.until(self.order_id, lambda order: order.status.value == status)
        position = self.engine.world.sandbox.payments.position(self.order_id)
        assert position is not None
        assert (str(position.captured), str(position.refunded)) == (f"{captured} EUR", f"{refunded} EUR")
        assert not self.sue.why(self.order_id)["owed"]
        assert self.engine.differences == []


def parked(engine: SimulatedEngine, order_id: str) -> str:
    engine.until(order_id, lambda order: order.run_state.value == "parked")
    return order_id


def deliver(engine: SimulatedEngine, order_id: str) -> None:
    engine.client("courier", "cou_1").deliver(order_id)


def unexplained(engine: SimulatedEngine, order_id: str) -> list[StatementDifference]:
    """Compare the provider's statement with the log, as ``expediter books reconcile`` does."""
    lines = list(statement_lines(engine.world.sandbox.payments.entries(order_id)))
    recorded = payments_in(OrderId(order_id), engine.world.log.load(f"order#{order_id}").events)
    days = [line.at.date() for line in lines]
    return reconcile(lines, recorded, Period(min(days), max(days))).differences


# --- the situations ---------------------------------------------------------------------------------------------------

Situation = Callable[[SimulatedEngine], Desk]


def delivered_and_not_reported(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.picked_up())
    desk.pass_on("delivered")
    desk.ends("completed")
    return desk


def delivery_overdue(engine: SimulatedEngine) -> Desk:
    engine = SimulatedEngine(CourierDeliverySeconds="60", SecondPersonAbove="20.00 EUR")
    desk = Desk(engine, parked(engine, engine.picked_up()))
    desk.pass_on("delivered")
    desk.ends("completed")
    return desk


def never_delivered(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.completed())
    desk.pass_on("failed", details=STOLEN)
    desk.act(desk.sue.resolve, "confirm_report", "the courier admits it")
    desk.approve()
    desk.ends("cancelled", refunded="28.00")
    return desk


def item_missing_after_delivery(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.completed())
    desk.act(desk.sue.credit, eur("3.00"), "restaurant", "the water was missing", key="credit")
    desk.ends("completed", refunded="3.00")
    return desk


def cold_meal(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.picked_up())
    desk.act(desk.sue.credit, eur("10.00"), "courier", "an hour late and cold", key="credit")
    deliver(engine, desk.order_id)
    desk.ends("completed", captured="18.00")
    return desk


def large_compensation(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.completed())
    desk.act(desk.sue.credit, eur("28.00"), "platform", "the meal was somebody else's", key="credit")
    desk.approve()
    desk.ends("completed", refunded="28.00")
    return desk


def accepted_by_phone(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.ticketed())
    desk.pass_on("accepted", ready_at=engine.world.scheduler.now() + timedelta(minutes=20))
    engine.until(desk.order_id, lambda order: order.delivery.offers)
    return desk


def answered_after_the_timeout(engine: SimulatedEngine) -> Desk:
    engine = SimulatedEngine(KitchenAnswerSeconds="60")
    desk = Desk(engine, engine.ticketed())
    engine.until(desk.order_id, lambda order: order.status.value == "cancelled")
    desk.pass_on("accepted", ready_at=engine.world.scheduler.now() + timedelta(minutes=20))
    engine.sleep(600)
    desk.ends("cancelled", captured="0.00")
    return desk


def restaurant_closed(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.ticketed())
    desk.pass_on("rejected", details={"party_reason": "the oven is broken"})
    desk.ends("cancelled", captured="0.00")
    return desk


def ready_and_not_reported(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.accepted())
    engine.client("courier", "cou_1").assign(desk.order_id)
    desk.pass_on("ready")
    engine.client("courier", "cou_1").pick_up(desk.order_id)
    deliver(engine, desk.order_id)
    desk.ends("completed")
    return desk


def sold_out_while_cooking(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.ready())
    desk.pass_on("item_unavailable", details={"line": 2, "available": 0})
    engine.client("courier", "cou_1").pick_up(desk.order_id)
    deliver(engine, desk.order_id)
    desk.ends("completed", captured="25.00")
    return desk


def courier_gone(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.ready())
    desk.pass_on("declined", details={"party_reason": "an accident", "courier_id": "cou_1"})
    engine.until(desk.order_id, lambda order: len(order.delivery.offers) == 2)
    return desk


def wrong_address_before_the_pickup(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.accepted())
    desk.cancel()
    desk.ends("cancelled", captured="0.00")
    return desk


def wrong_address_on_the_way(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.picked_up())
    desk.pass_on("failed", details={"party_reason": "no such house", "fault": "customer"})
    desk.approve()
    desk.ends("cancelled", captured="0.00")
    return desk


def cancellation_wanted_after_the_pickup(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.picked_up())
    desk.cancel()
    assert desk.refused == ["OrderAlreadyPickedUp"]
    desk.act(desk.sue.credit, eur("20.00"), "platform", "the customer could not be reached", key="credit")
    deliver(engine, desk.order_id)
    desk.ends("completed", captured="8.00")
    return desk


def refund_refused(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.completed("pm_refund_refused"))
    desk.act(desk.sue.credit, eur("5.00"), "restaurant", "cold", key="credit")
    parked(engine, desk.order_id)
    desk.write_off()
    desk.ends("completed")
    return desk


def capture_refused(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.picked_up("pm_capture_refused"))
    deliver(engine, desk.order_id)
    parked(engine, desk.order_id)
    plans = desk.sue.why(desk.order_id)["plans"]
    [capture] = [int(name.split()[1]) for name, plan in plans.items() if "write_off" in name and not plan["refused"]]
    desk.act(desk.sue.resolve, "write_off", "the bank declines for good", intent=capture)
    desk.approve()
    desk.ends("completed", captured="0.00")
    return desk


def parked_by_an_outage(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.completed())
    engine.fail_provider("payments", 8 * 3600)  # it is parked after three new runs, or after six hours at the circuit
    desk.act(desk.sue.credit, eur("5.00"), "restaurant", "cold", key="credit")
    parked(engine, desk.order_id)
    engine.fail_provider("payments", 0)
    desk.act(desk.sue.retry, "payments are back")
    desk.ends("completed", refunded="5.00")
    return desk


def circuit_held_open(engine: SimulatedEngine) -> Desk:
    engine.client("support", "sue").circuit("payments", "open", "maintenance")
    desk = Desk(engine, engine.placed())
    engine.sleep(60)
    explained = desk.sue.why(desk.order_id)
    assert "calls to payments to start again" in explained["sentence"]
    desk.actions += 1
    desk.sue.circuit("payments", "close", "maintenance is over")
    engine.until(desk.order_id, lambda order: order.ticket is not None)
    return desk


def delivered_without_a_pickup(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.ready())
    deliver(engine, desk.order_id)
    parked(engine, desk.order_id)
    desk.pass_on("picked_up")
    desk.ends("completed")
    return desk


def taken_twice(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.completed("pm_taken_twice"))
    [extra] = unexplained(engine, desk.order_id)
    assert (extra.kind, str(extra.stated)) == ("captured_twice", "28.00 EUR")
    desk.act(desk.sue.refund_extra, extra.id, eur("28.00"), "the bank shows two payments")
    desk.approve()
    desk.ends("completed", captured="56.00", refunded="28.00")
    assert unexplained(engine, desk.order_id) == []
    return desk


def request_by_mistake(engine: SimulatedEngine) -> Desk:
    desk = Desk(engine, engine.completed())
    done = desk.act(desk.sue.credit, eur("28.00"), "platform", "wrong order", key="credit")
    desk.act(desk.sue.reject_request, done["approvals"][0]["approval"], "it was another order")
    desk.ends("completed")
    return desk


SITUATIONS: dict[str, Situation] = {
    "the courier delivered and did not report it": delivered_and_not_reported,
    "the delivery is overdue and the order parked; the customer has the meal": delivery_overdue,
    "the customer says that a completed order never came, and the courier admits it": never_delivered,
    "an item is missing after the delivery": item_missing_after_delivery,
    "the meal comes an hour late": cold_meal,
    "the customer is to get more back than one person may decide": large_compensation,
    "the restaurant accepts by phone": accepted_by_phone,
    "the restaurant answers after the timeout": answered_after_the_timeout,
    "the restaurant cannot cook": restaurant_closed,
    "the meal is ready and not reported": ready_and_not_reported,
    "an item is sold out while the rest cooks": sold_out_while_cooking,
    "the courier who took the offer cannot come": courier_gone,
    "the address is wrong, before the pickup": wrong_address_before_the_pickup,
    "the address is wrong, after the pickup": wrong_address_on_the_way,
    "the customer wants to cancel after the pickup": cancellation_wanted_after_the_pickup,
    "the provider refuses a refund": refund_refused,
    "the provider refuses the capture of a delivered meal": capture_refused,
    "the order was parked while a provider was down": parked_by_an_outage,
    "a circuit is held open and orders wait": circuit_held_open,
    "the delivery was reported without the pickup": delivered_without_a_pickup,
    "the provider took the money twice": taken_twice,
    "a request for a second person was a mistake": request_by_mistake,
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_support_reaches_the_right_end_in_three_actions(name: str) -> None:
    """Each action is previewed, and the preview is what then happens."""
    try:
        desk = SITUATIONS[name](SimulatedEngine(SecondPersonAbove="20.00 EUR"))
    except ApiProblem as problem:
        pytest.fail(f"{problem.name}: {problem}")
    assert 1 <= desk.actions <= 3


def test_the_page_has_a_row_for_each_situation() -> None:
    rows = re.findall(r"^\| ([a-z].+?) \|", PAGE.read_text(), re.MULTILINE)
    assert rows[1:] == list(SITUATIONS)  # behind the heads of the columns
