"""The steps of the payment: authorize, capture, void, refund, and look a capture up.

All are safe to repeat: the key is the order id and the intent's version, and the amounts are the intent's. So every
attempt is the same call, and the provider answers a repeat with its first receipt (see ``gateways/payment.py``). All
raise PaymentsUnavailable if the provider does not answer within ``TIMEOUT_S``; the machine retries.
"""

from __future__ import annotations

from domain.identifiers import OrderId
from domain.order.events import (
    PaymentAuthorizationRequested,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCaptureRefused,
    PaymentCaptureRequested,
    PaymentDeclined,
    PaymentFound,
    PaymentLookupRequested,
    PaymentNotFound,
    PaymentRefunded,
    PaymentRefundRefused,
    PaymentRefundRequested,
    PaymentVoided,
    PaymentVoidRefused,
    PaymentVoidRequested,
)
from domain.order.order import Order
from domain.personal import Erased
from domain.picklable import Picklable
from workflows.gateways.payment import Declined, PaymentGateway, Refused

TIMEOUT_S = 10.0
"""How long one call may take. Providers answer in one or two seconds; a function may run for 30."""


class PaymentMethodErased(Picklable, Exception):
    """The customer was erased before the provider answered, so the authorization cannot be requested. Retryable: no.

    The order is parked: an earlier attempt may hold the amount, and it cannot be repeated without the payment method.
    """

    def __init__(self, order_id: OrderId, version: int) -> None:
        super().__init__(
            f"order {order_id}: the payment method was erased, so authorization {version} cannot be requested; abandon "
            "the order, or write the authorization off and cancel"
        )
        self.order_id = order_id
        self.version = version


def authorize_payment(
    intent: PaymentAuthorizationRequested, version: int, order: Order, payments: PaymentGateway
) -> PaymentAuthorized | PaymentDeclined:
    """Hold the total on the customer's payment method. Undone by a void.

    Raises:
        PaymentMethodErased: The order has to be parked.
    """
    if isinstance(intent.payment_method, Erased):
        raise PaymentMethodErased(order.order_id, version)
    receipt = payments.authorize(
        reference=order.order_id,
        payment_method=intent.payment_method,
        amount=intent.amount,
        key=call_key(order, version),
        timeout_s=TIMEOUT_S,
    )
    if isinstance(receipt, Declined):
        return PaymentDeclined(answers=version, reason=receipt.reason, at=receipt.at)
    return PaymentAuthorized(
        answers=version, authorization_id=receipt.authorization_id, amount=receipt.amount, at=receipt.at
    )


def capture_payment(
    intent: PaymentCaptureRequested, version: int, order: Order, payments: PaymentGateway
) -> PaymentCaptured | PaymentCaptureRefused:
    """Capture the price of what was delivered; the provider releases the rest. Undone by a refund."""
    receipt = payments.capture(
        authorization_id=intent.authorization_id,
        amount=intent.amount,
        key=call_key(order, version),
        timeout_s=TIMEOUT_S,
    )
    if isinstance(receipt, Refused):
        return PaymentCaptureRefused(answers=version, reason=receipt.reason, at=receipt.at)
    return PaymentCaptured(answers=version, capture_id=receipt.capture_id, amount=receipt.amount, at=receipt.at)


def void_payment(
    intent: PaymentVoidRequested, version: int, order: Order, payments: PaymentGateway
) -> PaymentVoided | PaymentVoidRefused:
    """Release the hold. It is a compensation, and nothing undoes it."""
    receipt = payments.void(authorization_id=intent.authorization_id, key=call_key(order, version), timeout_s=TIMEOUT_S)
    if isinstance(receipt, Refused):
        return PaymentVoidRefused(answers=version, reason=receipt.reason, at=receipt.at)
    return PaymentVoided(answers=version, at=receipt.at)


def refund_payment(
    intent: PaymentRefundRequested, version: int, order: Order, payments: PaymentGateway
) -> PaymentRefunded | PaymentRefundRefused:
    """Refund a captured amount. It is a compensation, and nothing undoes it."""
    receipt = payments.refund(
        capture_id=intent.capture_id, amount=intent.amount, key=call_key(order, version), timeout_s=TIMEOUT_S
    )
    if isinstance(receipt, Refused):
        return PaymentRefundRefused(answers=version, reason=receipt.reason, at=receipt.at)
    return PaymentRefunded(answers=version, refund_id=receipt.refund_id, amount=receipt.amount, at=receipt.at)


def look_up_payment(
    intent: PaymentLookupRequested, version: int, order: Order, payments: PaymentGateway
) -> PaymentFound | PaymentNotFound:
    """Ask the provider for a capture that no event of the order has. It moves no money, so nothing undoes it.

    A capture of another amount than was reported counts as not found: the refund was decided, and perhaps approved by a
    second person, for that amount.
    """
    receipt = payments.find_capture(
        reference=order.order_id,
        capture_id=intent.capture_id,
        key=call_key(order, version),
        timeout_s=TIMEOUT_S,
    )
    if isinstance(receipt, Refused):
        return PaymentNotFound(answers=version, reason=receipt.reason, at=receipt.at)
    if receipt.amount != intent.amount:
        return PaymentNotFound(answers=version, reason=f"the provider took {receipt.amount}", at=receipt.at)
    return PaymentFound(answers=version, capture_id=receipt.capture_id, amount=receipt.amount, at=receipt.at)


def call_key(order: Order, version: int) -> str:
    """Return the idempotency key of the call that an intent makes. Every attempt has the same."""
    return f"{order.order_id}/{version}"
