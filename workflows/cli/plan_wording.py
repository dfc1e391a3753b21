"""Sentences about what an action on an incident would do, from the API's plan, and the commands that help.

A command that is printed as advice is complete: it has all that it requires, and words in capitals are to be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from workflows.orders.words import money, plain

Plan: TypeAlias = Mapping[str, Any]


Advise: TypeAlias = Callable[[str], str]
"""Returns the command line for a name in ``instead``."""


def advising(order: str, see: Callable[[str], str]) -> Advise:
    """Return what names commands about an order. ``see`` adds the program and the engine's options."""
    return lambda name: see(command_for(name, order))


def plan_sentence(action: str, plan: Plan, advise: Advise | None = None) -> str:
    """Say what an action would do: calls to providers, money, and how the order ends.

    Args:
        action: ``retry``, ``cancel``, ``abandon``, ``write_off <intent>``, ``approve`` or ``credit``.
        plan: As the API returns it for a dry run, or in an incident.
        advise: The commands that would help follow the sentence, each on a line. Without it they are left out.
    """
    if plan["refused"]:
        helping = _listed("Instead", plan["instead"], advise) or _listed("That is", _after_refusal(plan), advise)
        return f"not possible: {plan['refused']['detail']}{helping}"
    if plan["second_person_for"]:
        sentence = f"a second person must approve first, because it concerns {money(plan['second_person_for'])}."
        approved = plan["once_approved"]
        return f"{sentence} Once approved: {plan_sentence(action, approved, advise)}" if approved else sentence
    if not plan["events"]:
        return f"{_without_effect(plan, action)}{_listed('Instead', plan['instead'], advise)}"
    if len(plan["events"]) == 1 and plan["events"][0] in _RECORDED:
        return f"{_RECORDED[plan['events'][0]]}; no calls, no money moves."
    if "ReportContested" in plan["events"]:
        decide = _listed("Show it", ["show"], advise)
        return f"it contradicts an earlier report, so it has no effect until a person decides.{decide}"
    if action == "retry" and not plan["runs"] and plan["status"] not in _ENDS:
        known = _listed("If you know the outcome, pass it on", _REPORTS.get(plan["status"], ()), advise)
        return f"would wait again for {_AWAITED.get(plan['status'], 'the outcome')}.{known}"
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


def _after_refusal(plan: Plan) -> Sequence[str]:
    """Name what the refusal says would help. Only a completed order takes a credit after its end."""
    match plan["refused"]["rule"], plan["status"]:
        case "OrderAlreadyPickedUp", _:
            return ["credit"]
        case "OrderAlreadyEnded", "completed":
            return ["note", "credit"]
        case "OrderAlreadyEnded", _:
            return ["note"]
        case _:
            return []


def _listed(words: str, names: Sequence[str], advise: Advise | None) -> str:
    if advise is None or not names:
        return ""
    return "".join([f" {words}:", *(f"\n  {advise(name)}" for name in names)])


def command_for(name: str, order: str) -> str:
    """Return the command for a name in ``instead``, without the program: ``order credit ord_1 --amount ...``.

    For a name that an engine of a newer release gives, it is the command that shows the incident.
    """
    action, *numbers = name.split()
    if name in FACTS:
        return pass_on_command(order, FACTS[name])
    return _COMMANDS.get(action, _COMMANDS["show"]).format(*numbers, order=order)


def pass_on_command(order: str, fact: str) -> str:
    """Return the command that passes a fact on, as ``order pass-on`` spells it."""
    return f"order pass-on {order} {fact} --said-by WHO --reason WHY{FACT_DETAILS.get(fact, '')}"


_COMMANDS = {
    "retry": "incidents retry {order} --reason WHY",
    "cancel": "incidents resolve {order} --how cancel --reason WHY",
    "abandon": "incidents resolve {order} --how abandon --reason WHY",
    "write_off": "incidents resolve {order} --how write-off --intent {} --reason WHY",
    "confirm_report": "incidents resolve {order} --how confirm-report --intent {} --reason WHY",
    "approve": "incidents approve {order} {} --reason WHY --as support:NAME",
    "credit": "order credit {order} --amount 'AMOUNT CURRENCY' --fault PARTY --reason WHY",
    "note": "incidents note {order} TEXT",
    "show": "incidents show {order}",
}
"""The command for each name in ``instead``, and for what refusals offer. A report is passed on."""

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
    "authorized": ("preparation/accept", "preparation/reject"),
    "preparing": ("preparation/ready", "delivery/assign"),
    "ready": ("delivery/pick-up",),
    "picked_up": ("delivery/deliver", "delivery/fail"),
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
