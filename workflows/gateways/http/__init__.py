"""The gateways over HTTP: one small protocol for payments, kitchens and couriers, described in docs/provider-api.yaml.

A real provider is put behind a service that speaks it; the sandbox does (``expediter sandbox``).
"""

from workflows.gateways.http.courier import HttpCouriers
from workflows.gateways.http.kitchen import HttpKitchen
from workflows.gateways.http.payment import HttpPayments

__all__ = ["HttpCouriers", "HttpKitchen", "HttpPayments"]
