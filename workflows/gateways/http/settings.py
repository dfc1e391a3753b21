"""Where the providers are, and the secret with our credentials for them."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.settings import Reader

PROVIDERS = ("PAYMENTS_URL", "KITCHEN_URL", "COURIERS_URL", "PROVIDERS_SECRET")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """The URL of each provider, and the ARN of the secret that holds one bearer token a provider."""

    payments_url: str
    kitchen_url: str
    couriers_url: str
    secret: str


def read_providers(reader: Reader) -> ProviderSettings:
    return ProviderSettings(
        payments_url=reader.parsed("PAYMENTS_URL", _url),
        kitchen_url=reader.parsed("KITCHEN_URL", _url),
        couriers_url=reader.parsed("COURIERS_URL", _url),
        secret=reader.text("PROVIDERS_SECRET"),
    )


def _url(text: str) -> str:
    from workflows.gateways.http.provider import ProviderUrlRefused, provider_address  # only where there is a URL

    try:
        provider_address(text)
    except ProviderUrlRefused as refused:
        raise ValueError(f"is {refused}") from None
    return text
