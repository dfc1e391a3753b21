"""What an order waits for, in words that complete "waiting for ...". The number is the version of the intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ANSWERS: Final[Mapping[str, str]] = {
    "acceptance": "the restaurant to accept ticket {}",
    "readiness": "the restaurant to finish the meal of ticket {}",
    "assignment": "a courier to take offer {}",
    "pickup": "the courier of offer {} to pick up the meal",
    "delivery": "the courier of offer {} to deliver the meal",
}
"""Answers of people, by what is awaited."""

OUTCOMES: Final[Mapping[str, str]] = {
    "PaymentAuthorizationRequested": "the payment provider to authorize the payment (event {})",
    "PaymentCaptureRequested": "the payment provider to capture the payment (event {})",
    "PaymentVoidRequested": "the payment provider to release the authorization (event {})",
    "PaymentRefundRequested": "the payment provider to refund the payment (event {})",
    "PaymentLookupRequested": "the payment provider to look up a capture (event {})",
    "PreparationRequested": "the restaurant to accept ticket {}",
    "PreparationCancellationRequested": "the restaurant to cancel the ticket (event {})",
    "CourierRequested": "a courier to take offer {}",
    "CourierReleaseRequested": "the courier to be released (event {})",
}
"""Outcomes of calls to providers, by the type of the intent."""


def outcome_words(intent: str, version: int) -> str:
    """Return the words for a call whose outcome is not known yet."""
    return OUTCOMES.get(intent, "the outcome of {}").format(version)
