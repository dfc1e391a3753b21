"""The bodies of requests about incidents and circuits, one model each."""

from __future__ import annotations

from typing import Literal

from handlers.http.models import example
from handlers.http.values import IntentVersion, Long, Strict, UserName


class RetryBody(Strict):
    """The reason for retrying. A dry run returns what would happen, and changes nothing."""

    model_config = example(reason="the provider is back", dry_run=True)

    reason: Long
    dry_run: bool = False


class ResolveBody(RetryBody):
    """How to resolve the incident.

    ``cancel`` compensates: releases holds and refunds payments. ``abandon`` ends the order as it is, without
    compensation. ``write_off`` gives up what the one ``intent`` holds or owes. ``confirm_report`` gives effect to a
    contested report. ``fault`` is the party at fault for what is given up.
    """

    model_config = example(how="write_off", intent=15, reason="the account is closed", fault="platform")

    how: Literal["cancel", "abandon", "write_off", "confirm_report"]
    fault: Literal["customer", "restaurant", "courier", "platform"] = "platform"
    intent: IntentVersion | None = None


class ApproveBody(RetryBody):
    """``approval`` is the number of the request to approve, as the incident lists it."""

    model_config = example(approval=17, reason="asked the restaurant", dry_run=True)

    approval: IntentVersion


class RejectRequestBody(RetryBody):
    """``approval`` is the number of the request to reject. A person can withdraw an own request so."""

    model_config = example(approval=17, reason="the meal was delivered", dry_run=True)

    approval: IntentVersion


class AssignIncidentBody(RetryBody):
    """``to`` is the person of support who takes the incident on; null releases it."""

    model_config = example(to="sue", reason="knows the restaurant", dry_run=True)

    to: UserName | None


class NoteBody(Strict):
    """A note for other people who look at the order. Stored encrypted with the customer's key."""

    model_config = example(text="Called the restaurant: the oven is repaired.", dry_run=True)

    text: Long
    dry_run: bool = False


class CircuitBody(Strict):
    """The reason for opening or closing the circuit. A dry run returns what would happen, and changes nothing."""

    model_config = example(reason="maintenance until 22:00", dry_run=True)

    reason: Long
    dry_run: bool = False
