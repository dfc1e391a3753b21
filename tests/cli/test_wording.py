"""Sentences shown for events, payments, waits and plans."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from domain.order.events import Event, Intent
from workflows.cli import plan_wording, wording
from workflows.orders import event_words
from workflows.time_budgets import TIMEOUTS, Awaiting

ROOT = {"role": "support", "id": "root"}
SYSTEM = {"role": "system", "id": "expediter"}
ADVISE = plan_wording.advising("ord_1", lambda command: f"expediter {command}")


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def event(kind: str, version: int = 1, **data: Any) -> dict[str, Any]:
    return {"type": kind, "version": version, "data": data}


@pytest.mark.parametrize(
    ("commits", "seconds", "words"),
    [
        (3, 0.4, "3 commits behind the log, the oldest is 0.4s old"),
        (1, 5000.0, "1 commit behind the log, the oldest is 1h23 old"),
        (7, None, "7 commits behind the log"),
    ],
)
def test_a_list_says_how_far_it_is_behind(commits: int, seconds: float | None, words: str) -> None:
    """In the same words on every page."""
    assert wording.lag({"lag_commits": commits, "lag_s": seconds}) == words


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_has_a_sentence_of_its_own(kind: type) -> None:
    """A timeline never shows the bare name of an event of this version."""
    assert kind.__name__ in event_words.SENTENCES


def test_an_event_of_a_newer_engine_is_shown_by_its_name() -> None:
    """Nothing is left out of a timeline."""
    assert event_words.event_sentence(event("MealWarmedUp"), {}) == "Meal warmed up"


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("2026-03-01T12:00:00.000000Z", "+0.0s"),
        ("2026-03-01T12:00:00.437000Z", "+0.4s"),
        ("2026-03-01T12:00:38.900000Z", "+38s"),
        ("2026-03-01T12:03:53.000000Z", "+3m53"),
        ("2026-03-01T13:23:00.000000Z", "+1h23"),
        ("2026-03-01T11:59:59.000000Z", "+0.0s"),
    ],
)
def test_time_since_placing_is_short(then: str, words: str) -> None:
    """Seconds while they matter, then minutes, then hours; a clock that went back gives no negative time."""
    assert wording.since("2026-03-01T12:00:00.000000Z", then) == words


@pytest.mark.parametrize(
    ("happened", "sentence"),
    [
        (event("PaymentDeclined", reason="insufficient_funds"), "Payment declined: insufficient funds"),
        (
            event("CancellationRequested", cause="asked", fault="customer", by=ROOT, reason="ordered by mistake"),
            'Cancellation begun by support root: "ordered by mistake" (at fault: customer)',
        ),
        (
            event("CancellationRequested", cause="no_courier", fault="platform", by=SYSTEM, reason=""),
            "Cancellation begun because no courier took the delivery (at fault: platform)",
        ),
        (event("ItemUnavailable", line=2, available=0), "Line 2: out of stock"),
        (event("ItemUnavailable", line=2, available=1), "Line 2: only 1 available"),
        (
            event("RunStarted", 16, run=3, by=SYSTEM, reason="it has news"),
            "Run 3 started automatically because of event 15",
        ),
        (event("RunStarted", 16, run=3, by=ROOT, reason="it is back"), 'Run 3 started by support root: "it is back"'),
        (event("DeliveryOverdue"), "No delivery report in time"),
        (
            event("OrderAbandoned", by=ROOT, reason="bank refuses", fault="platform"),
            'Abandoned by support root, nothing was reversed: "bank refuses" (at fault: platform)',
        ),
        (
            event("PreparationWrittenOff", reason="already_cooked"),
            "Ticket could not be recalled (already cooked), written off",
        ),
    ],
)
def test_events_are_described_in_plain_words(happened: dict[str, Any], sentence: str) -> None:
    """Support reads them at night, so each is understood at the first reading."""
    assert event_words.event_sentence(happened, {}) == sentence


def test_a_write_off_names_the_amount_of_the_event_that_it_writes_off() -> None:
    """An event number alone does not help support; it is shown only if the event itself was cut off."""
    written_off = event("WrittenOff", 9, intent=2, by=ROOT, reason="bank refuses", fault="platform")
    earlier = {2: event("PaymentAuthorizationRequested", 2, amount=eur("129.50"))}
    sentence = '129.50 EUR authorization (event 2) written off by support root: "bank refuses" (at fault: platform)'
    assert event_words.event_sentence(written_off, earlier) == sentence
    assert event_words.event_sentence(written_off, {}).startswith("Event 2 written off by support root")


def test_a_completed_order_claims_to_be_paid_only_if_no_capture_was_written_off() -> None:
    """A write-off of a refund leaves it paid."""
    completed = event("OrderCompleted", 9)
    refund = {7: event("PaymentRefundRequested", 7, amount=eur("12.00")), 8: event("WrittenOff", 8, intent=7)}
    assert event_words.event_sentence(completed, refund) == "Order completed, delivered and paid"
    capture = {7: event("PaymentCaptureRequested", 7, amount=eur("46.35")), 8: event("WrittenOff", 8, intent=7)}
    assert event_words.event_sentence(completed, capture).endswith("its price given up in part or whole")


def test_a_cancelled_order_claims_a_release_only_if_there_was_one() -> None:
    """After a declined payment nothing was held that could be released."""
    cancelled = event("OrderCancelled", 9)
    assert event_words.event_sentence(cancelled, {}) == "Order cancelled"
    released = {8: event("PaymentVoided", 8)}
    assert event_words.event_sentence(cancelled, released) == "Order cancelled, payment released"


@pytest.mark.parametrize(
    ("state", "captured", "released", "refunded", "words"),
    [
        ("asked", "0.00", "0.00", "0.00", "authorization of 24.50 EUR requested"),
        ("held", "0.00", "0.00", "0.00", "24.50 EUR authorized"),
        ("declined", "0.00", "0.00", "0.00", "authorization of 24.50 EUR declined"),
        ("captured", "24.50", "0.00", "0.00", "captured 24.50 EUR"),
        ("captured", "18.00", "6.50", "0.00", "captured 18.00 of 24.50 EUR authorized, 6.50 EUR released"),
        ("captured", "24.50", "0.00", "24.50", "captured 24.50 EUR, refunded 24.50 EUR"),
        ("voided", "0.00", "24.50", "0.00", "24.50 EUR authorized, released without a capture"),
    ],
)
def test_the_payment_line_distinguishes_the_authorized_from_the_captured_amount(
    state: str, captured: str, released: str, refunded: str, words: str
) -> None:
    """It must not read as if both amounts had been captured."""
    payment = {
        "method": "pm_ok",
        "authorization": {"state": state, "amount": eur("24.50")},
        "authorized": eur("24.50"),
        "captured": eur(captured),
        "released": eur(released),
        "refunded": eur(refunded),
    }
    assert wording.payment_sentence(payment) == f"pm_ok: {words}"


def test_the_payment_line_before_the_authorization() -> None:
    """An order is shown before its first call to the provider."""
    assert wording.payment_sentence({"method": "pm_ok", "authorization": None}) == "pm_ok: nothing authorized yet"


def waiting(*waits: dict[str, Any], calls: dict[int, str] | None = None) -> list[str]:
    """Return the sentences of an order with these waits and these open calls, by version."""
    pending = [{"version": version, "intent": intent} for version, intent in (calls or {}).items()]
    return wording.waiting_sentences({"waiting": waits, "pending": pending})


def test_a_wait_is_shown_with_the_awaited_answer_and_its_deadline() -> None:
    """Support does not know the class names of intents."""
    wait = {"what": "acceptance", "intent_version": 4, "until": "2026-03-01T05:00:36.000000Z"}
    words = "waiting for the restaurant to accept ticket 4, until 05:00:36 UTC"
    assert waiting(wait, calls={4: "PreparationRequested"}) == [words]


@pytest.mark.parametrize("what", TIMEOUTS, ids=str)
def test_every_answer_with_a_deadline_has_words(what: Awaiting) -> None:
    """A wait for a restaurant or a courier is never shown by its name in the code."""
    (sentence,) = waiting({"what": what.value, "intent_version": 6, "until": "2026-03-01T05:00:36.000000Z"})
    assert re.search(r"(ticket|offer) 6\b.*, until 05:00:36 UTC$", sentence)
    assert what.value not in sentence


def test_a_call_to_a_provider_is_shown_without_a_deadline() -> None:
    """Retries end such a wait, not a deadline."""
    wait = {"what": "compensation", "intent_version": 7, "until": None}
    words = "waiting for the payment provider to release the authorization (event 7)"
    assert waiting(wait, calls={7: "PaymentVoidRequested"}) == [words]


@pytest.mark.parametrize("kind", get_args(Intent), ids=lambda kind: kind.__name__)
def test_every_intent_has_words_for_its_wait_and_its_call(kind: type) -> None:
    """A wait or a plan never shows a class name."""
    assert kind.__name__ not in waiting(calls={4: kind.__name__})[0]
    plan = a_plan(["RunStarted"], "delivered", runs=[{"version": 4, "intent": kind.__name__}])
    assert kind.__name__ not in plan_wording.plan_sentence("retry", plan)


@pytest.mark.parametrize("ended", [True, False])
def test_a_cancellation_is_shown_as_done_only_when_the_order_has_ended(ended: bool) -> None:
    """A cancelled order is not shown as being cancelled."""
    cancellation = {"cause": "asked", "fault": "platform", "by": ROOT, "reason": "changed my mind"}
    sentence = wording.cancellation_sentence(cancellation, ended=ended)
    begins = "Cancelled" if ended else "Being cancelled"
    assert sentence == f'{begins} by support root: "changed my mind". At fault: platform.'


def a_plan(events: list[str], status: str, **changes: Any) -> dict[str, Any]:
    plan = {
        "events": events,
        "status": status,
        "runs": [],
        "money": [],
        "pay": [],
        "second_person_for": None,
        "once_approved": None,
        "refused": None,
        "instead": [],
    }
    return {**plan, **changes}


CAPTURE = {"version": 15, "intent": "PaymentCaptureRequested"}


@pytest.mark.parametrize(
    ("action", "plan", "sentence"),
    [
        (
            "retry",
            a_plan(
                ["RunStarted"],
                "delivered",
                runs=[CAPTURE],
                money=[{"what": "capture", "amount": eur("19.50"), "intent": 15}],
            ),
            "asks the provider again to capture 19.50 EUR. If it does, the order completes.",
        ),
        (
            "abandon",
            a_plan(
                ["WrittenOff", "OrderAbandoned"],
                "abandoned",
                money=[
                    {"what": "leave_held", "amount": eur("19.50"), "intent": 2},
                    {"what": "give_up", "amount": eur("19.50"), "intent": 0},
                ],
            ),
            "no calls. The 19.50 EUR hold stays until it expires and is never collected. The order ends as abandoned.",
        ),
        (
            "cancel",
            a_plan(
                ["CancellationRequested"],
                "cancelling",
                runs=[{"version": 2, "intent": "PaymentAuthorizationRequested"}],
                money=[{"what": "authorize", "amount": eur("19.50"), "intent": 2}],
            ),
            "repeats the authorization of 19.50 EUR, whose outcome is not known, and releases what is held. "
            "Then the order ends as cancelled.",
        ),
        ("cancel", a_plan([], "cancelling"), "no effect, the order is already being cancelled."),
        (
            "retry",
            a_plan(["RunStarted"], "picked_up"),
            "would wait again for the courier's report. If you know the outcome, pass it on:\n"
            "  expediter order pass-on ord_1 delivered --said-by WHO --reason WHY\n"
            "  expediter order pass-on ord_1 failed --said-by WHO --reason WHY --party-reason THEIRS --fault PARTY",
        ),
        ("retry", a_plan(["RunStarted", "OrderCompleted"], "completed"), "no calls. The order ends as completed."),
        (
            "abandon",
            a_plan(["ApprovalRequested"], "delivered", second_person_for=eur("129.50")),
            "a second person must approve first, because it concerns 129.50 EUR.",
        ),
        (
            "failed",
            a_plan(
                ["ApprovalRequested"],
                "completed",
                second_person_for=eur("52.30"),
                once_approved=a_plan(
                    ["ApprovalGiven", "CancellationRequested", "PaymentRefundRequested"],
                    "cancelling",
                    runs=[{"version": 19, "intent": "PaymentRefundRequested"}],
                    money=[{"what": "refund", "amount": eur("52.30"), "intent": 19}],
                    pay=[
                        {"party": "restaurant", "id": "le-petit-pois", "amount": eur("-49.80")},
                        {"party": "courier", "id": None, "amount": eur("2.50")},
                    ],
                ),
            ),
            "a second person must approve first, because it concerns 52.30 EUR. Once approved: asks the provider to "
            "refund 52.30 EUR. 49.80 EUR is taken back from the restaurant le-petit-pois. "
            "2.50 EUR is earned by the courier. Then the order ends as cancelled.",
        ),
    ],
)
def test_a_plan_describes_calls_amounts_and_the_final_status(action: str, plan: dict[str, Any], sentence: str) -> None:
    """Support decides by this sentence."""
    assert plan_wording.plan_sentence(action, plan, ADVISE) == sentence


CREDIT = "\n  expediter order credit ord_1 --amount 'AMOUNT CURRENCY' --fault PARTY --reason WHY"


@pytest.mark.parametrize(("status", "helps"), [("completed", CREDIT), ("abandoned", ""), ("cancelled", "")])
def test_a_credit_is_offered_after_the_end_of_a_completed_order_alone(status: str, helps: str) -> None:
    """For others the command would be a dead end, even the one that was refused just now."""
    refused = {"rule": "OrderAlreadyEnded", "detail": "It has ended."}
    plan = {**a_plan([], status), "refused": refused, "instead": []}
    sentence = plan_wording.plan_sentence("credit", plan, ADVISE)
    assert sentence == f"not possible: It has ended. That is:\n  expediter incidents note ord_1 TEXT{helps}"
    assert plan_wording.plan_sentence("credit", plan) == "not possible: It has ended."


def test_an_action_that_leads_nowhere_is_shown_with_the_commands_that_help() -> None:
    """A dead end is never shown alone."""
    instead = ["delivery/deliver", "write_off 7", "credit"]
    refused = {"rule": "OrderAlreadyPickedUp", "detail": "It was picked up."}
    plan = {**a_plan([], "picked_up"), "refused": refused, "instead": instead}
    assert plan_wording.plan_sentence("cancel", plan, ADVISE) == (
        "not possible: It was picked up. Instead:\n"
        "  expediter order pass-on ord_1 delivered --said-by WHO --reason WHY\n"
        f"  expediter incidents resolve ord_1 --how write-off --intent 7 --reason WHY{CREDIT}"
    )
