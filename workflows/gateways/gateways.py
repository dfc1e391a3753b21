"""The gateways of an engine to its three providers."""

from __future__ import annotations

from typing import Protocol

from workflows.gateways.courier import CourierGateway
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.payment import PaymentGateway


class Gateways(Protocol):
    """One gateway for each provider. The sandbox implements it, and so do the gateways over HTTP."""

    @property
    def payments(self) -> PaymentGateway: ...

    @property
    def kitchen(self) -> KitchenGateway: ...

    @property
    def couriers(self) -> CourierGateway: ...
