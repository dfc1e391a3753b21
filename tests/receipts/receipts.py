"""Orders that were completed or refunded, and their receipts."""

from __future__ import annotations

import itertools
from io import BytesIO
from typing import Any

from domain.identifiers import Actor, Role
from domain.money import Money
from domain.order.commands import GrantCredit, RecordFact
from domain.order.events import Fault, PaymentRefunded
from domain.order.payment import Transfer
from tests.handlers.conftest import NOON, Answer, Shop

_numbers = itertools.count(1)


def credited(shop: Shop, order_id: str, amount: Money) -> None:
    """Grant a credit on a completed order and refund it."""
    support = Actor(Role.SUPPORT, "sue")
    command = GrantCredit(
        credit_id=f"credit-{next(_numbers)}",
        amount=amount,
        fault=Fault.RESTAURANT,
        by=support,
        reason="Ada Byron got it cold",
    )
    shop.command(order_id, command)
    refund = next(each for each in shop.order(order_id).payment.refunds if each.state is Transfer.ASKED)
    fact = PaymentRefunded(answers=refund.intent, refund_id=f"ref-{next(_numbers)}", amount=refund.amount, at=NOON)
    shop.command(order_id, RecordFact(fact=fact))


def receipt(shop: Shop, order_id: str, *, accept: str | None = None, role: str = "support", **how: Any) -> Answer:
    """Read a receipt."""
    headers = {} if accept is None else {"accept": accept}
    return shop.call("GET", f"/orders/{order_id}/receipt", headers=headers, role=role, **how)


def pdf_text(content: bytes) -> str:
    """Return the text of a PDF."""
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
