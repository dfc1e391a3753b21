"""Money stays exact in currencies with no, two and three decimals, from the menu to the provider's statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from pathlib import Path
from random import Random

import pytest

from domain.catalogue.commands import PublishMenu, RegisterRestaurant
from domain.catalogue.events import OpeningPeriod, Profile, ServiceFee, TaxClass
from domain.catalogue.menu import Menu, MenuItem, MenuOption, OptionGroup, Section
from domain.identifiers import Actor, RestaurantId, Role, Sku
from domain.money import Money
from domain.order.commands import RecordFact
from domain.order.events import PaymentAuthorized, PaymentCaptured
from tests.handlers.conftest import NOON, Shop, order_body
from tests.receipts.receipts import pdf_text
from workflows.books.reconciliation import Period, reconcile
from workflows.books.recorded import payments_in
from workflows.books.statement import read_statement, write_statement
from workflows.catalogue.restaurants import change_restaurant
from workflows.gateways.payment import Authorized, Captured
from workflows.orders.command_handling import Caller, load
from workflows.receipts.pdf import receipt_pdf
from workflows.receipts.sheet import sheet_of
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import Sandbox, open_sandbox
from workflows.sandbox.settings import SandboxSettings
from workflows.sandbox.statement import statement_lines


@dataclass(frozen=True)
class Prices:
    """Amounts of one currency, as text: what the menu says, and what two dishes must come to."""

    currency: str
    dish: str
    extra: str
    delivery: str
    service: str
    tip: str
    items: str
    total: str
    tax: str  # 8 percent of all but the tip are in it


CASES = (
    Prices("JPY", "1235", "99", "301", "57", "100", "2668", "3126", "224"),
    Prices("EUR", "12.35", "0.99", "3.01", "0.57", "1.00", "26.68", "31.26", "2.24"),
    Prices("KWD", "1.235", "0.099", "0.301", "0.057", "0.100", "2.668", "3.126", "0.224"),
)


@pytest.mark.parametrize("prices", CASES, ids=lambda prices: prices.currency)
def test_an_amount_is_the_same_in_menu_quote_order_receipt_ledger_and_statement(prices: Prices, tmp_path: Path):
    """No place rounds, and none takes cents for granted."""
    shop = Shop()
    _open(shop, prices)
    with_sandbox = open_sandbox(
        tmp_path / "sandbox.sqlite", SandboxSettings(), Surroundings(clock=shop.clock, random=Random(1), wait=_no_wait)
    )
    try:
        _check(shop, with_sandbox, prices)
    finally:
        with_sandbox.close()


def _check(shop: Shop, sandbox: Sandbox, prices: Prices) -> None:
    def stated(amount: str) -> dict[str, str]:
        return {"amount": amount, "currency": prices.currency}

    menu = shop.call("GET", "/restaurants/kiosk/menus/1").json
    assert menu["sections"][0]["items"][0]["price"] == stated(prices.dish)

    chosen = [{"sku": "pizza-margherita", "quantity": 2, "options": ["burrata"]}]
    quote = shop.call("POST", "/quotes", {"restaurant": "kiosk", "items": chosen, "tip": stated(prices.tip)}).json
    assert quote["lines"][0]["total"] == stated(prices.items)
    assert quote["total"] == stated(prices.total)

    order_id = _delivered(shop, sandbox, prices)
    order = shop.call("GET", f"/orders/{order_id}").json
    assert order["totals"]["total"] == order["payment"]["captured"] == stated(prices.total)

    receipt = shop.call("GET", f"/orders/{order_id}/receipt").json
    assert receipt["total"] == receipt["paid"] == stated(prices.total)
    assert [tax["tax"] for tax in receipt["taxes"] if tax["tax_class"] == "food"] == [stated(prices.tax)]
    assert f"{prices.total} {prices.currency}" in pdf_text(receipt_pdf(sheet_of(receipt)))

    ledger = shop.call("GET", f"/orders/{order_id}/ledger", role="auditor").json
    balances = {each["account"]: each["amount"] for each in ledger["balances"]}
    assert balances["provider_clearing"] == stated(prices.total)
    assert balances["restaurant_payable"] == stated(f"-{prices.items}")
    assert balances["platform_fees"] == stated(f"-{prices.service}")

    file = write_statement(statement_lines(sandbox.payments.entries()))
    assert f",{prices.total},{prices.currency}," in file
    events = load(shop.log, order_id)[0].events
    compared = reconcile(
        read_statement(file), payments_in(order_id, events), Period(NOON.date(), shop.clock.now().date())
    )
    assert (compared.differences, compared.lines) == ([], 2)


def _delivered(shop: Shop, sandbox: Sandbox, prices: Prices) -> str:
    """Place an order of two dishes, have the simulated provider hold and capture its price, and deliver it."""
    tip = {"amount": prices.tip, "currency": prices.currency}
    order_id = shop.place(**{**order_body(), "restaurant": "kiosk", "tip": tip})
    hold = shop.order(order_id).payment.authorization
    held = sandbox.payments.authorize(
        reference=order_id, payment_method="pm_ok", amount=hold.amount, key=f"{order_id}/{hold.intent}", timeout_s=10
    )
    assert isinstance(held, Authorized)
    fact = PaymentAuthorized(
        answers=hold.intent, authorization_id=held.authorization_id, amount=held.amount, at=held.at
    )
    shop.command(order_id, RecordFact(fact=fact))
    kiosk = {"role": "restaurant", "sub": "kiosk"}
    ready_at = {"ready_at": "2026-05-04T12:30:00Z"}
    for action, body, who in (
        ("preparation/accept", ready_at, kiosk),
        ("delivery/assign", {}, {"role": "courier", "sub": "carl"}),
        ("preparation/ready", {}, kiosk),
        ("delivery/pick-up", {}, {"role": "courier", "sub": "carl"}),
        ("delivery/deliver", {}, {"role": "courier", "sub": "carl"}),
    ):
        answer = shop.call("POST", f"/orders/{order_id}/{action}", body, **who)
        assert answer.status == 200, answer
    [capture] = shop.order(order_id).payment.captures
    taken = sandbox.payments.capture(
        authorization_id=held.authorization_id,
        amount=capture.amount,
        key=f"{order_id}/{capture.intent}",
        timeout_s=10,
    )
    assert isinstance(taken, Captured)
    fact = PaymentCaptured(answers=capture.intent, capture_id=taken.capture_id, amount=taken.amount, at=taken.at)
    shop.command(order_id, RecordFact(fact=fact))
    return order_id


def _open(shop: Shop, prices: Prices) -> None:
    """Open a restaurant that has one dish, with prices in the currency."""
    money = {name: Money.parse(getattr(prices, name), prices.currency) for name in _MENU}
    profile = Profile(
        name="Kiosk",
        address="Harbour 1",
        currency=prices.currency,
        time_zone="Asia/Tokyo",
        opening_hours=tuple(OpeningPeriod(weekday=day, opens=time(0), closes=time(0)) for day in range(7)),
        tax_classes=(TaxClass(name="food", rate_bp=800),),
        fee_tax_class="food",
        minimum_order=Money.zero(prices.currency),
        delivery_fee=money["delivery"],
        free_delivery_from=None,
        service_fee=ServiceFee(rate_bp=0, least=money["service"], most=money["service"]),
        preparation_min=20,
    )
    burrata = MenuOption(option="burrata", name="Burrata", price=money["extra"])
    dish = MenuItem(
        sku=Sku("pizza-margherita"),
        name="Pizza",
        price=money["dish"],
        tax_class="food",
        groups=(OptionGroup(name="Extras", choose_min=0, choose_max=1, options=(burrata,)),),
    )
    caller = Caller(Actor(Role.RESTAURANT, "kiosk"), "opening", "opening")
    for command in (
        RegisterRestaurant(restaurant=RestaurantId("kiosk"), profile=profile),
        PublishMenu(menu=Menu(sections=(Section(name="Food", items=(dish,)),))),
    ):
        change_restaurant(shop.log, RestaurantId("kiosk"), command, caller)


_MENU = ("dish", "extra", "delivery", "service")


def _no_wait(_seconds: float) -> None:
    """Let simulated latency take no time."""
