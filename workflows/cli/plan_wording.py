"""Sentences about what an action on an incident would do, from the API's plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from workflows.orders.words import money, plain

Plan: TypeAlias = Mapping[str, Any]


def plan_sentence(action: str, plan: Plan) -> str:
    """Say what an action would do: calls to providers, money, and how the order ends.

    Args:
        action: ``retry``, ``cancel``, ``abandon``, ``write_off <intent>``, ``approve`` or ``credit``.
        plan: As the API returns it for a dry run, or in an incident.
    """
    if plan["refused"]:
        return f"not possible: {plan['refused']['detail']}{_instead(plan) or _after_refusal(plan)}"
    if plan["second_person_for"]:
        sentence = f"a second person must approve first, because it concerns {money(plan['second_person_for'])}."
        approved = plan["once_approved"]
        return f"{sentence} Once approved: {plan_sentence(action, approved)}" if approved else sentence
    if not plan["events"]:
        return f"{_without_effect(plan, action)}{_instead(plan)}"
    if len(plan["events"]) == 1 and plan["events"][0] in _RECORDED:
        return f"{_RECORDED[plan['events'][0]]}; no calls, no money moves."
    if "ReportContested" in plan["events"]:
        return "it contradicts an earlier report, so it has no effect until a person decides: incidents show."
    if action == "retry" and not plan["runs"] and plan["status"] not in _ENDS:
        return f"would wait again for {_AWAITED.get(plan['status'], 'the outcome')}.{_REPORTS.get(plan['status'], '')}"
    calls = [_call(run, plan, again=action == "retry") for run in plan["runs"]]
    sentences = [
        *_credited(plan),
        f"{', '.join(calls) or 'no calls'}.",
        *_given_up(plan),
        *_paid(plan),
        _end(action, plan),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


_RECORDED = {
    "ApprovalRejected": "the request has no effect then",
    "NoteAdded": "a note is recorded in the order's history",
    "IncidentAssigned": "it is recorded who takes care of the order",
}
"""What an event says that changes nothing but the record."""


def _after_refusal(plan: Plan) -> str:
    """Name the commands for what the refusal says would help. Only a completed order takes a credit after its end."""
    match plan["refused"]["rule"], plan["status"]:
        case "OrderAlreadyPickedUp", _:
            return " That is: order credit."
        case "OrderAlreadyEnded", "completed":
            return " That is: incidents note, order credit."
        case "OrderAlreadyEnded", _:
            return " That is: incidents note."
        case _:
            return ""


def _instead(plan: Plan) -> str:
    """Name the commands that would help, if the plan says so."""
    commands = [_command(name) for name in plan["instead"]]
    return f" Instead: {', '.join(commands)}." if commands else ""


def _command(name: str) -> str:
    if name in FACTS:
        return f"order pass-on {FACTS[name]}"
    return _COMMANDS.get(name.partition(" ")[0], name).format(*name.split()[1:])


_COMMANDS = {
    "retry": "incidents retry",
    "cancel": "incidents resolve --how cancel",
    "abandon": "incidents resolve --how abandon",
    "write_off": "incidents resolve --how write_off --intent {}",
    "confirm_report": "incidents resolve --how confirm_report --intent {}",
    "approve": "incidents approve {}",
    "credit": "order credit",
}
"""The command for each name in ``instead``. A report is passed on, which takes a reason and can be tried first."""

FACTS = {
    "preparation/accept": "accepted",
    "preparation/reject": "rejected",
    "preparation/ready": "ready",
    "delivery/assign": "assigned",
    "delivery/pick-up": "picked-up",
    "delivery/deliver": "delivered",
    "delivery/fail": "failed",
}
"""What is passed on for each report, by the name of its route."""


FACT_DETAILS = {
    "accepted": " --ready-in MINUTES",
    "rejected": " --party-reason THEIRS",
    "item-unavailable": " --line NUMBER --available NUMBER",
    "declined": " --party-reason THEIRS",
    "assigned": " --courier ID",
    "failed": " --party-reason THEIRS --fault PARTY",
}
"""Options that ``order pass-on`` needs for a fact, besides --said-by and --reason."""


def _credited(plan: Plan) -> list[str]:
    return [f"the customer pays {money(move['amount'])} less;" for move in plan["money"] if move["what"] == "credit"]


_SAME = {
    "claim": "this person takes care of the order already",
    "release": "no person takes care of the order",
    "note": "the note is recorded already",
    "approve": "the request was approved already",
    "reject": "the request was rejected already",
}


def _without_effect(plan: Plan, action: str) -> str:
    if action in _SAME:
        return f"no effect, {_SAME[action]}."
    if plan["status"] == "cancelling":
        return "no effect, the order is already being cancelled."
    return f"no effect, the order is already {plain(plan['status'])}."


_AWAITED = {
    "authorized": "the restaurant's answer",
    "preparing": "the restaurant's and the courier's reports",
    "ready": "the courier to pick the meal up",
    "picked_up": "the courier's report",
}

_REPORTS = {
    "authorized": " If you know the answer, pass it on: order pass-on accepted / rejected.",
    "preparing": " If you know the outcome, pass it on: order pass-on ready / assigned.",
    "ready": " If you know the outcome, pass it on: order pass-on picked-up.",
    "picked_up": " If you know the outcome, pass it on: order pass-on delivered / failed.",
}


def _call(run: Mapping[str, Any], plan: Plan, *, again: bool) -> str:
    amounts = [money(move["amount"]) for move in plan["money"] if move["intent"] == run["version"]]
    call = _CALLS.get(run["intent"], f"performs {run['intent']} (event {run['version']})")
    if run["intent"] == "PaymentAuthorizationRequested" and plan["status"] == "cancelling":
        call = _IN_DOUBT
    return call.format(amount=amounts[0] if amounts else "the payment", again=" again" if again else "")


_CALLS = {
    "PaymentAuthorizationRequested": "asks the provider{again} to authorize {amount}",
    "PaymentCaptureRequested": "asks the provider{again} to capture {amount}",
    "PaymentVoidRequested": "asks the provider{again} to release {amount}",
    "PaymentRefundRequested": "asks the provider{again} to refund {amount}",
    "PaymentLookupRequested": "asks the provider{again} whether it took {amount}, and refunds it if it did",
    "PreparationRequested": "sends the ticket to the restaurant{again}",
    "PreparationCancellationRequested": "asks the restaurant{again} to cancel the ticket",
    "CourierRequested": "offers the delivery to couriers{again}",
    "CourierReleaseRequested": "asks{again} for the courier to be released",
}


_IN_DOUBT = "repeats the authorization of {amount}, whose outcome is not known, and releases what is held"
"""Of a cancelled order. The repeated call has the key of the first, so the provider answers with that one's outcome."""


def _given_up(plan: Plan) -> list[str]:
    """Money that would stay where it is. A hold that is left and its claim that is given up are one amount."""
    performed = {run["version"] for run in plan["runs"]}
    moves = [move for move in plan["money"] if move["intent"] not in performed and move["what"] != "credit"]
    left = [money(move["amount"]) for move in moves if move["what"] == "leave_held"]
    lost = [money(move["amount"]) for move in moves if move["what"] != "leave_held"]
    return [
        *(f"The {amount} hold stays until it expires and is never collected." for amount in left),
        *(f"{amount} is given up." for amount in lost if amount not in left),
    ]


def _paid(plan: Plan) -> list[str]:
    """What restaurant and courier earn or lose."""
    parties = [(f"{pay['party']} {plain(pay['id'] or '')}".strip(), money(pay["amount"])) for pay in plan["pay"]]
    return [
        f"{amount.removeprefix('-')} is taken back from the {party}."
        if amount.startswith("-")
        else f"{amount} is earned by the {party}."
        for party, amount in parties
    ]


_ENDS = frozenset({"abandoned", "cancelled", "completed"})
_LAST_CALLS = frozenset({"PaymentCaptureRequested", "PaymentRefundRequested", "PaymentLookupRequested"})


def _end(action: str, plan: Plan) -> str:
    status = plain(plan["status"])
    if plan["status"] in _ENDS:
        return f"The order ends as {status}."
    if plan["status"] == "cancelling":
        return "Then the order ends as cancelled."
    if plan["status"] == "delivered" and any(run["intent"] in _LAST_CALLS for run in plan["runs"]):
        return "If it does, the order completes."
    return f"The order stays {status}." if action.startswith("write_off") else "Then the order continues."
