"""Shared by the contract suites of gateways: one rig for each adapter, which opens the adapter for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from domain.identifiers import OrderId, order_id_for
from domain.money import Money
from tests.sandbox.opened import HandClock, OpenSandbox, clock, opened
from workflows.embedded.http.server import HttpServer
from workflows.gateways.courier import CourierGateway
from workflows.gateways.http.courier import HttpCouriers
from workflows.gateways.http.kitchen import HttpKitchen
from workflows.gateways.http.payment import HttpPayments
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.payment import Authorized, Captured, PaymentGateway
from workflows.sandbox.api import SandboxApi
from workflows.sandbox.opening import Sandbox
from workflows.sandbox.settings import SandboxSettings

__all__ = ["clock", "opened"]
"""Fixtures of the sandbox, which pytest finds here."""

Serve = Callable[[Sandbox], "Served"]


@dataclass(frozen=True)
class Served:
    """A sandbox behind its server on loopback; ``url`` without the counterparty's path."""

    url: str
    token: str

    def payments(self) -> HttpPayments:
        return HttpPayments(f"{self.url}/payments", lambda: self.token)

    def kitchen(self) -> HttpKitchen:
        return HttpKitchen(f"{self.url}/kitchen", lambda: self.token)

    def couriers(self) -> HttpCouriers:
        return HttpCouriers(f"{self.url}/couriers", lambda: self.token)


@pytest.fixture
def served() -> Iterator[Serve]:
    """Serve a sandbox over the provider protocol until the end of the test."""
    with ExitStack() as open_:

        def serve(sandbox: Sandbox) -> Served:
            api = open_.enter_context(closing(SandboxApi(sandbox, "secret")))
            server = open_.enter_context(closing(HttpServer(api.app, 0)))
            return Served(f"http://127.0.0.1:{server.port}", "secret")

        yield serve


@dataclass
class Calls:
    """Makes keys, as the order does: order id and version."""

    order: OrderId
    version: int = 0

    def key(self) -> str:
        self.version += 1
        return f"{self.order}/{self.version}"


@dataclass
class PaymentRig:
    """A payment adapter and what the contract has to know about its test environment."""

    gateway: PaymentGateway
    advance: Callable[[timedelta], None]
    remembers: timedelta  # how long the provider answers a repeated key with its first receipt
    expired_method: str
    declined_methods: dict[str, str]  # payment method -> reason
    refund_refused_method: str
    good_method: str = "pm_ok"
    calls: Calls = field(default_factory=lambda: Calls(order_id_for("contract", "1")))

    def held(self, amount: str = "40.00", method: str | None = None) -> Authorized:
        receipt = self.gateway.authorize(
            reference=self.calls.order,
            payment_method=method or self.good_method,
            amount=Money.parse(amount, "EUR"),
            key=self.calls.key(),
            timeout_s=10,
        )
        assert isinstance(receipt, Authorized)
        return receipt

    def captured(self, amount: str = "40.00", of: str = "40.00", method: str | None = None) -> Captured:
        receipt = self.gateway.capture(
            authorization_id=self.held(of, method).authorization_id,
            amount=Money.parse(amount, "EUR"),
            key=self.calls.key(),
            timeout_s=10,
        )
        assert isinstance(receipt, Captured)
        return receipt


@dataclass
class KitchenRig:
    """A kitchen adapter, and how long it takes until a ticket cannot be cancelled any more."""

    gateway: KitchenGateway
    advance: Callable[[timedelta], None]
    too_late_after: timedelta
    never_cooked: Callable[[str], bool]
    calls: Calls = field(default_factory=lambda: Calls(order_id_for("contract", "1")))


@dataclass
class CourierRig:
    """A courier adapter, and how long it takes until an offer cannot be withdrawn any more."""

    gateway: CourierGateway
    advance: Callable[[timedelta], None]
    too_late_after: timedelta
    never_offered: Callable[[str], bool]
    calls: Calls = field(default_factory=lambda: Calls(order_id_for("contract", "1")))


ADAPTERS = ["sandbox", "http"]
"""The sandbox itself, and the HTTP adapter in front of a server of the sandbox."""


@pytest.fixture(params=ADAPTERS)
def payments(request: pytest.FixtureRequest, opened: OpenSandbox, clock: HandClock, served: Serve) -> PaymentRig:
    """Every payment adapter there is."""
    sandbox = opened()
    return PaymentRig(
        gateway=sandbox.payments if request.param == "sandbox" else served(sandbox).payments(),
        advance=clock.advance,
        remembers=SandboxSettings().payment.remembers,
        expired_method="pm_expires",
        declined_methods={"pm_declined": "card_declined", "pm_insufficient_funds": "insufficient_funds"},
        refund_refused_method="pm_refund_refused",
    )


@pytest.fixture(params=ADAPTERS)
def kitchen(request: pytest.FixtureRequest, opened: OpenSandbox, clock: HandClock, served: Serve) -> KitchenRig:
    """Every kitchen adapter there is."""
    sandbox = opened()
    return KitchenRig(
        gateway=sandbox.kitchen if request.param == "sandbox" else served(sandbox).kitchen(),
        advance=clock.advance,
        too_late_after=SandboxSettings().kitchen.cooked_after,
        never_cooked=lambda key: [e.kind for e in sandbox.kitchen.entries() if e.id == key] == ["turned_away"],
    )


@pytest.fixture(params=ADAPTERS)
def couriers(request: pytest.FixtureRequest, opened: OpenSandbox, clock: HandClock, served: Serve) -> CourierRig:
    """Every courier adapter there is."""
    sandbox = opened()
    return CourierRig(
        gateway=sandbox.couriers if request.param == "sandbox" else served(sandbox).couriers(),
        advance=clock.advance,
        too_late_after=SandboxSettings().courier.under_way_after,
        never_offered=lambda key: [e.kind for e in sandbox.couriers.entries() if e.id == key] == ["turned_away"],
    )
