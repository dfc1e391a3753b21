"""Open the engine of a function on AWS from its settings.

Every function has the event log and the documents. Its variables decide which other ports it has: a port without its
variables is a stand-in that raises SettingsRefused when it is used, as the function's role would refuse the call. Ports
that not every call needs are opened on first use, because creating an AWS client takes 0.1 s on a small function.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from workflows.audit.exports import ExportMaker, Exports
from workflows.audit.head_tree import HeadTree
from workflows.aws import clients
from workflows.aws.documents import DynamoDbDocuments
from workflows.aws.event_log import DynamoDbEventLog
from workflows.breakers.dependencies import Dependency
from workflows.breakers.settings import BreakerSettings, read_breakers
from workflows.catalogue.picture_store import Pictures
from workflows.clock import Clock, SystemClock
from workflows.engine import EVENT_TYPES, Engine, Views, assemble, http_webhooks
from workflows.event_store.codec import Codec
from workflows.event_store.documents import Documents
from workflows.event_store.event_log import EventLog
from workflows.event_store.failed_batches import RedrivableBatches
from workflows.event_store.keyring import KeyRing, NoKeys
from workflows.event_store.segments import Segments
from workflows.executions import ExecutionReads, Executions
from workflows.gateways.courier import CourierGateway
from workflows.gateways.http.settings import PROVIDERS, ProviderSettings, read_providers
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.payment import PaymentGateway
from workflows.publishing.event_bus import EventBus
from workflows.settings import (
    CHECKPOINTS,
    EXPORT_MAKER,
    EXPORTS,
    FAILED_BATCHES,
    KEYS,
    MANIFEST_SIGNER,
    PICTURES,
    KeySettings,
    Reader,
    SettingsRefused,
    StoreSettings,
    read_archive_bucket,
    read_checkpoint_key,
    read_checkpoints_bucket,
    read_export_maker,
    read_exports_bucket,
    read_failed_batches_bucket,
    read_keys,
    read_manifest_signer,
    read_pictures_bucket,
    read_stores,
    read_views_secret,
)

Port = TypeVar("Port")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """``keys`` and ``providers`` are None for a function without them; ``views_secret`` is the ARN of a secret.

    ``pictures_bucket`` and ``checkpoints_bucket`` are None for a function without them, and ``checkpoint_key`` is empty
    for a function that only reads checkpoints. Those of exports are
    empty for a function that neither begins nor makes them, and ``failed_batches_bucket`` for one that does not try
    them again.
    """

    stores: StoreSettings
    keys: KeySettings | None
    providers: ProviderSettings | None
    views_secret: str | None
    pictures_bucket: str | None
    checkpoints_bucket: str | None
    checkpoint_key: str
    exports_bucket: str
    export_maker: str
    manifest_signer: str
    archive_bucket: str
    failed_batches_bucket: str
    breakers: Mapping[Dependency, BreakerSettings]


def read_engine_settings(reader: Reader) -> EngineSettings:
    """Read what every function has, and the groups of which the function has at least one variable."""
    return EngineSettings(
        stores=read_stores(reader),
        keys=read_keys(reader) if reader.has_any(*KEYS) else None,
        providers=read_providers(reader) if reader.has_any(*PROVIDERS) else None,
        views_secret=read_views_secret(reader),
        pictures_bucket=read_pictures_bucket(reader) if reader.has_any(PICTURES) else None,
        checkpoints_bucket=read_checkpoints_bucket(reader) if reader.has_any(CHECKPOINTS) else None,
        checkpoint_key=read_checkpoint_key(reader) if reader.has_any("CHECKPOINT_KEY") else "",
        exports_bucket=read_exports_bucket(reader) if reader.has_any(EXPORTS) else "",
        export_maker=read_export_maker(reader) if reader.has_any(EXPORT_MAKER) else "",
        manifest_signer=read_manifest_signer(reader) if reader.has_any(MANIFEST_SIGNER) else "",
        archive_bucket=read_archive_bucket(reader),
        failed_batches_bucket=read_failed_batches_bucket(reader) if reader.has_any(FAILED_BATCHES) else "",
        breakers=read_breakers(reader),
    )


def open_engine(settings: EngineSettings) -> Engine:
    """Open the ports. No AWS client is created but that of DynamoDB.

    The function that calls providers loads orders at each step and needs a key for one call, the authorization of the
    payment: its ``log`` has no keys.
    """
    clock = SystemClock()
    stores = settings.stores
    payments, kitchen, couriers = _gateways(settings.providers)
    views_secret, bucket = settings.views_secret, settings.pictures_bucket
    checkpoints, signs = settings.checkpoints_bucket, settings.checkpoint_key
    maker, signer = settings.export_maker, settings.manifest_signer
    failed = settings.failed_batches_bucket
    segments = late(lambda: _segments(settings.archive_bucket))

    def log(keyring: KeyRing) -> EventLog:
        return DynamoDbEventLog(clients.dynamodb(), stores.events_table, Codec(keyring, EVENT_TYPES), clock, segments)

    keyring = _keyring(settings.keys)
    with_keys, without_keys = log(keyring), log(NoKeys())
    documents = DynamoDbDocuments(clients.dynamodb(), stores.documents_table)
    return assemble(
        log=with_keys if settings.providers is None else without_keys,
        log_with_keys=with_keys,
        log_without_keys=without_keys,
        documents=documents,
        executions=late(_executions),
        payments=payments,
        kitchen=kitchen,
        couriers=couriers,
        clock=clock,
        keyring=keyring,
        webhooks=late(http_webhooks),
        views=None if views_secret is None else late(lambda: _views(views_secret)),
        breakers=settings.breakers,
        pictures=None if bucket is None else late(lambda: _pictures(bucket)),
        execution_reads=late(_execution_reads),
        exports=late(lambda: _exports(settings.exports_bucket, maker, clock)) if maker else None,
        export_maker=late(lambda: _export_maker(settings.exports_bucket, signer)) if signer else None,
        failed_batches=late(lambda: _failed_batches(failed)) if failed else None,
        heads=None if checkpoints is None else late(lambda: _heads(checkpoints, signs, without_keys, documents)),
    )


def open_event_bus(name: str) -> EventBus:
    """Open the event bus of this name."""
    from workflows.aws.event_bridge import EventBridgeBus

    return EventBridgeBus(clients.event_bridge(), name)


def late(open_: Callable[[], Port]) -> Port:
    """Return a port that is opened when it is first used."""
    return cast("Port", _Late(open_))


class _Late:
    """Opens a port when an attribute of it is first read, and passes every attribute through."""

    def __init__(self, open_: Callable[[], Any]) -> None:
        self._open = open_
        self._opening = threading.Lock()
        self._opened: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._opening:
            if self._opened is None:
                self._opened = self._open()
        return getattr(self._opened, name)


def _keyring(keys: KeySettings | None) -> KeyRing:
    if keys is None:
        return NoKeys()

    def open_() -> KeyRing:
        from workflows.aws.keyring import KmsKeyRing

        return KmsKeyRing(clients.dynamodb(), clients.kms(), keys.keys_table, keys.customer_key)

    return late(open_)


def _views(secret: str) -> Views:
    from workflows.aws.secrets import secret_values
    from workflows.orders.blind_index import BlindIndex

    value = secret_values(clients.secrets_manager(), secret)
    return Views(value("url"), BlindIndex(bytes.fromhex(value("blind_index_key"))))


def _pictures(bucket: str) -> Pictures:
    from workflows.aws.pictures import S3Pictures

    return S3Pictures(clients.s3(), bucket)


def _segments(bucket: str) -> Segments:
    from workflows.aws.archive import S3Segments

    return S3Segments(clients.s3(), bucket)


def _exports(bucket: str, maker: str, clock: Clock) -> Exports:
    from workflows.aws.exports import ExportBucket, S3Exports

    return S3Exports(ExportBucket(clients.s3(), bucket), clients.lambda_(), maker, clock)


def _export_maker(bucket: str, signer: str) -> ExportMaker:
    from workflows.aws.exports import ExportBucket, S3ExportMaker

    return S3ExportMaker(ExportBucket(clients.s3(), bucket), clients.lambda_(), signer)


def _failed_batches(bucket: str) -> RedrivableBatches:
    from workflows.aws.failed_batches import FailedBatches
    from workflows.aws.redriving import InvokedBatches

    return InvokedBatches(FailedBatches(clients.s3(), bucket), clients.lambda_())


def _heads(bucket: str, key_id: str, log: EventLog, documents: Documents) -> HeadTree:
    from workflows.audit.noted_heads import NotedHeads
    from workflows.aws.checkpoints import KmsSigner, S3Checkpoints

    store = S3Checkpoints(clients.s3(), bucket)
    return HeadTree(
        store=store,
        changed=NotedHeads(documents, log, SystemClock()),
        signer=KmsSigner(clients.kms(), key_id),
        log=log,
    )


def _executions() -> Executions:
    from workflows.aws.step_functions import StepFunctions

    return StepFunctions(clients.step_functions())


def _execution_reads() -> ExecutionReads:
    from workflows.aws.execution_reads import StepFunctionsReads

    return StepFunctionsReads(clients.step_functions())


def _gateways(settings: ProviderSettings | None) -> tuple[PaymentGateway, KitchenGateway, CourierGateway]:
    if settings is None:
        return late(_no_providers), late(_no_providers), late(_no_providers)
    from workflows.aws.secrets import secret_values
    from workflows.gateways.http.courier import HttpCouriers
    from workflows.gateways.http.kitchen import HttpKitchen
    from workflows.gateways.http.payment import HttpPayments

    credentials = cache(lambda: secret_values(clients.secrets_manager(), settings.secret))
    return (
        HttpPayments(settings.payments_url, lambda: credentials()("payments")),
        HttpKitchen(settings.kitchen_url, lambda: credentials()("kitchen")),
        HttpCouriers(settings.couriers_url, lambda: credentials()("couriers")),
    )


def _no_providers() -> Any:
    raise SettingsRefused(PROVIDERS, {})
