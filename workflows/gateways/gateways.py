"""The three providers of an engine, together."""

from __future__ import annotations

from typing import Protocol

from workflows.gateways.courier import CourierGateway
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.payment import PaymentGateway


class Gateways(Protocol):
    """One gateway a provider: the sandbox has this shape, and so do the gateways over HTTP."""

    @property
    def payments(self) -> PaymentGateway: ...

    @property
    def kitchen(self) -> KitchenGateway: ...

    @property
    def couriers(self) -> CourierGateway: ...
