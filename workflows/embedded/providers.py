"""Real providers for the embedded engine, over the protocol of ``docs/provider-api.yaml``.

On AWS the template passes their URLs to the functions, and AWS Secrets Manager holds their credentials. Here the URLs
are the same parameters, and the credentials are the same JSON object in ``providers.json`` in the engine's folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

from workflows.clock import Clock
from workflows.gateways.gateways import Gateways
from workflows.gateways.http.courier import HttpCouriers
from workflows.gateways.http.kitchen import HttpKitchen
from workflows.gateways.http.payment import HttpPayments
from workflows.gateways.http.provider import ProviderUrlRefused
from workflows.hub.hub import Hub

T = TypeVar("T")

OpenGateways: TypeAlias = Callable[[Path, Clock, Hub], AbstractContextManager[Gateways]]
"""Opens the providers that orders call: given the engine's folder, after it is locked. Closed after the engine."""

PARAMETERS = ("PaymentsUrl", "KitchenUrl", "CouriersUrl")
"""The template's parameters with the providers' base URLs."""

CREDENTIALS = "providers.json"
"""In the engine's folder: ``{"payments": "...", "kitchen": "...", "couriers": "..."}``, the bearer token of each."""

_PROVIDERS = ("payments", "kitchen", "couriers")


class ProvidersUnusable(Exception):
    """The providers cannot be called: a URL or a credential is missing or wrong. The message says what to do."""


class ProviderTokenMissing(LookupError):
    """``providers.json`` has no usable token for a provider."""


@dataclass(frozen=True, slots=True)
class HttpGateways:
    """The three providers over HTTP."""

    payments: HttpPayments
    kitchen: HttpKitchen
    couriers: HttpCouriers


def http_gateways(parameters: Mapping[str, str]) -> OpenGateways | None:
    """Return an opener of the providers for ``EmbeddedEngine.open``, or None if the parameters name no provider.

    The credentials are read for each call, so a changed one is used without a restart.

    Args:
        parameters: Those of the template. Either all of ``PARAMETERS`` have a value or none.

    Raises:
        ProvidersUnusable: Some of the URLs are missing, or one is not the URL of a provider.
    """
    urls = {name: parameters[name] for name in PARAMETERS if parameters.get(name)}
    if not urls:
        return None
    missing = [name for name in PARAMETERS if name not in urls]
    if missing:
        # With real payments and a simulated kitchen, customers would pay for meals that are never cooked.
        raise ProvidersUnusable(
            f"{', '.join(urls)} without {', '.join(missing)}: give the URLs of all three or of none"
        )
    for name, url in urls.items():
        try:
            HttpPayments(url, str)
        except ProviderUrlRefused as refused:
            raise ProvidersUnusable(f"{name} is {refused}") from None

    @contextmanager
    def open_(folder: Path, clock: Clock, hub: Hub) -> Iterator[Gateways]:
        path = folder / CREDENTIALS
        for provider in _PROVIDERS:
            try:
                _credential(path, provider)
            except ProviderTokenMissing as error:
                raise ProvidersUnusable(f"{error}; write {{{', '.join(_EXAMPLE)}}} into it") from None
        yield HttpGateways(
            payments=elsewhere(hub, HttpPayments(urls["PaymentsUrl"], partial(_credential, path, "payments"), clock)),
            kitchen=elsewhere(hub, HttpKitchen(urls["KitchenUrl"], partial(_credential, path, "kitchen"), clock)),
            couriers=elsewhere(hub, HttpCouriers(urls["CouriersUrl"], partial(_credential, path, "couriers"), clock)),
        )

    return open_


def elsewhere(hub: Hub, gateway: T) -> T:
    """Return a port with its calls made on threads of the hub's pool, because they wait for sockets."""
    return cast("T", _Elsewhere(hub, gateway))


class _Elsewhere:
    def __init__(self, hub: Hub, gateway: object) -> None:
        self._hub = hub
        self._gateway = gateway

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._gateway, name)
        if not callable(found):
            return found

        def call(*values: Any, **arguments: Any) -> Any:
            return self._hub.elsewhere(lambda: found(*values, **arguments))

        return call


_EXAMPLE = [f'"{provider}": "TOKEN"' for provider in _PROVIDERS]


def _credential(path: Path, provider: str) -> str:
    """Read a provider's token. Raises ProviderTokenMissing; the message does not quote the file."""
    try:
        credentials = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProviderTokenMissing(f"{path} is missing") from None
    except (OSError, ValueError):
        raise ProviderTokenMissing(f"{path} cannot be read as JSON") from None
    token = credentials.get(provider) if isinstance(credentials, dict) else None
    if not isinstance(token, str) or not token:
        raise ProviderTokenMissing(f"{path} has no token for {provider}")
    return token
