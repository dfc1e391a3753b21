"""The gateways over HTTP: one small protocol for payments, kitchens and couriers, described in docs/provider-api.yaml.

A real provider is put behind a service that speaks the protocol, as the sandbox does (``expediter sandbox``).
"""
