"""Endpoints: the URLs that backend services registered, each with its secrets, kept as documents.

Secrets are kept in the documents as they are: every attempt needs them to sign, so a key to unseal them would lie
beside them. On AWS the table is encrypted by the stack's own KMS key; on one machine the folder's owner alone may read
the file, as with the key that signs access tokens. No answer and no log line holds a secret, except the one answer that
creates it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from domain.identifiers import Actor, Role
from workflows.event_store.commits import KeyReused
from workflows.event_store.documents import ANY, Document, DocumentChanged, Documents, all_documents, body_as
from workflows.event_store.transact import CONFLICTS_MAX
from workflows.publishing.webhooks.refusals import NoSuchEndpoint, TooManyEndpoints
from workflows.publishing.webhooks.signing import new_secret

PARTITION = "webhook-endpoints"

ENDPOINTS_MAX = 100
"""Endpoints of all services together: each event is compared with all of them."""

BOTH_VALID = timedelta(hours=24)
"""After a rotation the old secret signs beside the new one for this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """An endpoint as it is stored.

    Attributes:
        owner: The service that registered it.
        types: The CloudEvents types that it receives; empty for all, also for those that are added later.
        enabled: Whether events are sent. False after its owner disabled it, and after it was paused.
        secret: Signs every attempt.
        previous_secret: Signs beside it until ``previous_until``.
        failing_since: The first failed attempt since the last success.
        slow: The last answer took long, so that attempts are left to the schedule.
        paused_at: When it was disabled because it failed for too long; ``paused_why`` is the reason, for people.
        removed: It is gone for callers; its deliveries are being deleted.
    """

    id: str
    owner: str
    url: str
    types: tuple[str, ...]
    description: str
    created_at: datetime
    secret: str = field(repr=False)
    enabled: bool = True
    previous_secret: str = field(default="", repr=False)
    previous_until: datetime | None = None
    failing_since: datetime | None = None
    slow: bool = False
    paused_at: datetime | None = None
    paused_why: str = ""
    removed: bool = False

    def receives(self, event_type: str) -> bool:
        return not self.types or event_type in self.types

    def signing_secrets(self, now: datetime) -> tuple[str, ...]:
        """Return the secrets that are valid now, the new one first."""
        both = self.previous_until is not None and now < self.previous_until
        return (self.secret, self.previous_secret) if both else (self.secret,)


def register(
    documents: Documents,
    actor: Actor,
    key: str,
    *,
    url: str,
    types: Iterable[str],
    description: str,
    enabled: bool,
    now: datetime,
) -> tuple[WebhookEndpoint, bool]:
    """Register an endpoint under the caller's key.

    Returns:
        The endpoint, and whether an earlier attempt under the key had registered it.

    Raises:
        KeyReused: The caller registered another endpoint under the key.
        TooManyEndpoints: There are ``ENDPOINTS_MAX`` already.
    """
    endpoint = WebhookEndpoint(
        id="whe_" + sha256(f"{actor.role}/{actor.id}/{key}".encode()).hexdigest()[:16],
        owner=actor.id,
        url=url,
        types=tuple(sorted(set(types))),
        description=description,
        created_at=now,
        secret=new_secret(),
        enabled=enabled,
    )
    listed = stored_endpoints(documents)
    if (earlier := next((each for each in listed if each.id == endpoint.id), None)) is not None:
        return _same(earlier, endpoint, key), True
    if len(listed) >= ENDPOINTS_MAX:
        raise TooManyEndpoints(ENDPOINTS_MAX)
    try:
        documents.put(_document(endpoint), None)
    except DocumentChanged:  # the same request arrived twice at once
        return _same(find(documents, actor, endpoint.id), endpoint, key), True
    return endpoint, False


def stored_endpoints(documents: Documents) -> list[WebhookEndpoint]:
    """Return all endpoints, also those that are disabled or being removed."""
    stored = (body_as(document, WebhookEndpoint) for document in all_documents(documents, PARTITION))
    return [endpoint for endpoint in stored if endpoint is not None]


def visible(documents: Documents, actor: Actor) -> list[WebhookEndpoint]:
    """Return the endpoints that a caller may see, the oldest first: support all of them, a service its own."""
    seen = (each for each in stored_endpoints(documents) if _may_see(actor, each))
    return sorted(seen, key=lambda endpoint: endpoint.created_at)


def find(documents: Documents, actor: Actor, endpoint_id: str) -> WebhookEndpoint:
    """Return an endpoint that the caller may see. Raises NoSuchEndpoint."""
    endpoint = load(documents, endpoint_id)
    if endpoint is None or not _may_see(actor, endpoint):
        raise NoSuchEndpoint(endpoint_id)
    return endpoint


def load(documents: Documents, endpoint_id: str) -> WebhookEndpoint | None:
    return body_as(documents.get(PARTITION, endpoint_id), WebhookEndpoint)


def change(
    documents: Documents, endpoint_id: str, changed: Callable[[WebhookEndpoint], WebhookEndpoint]
) -> WebhookEndpoint:
    """Replace an endpoint by the result of ``changed``; nothing is written if that is equal.

    Raises:
        NoSuchEndpoint: It is gone.
        DocumentChanged: Others kept changing it.
    """
    for attempt in range(CONFLICTS_MAX):
        document = documents.get(PARTITION, endpoint_id)
        endpoint = body_as(document, WebhookEndpoint)
        if document is None or endpoint is None:
            raise NoSuchEndpoint(endpoint_id)
        after = changed(endpoint)
        if after == endpoint:
            return endpoint
        try:
            documents.put(_document(after), document.version)
            return after
        except DocumentChanged:
            if attempt == CONFLICTS_MAX - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def edited(
    endpoint: WebhookEndpoint,
    *,
    url: str | None = None,
    types: Iterable[str] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> WebhookEndpoint:
    """Return the endpoint with its owner's changes; None leaves a field as it is. Enabling it also ends a pause."""
    after = replace(
        endpoint,
        url=endpoint.url if url is None else url,
        types=endpoint.types if types is None else tuple(sorted(set(types))),
        description=endpoint.description if description is None else description,
        enabled=endpoint.enabled if enabled is None else enabled,
    )
    return replace(after, failing_since=None, slow=False, paused_at=None, paused_why="") if enabled else after


def rotated(endpoint: WebhookEndpoint, now: datetime) -> WebhookEndpoint:
    """Return the endpoint with a new secret. The old one signs beside it for ``BOTH_VALID``.

    A rotation within that time replaces the new secret and keeps the old one, which receivers still use: so the request
    can be repeated when its answer was lost.
    """
    old = endpoint.signing_secrets(now)[-1]
    return replace(endpoint, secret=new_secret(), previous_secret=old, previous_until=now + BOTH_VALID)


def marked_removed(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Return the endpoint as it is stored until its deliveries are deleted."""
    return replace(endpoint, enabled=False, removed=True)


def forget(documents: Documents, endpoint_id: str) -> None:
    """Delete the document of an endpoint whose deliveries are gone."""
    documents.delete(PARTITION, endpoint_id, ANY)


def _may_see(actor: Actor, endpoint: WebhookEndpoint) -> bool:
    return not endpoint.removed and (actor.role is Role.SUPPORT or actor.id == endpoint.owner)


def _same(earlier: WebhookEndpoint, endpoint: WebhookEndpoint, key: str) -> WebhookEndpoint:
    fields = ("url", "types", "description")
    if any(getattr(earlier, name) != getattr(endpoint, name) for name in fields) or earlier.removed:
        raise KeyReused(endpoint.id, key)
    return earlier


def _document(endpoint: WebhookEndpoint) -> Document:
    return Document(PARTITION, endpoint.id, msgspec.to_builtins(endpoint))
