"""The engine of a function on AWS, out of its environment variables.

Every function has the log and the documents. What else it may do, its variables say: a port whose variables are not
there is a stand-in that says so when it is used, as its role would refuse the call. Ports that not every call needs are
opened on first use, because each client of AWS takes a tenth of a second to make on a small function.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from workflows.aws import clients
from workflows.aws.documents import DynamoDbDocuments
from workflows.aws.event_log import DynamoDbEventLog
from workflows.breakers.settings import breaker_settings
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES, KEYS, PROVIDERS, Engine, EnvironmentIncomplete, assemble
from workflows.event_store.codec import Codec
from workflows.event_store.keyring import KeyRing, NoKeys
from workflows.executions import Executions
from workflows.gateways.courier import CourierGateway
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.payment import PaymentGateway
from workflows.publishing.event_bus import EventBus

STORES = ("EVENTS_TABLE", "DOCUMENTS_TABLE")
"""Every function has them."""

Port = TypeVar("Port")


class ProviderUrlsRefused(ValueError):
    """Variables say where no provider can be. The message names each of them, and what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))


def open_engine(environment: Mapping[str, str], needs: tuple[str, ...] = ()) -> Engine:
    """``needs``: what the function reads from its environment besides.

    Raises:
        EnvironmentIncomplete: It names every variable that is missing.
        BreakerSettingRefused, ProviderUrlsRefused: Variables say what cannot be.
    """
    _check(environment, needs)
    clock = SystemClock()
    codec = Codec(_keyring(environment), EVENT_TYPES)
    payments, kitchen, couriers = _gateways(environment)
    return assemble(
        log=DynamoDbEventLog(clients.dynamodb(), environment["EVENTS_TABLE"], codec, clock),
        documents=DynamoDbDocuments(clients.dynamodb(), environment["DOCUMENTS_TABLE"]),
        executions=late(_executions),
        payments=payments,
        kitchen=kitchen,
        couriers=couriers,
        clock=clock,
        breakers=breaker_settings(environment),
    )


def open_event_bus(environment: Mapping[str, str]) -> EventBus:
    """Raises EnvironmentIncomplete."""
    from workflows.aws.event_bridge import EventBridgeBus

    name = environment.get("EVENT_BUS")
    if not name:
        raise EnvironmentIncomplete(["EVENT_BUS"])
    return EventBridgeBus(clients.event_bridge(), name)


def late(open_: Callable[[], Port]) -> Port:
    """A port that is opened when it is first used."""
    return cast("Port", _Late(open_))


class _Late:
    """Stands for a port until somebody uses it, and hands on to it from then on."""

    def __init__(self, open_: Callable[[], Any]) -> None:
        self._open = open_
        self._opening = threading.Lock()
        self._opened: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
        return getattr(self._opened, name)


def _check(environment: Mapping[str, str], needs: tuple[str, ...]) -> None:
    begun = [group for group in (KEYS, PROVIDERS) if any(environment.get(name) for name in group)]
    wanted = dict.fromkeys([*STORES, *needs, *(name for group in begun for name in group)])
    missing = [name for name in wanted if not environment.get(name)]
    if missing:
        raise EnvironmentIncomplete(missing)


def _keyring(environment: Mapping[str, str]) -> KeyRing:
    if not environment.get("KEYS_TABLE"):
        return NoKeys()

    def open_() -> KeyRing:
        from workflows.aws.keyring import KmsKeyRing

        table, key = environment["KEYS_TABLE"], environment["CUSTOMER_KEY"]
        return KmsKeyRing(clients.dynamodb(), clients.kms(), table, key)

    return late(open_)


def _executions() -> Executions:
    from workflows.aws.step_functions import StepFunctions

    return StepFunctions(clients.step_functions())


def _gateways(environment: Mapping[str, str]) -> tuple[PaymentGateway, KitchenGateway, CourierGateway]:
    if not environment.get("PROVIDERS_SECRET"):
        return late(_no_providers), late(_no_providers), late(_no_providers)
    from workflows.aws.secrets import provider_credentials
    from workflows.gateways.http.courier import HttpCouriers
    from workflows.gateways.http.kitchen import HttpKitchen
    from workflows.gateways.http.payment import HttpPayments

    _check_urls({name: environment[name] for name in PROVIDERS if name.endswith("_URL")})
    secret = environment["PROVIDERS_SECRET"]
    credentials = cache(lambda: provider_credentials(clients.secrets_manager(), secret))
    return (
        HttpPayments(environment["PAYMENTS_URL"], lambda: credentials()("payments")),
        HttpKitchen(environment["KITCHEN_URL"], lambda: credentials()("kitchen")),
        HttpCouriers(environment["COURIERS_URL"], lambda: credentials()("couriers")),
    )


def _check_urls(urls: Mapping[str, str]) -> None:
    """The gateways check theirs one by one, and do not know of variables."""
    from workflows.gateways.errors import Unavailable
    from workflows.gateways.http.provider import Provider, ProviderUrlRefused

    problems = {}
    for name, url in urls.items():
        try:
            Provider(url, str, Unavailable)
        except ProviderUrlRefused as refused:
            problems[name] = str(refused)
    if problems:
        raise ProviderUrlsRefused(problems)


def _no_providers() -> Any:
    raise EnvironmentIncomplete(PROVIDERS)
