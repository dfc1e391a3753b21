"""Exports of events as files, for auditors. Its routes are served by the function of ``search_api``."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.export_models import ExportBody, ExportFilter
from handlers.http.parameters import InQuery
from handlers.http.preconditions import RequiredKey
from handlers.http.responses import Response
from handlers.http.values import Shape
from workflows.audit.exports import BLOCK, Export, ExportFormat, ExportState
from workflows.clock import timestamp
from workflows.engine import engine
from workflows.orders.access import record_audit_read
from workflows.orders.permissions import Action, check_role
from workflows.search.reading import age_of, in_snapshot, views_of

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.export_json import ExportBlockJson, ExportJson

ROUTE = "POST /exports"
TAG = "Audit"

api = Api()

ExportIdText = Annotated[str, Shape("[0-9a-f]{32}", "must be the id of an export: 32 of 0-9 and a-f")]
BlockNumber = Annotated[int, Field(ge=0, le=1_000_000), InQuery("The number of the block; the first is 0.")]


@operation(api, "POST", "/exports", tag=TAG, answers="ExportJson", statuses=(202,), order=False)
def create_export(body: ExportBody, idempotency_key: RequiredKey) -> Response:
    """Begin to make a file of events. For auditors.

    It holds no personal data. Read the export until it is `done`, then its blocks. Its signed manifest has the hash of
    each block. The same key again returns the same export. Files are kept for a day. The request is recorded.
    On AWS there is no Parquet.
    """
    ports, caller = engine(), api.caller
    check_role(caller.actor, Action.EXPORT)
    now = ports.clock.now()
    newest = timestamp(now) if body.as_of is None else min(timestamp(body.as_of), timestamp(now))
    export = Export(
        id=sha256(repr((caller.actor, idempotency_key)).encode()).hexdigest()[:32],
        format=ExportFormat(body.format),
        filter=_stored(body.filter),
        as_of=min(newest, _views_to() or newest),
        requested_by=caller.actor.id,
        requested_at=timestamp(now),
    )
    request = json.dumps(
        {"format": export.format.value, "filter": export.filter, "as_of": export.as_of}, sort_keys=True
    )
    record_audit_read(ports.log, caller, route=ROUTE, request=request, at=now)
    begun = ports.exports.begin(export)
    return json_answer(_shown(begun, None), HTTPStatus.ACCEPTED, {"Location": f"/exports/{begun.id}"})


def _views_to() -> str | None:
    """Return when the newest commit in the views was recorded; None if that is unknown. Raises ViewsUnavailable."""
    ports = engine()
    age = in_snapshot(ports, views_of(ports), lambda store, connection: age_of(ports, store, connection))
    recorded_at: str | None = age["recorded_at"]
    return recorded_at


def _stored(wanted: ExportFilter) -> dict[str, Any]:
    values = wanted.model_dump(exclude_none=True)
    return {name: timestamp(value) if isinstance(value, datetime) else value for name, value in values.items()}


@operation(api, "GET", "/exports/{export_id}", tag=TAG, answers="ExportJson", order=False)
def get_export(export_id: ExportIdText) -> Response:
    """Read how far an export is, and its signed manifest once it is done."""
    check_role(api.caller.actor, Action.EXPORT)
    exports = engine().exports
    export = exports.find(export_id)
    return json_answer(_shown(export, exports.link(export_id) if export.state is ExportState.DONE else None))


@operation(api, "GET", "/exports/{export_id}/content", tag=TAG, answers="ExportBlockJson", order=False)
def get_export_block(export_id: ExportIdText, block: BlockNumber = 0) -> Response:
    """Read a block of the file of an export that is done."""
    check_role(api.caller.actor, Action.EXPORT)
    exports = engine().exports
    export, content = exports.find(export_id), exports.block(export_id, block)
    body: ExportBlockJson = {
        "block": block,
        "content": base64.b64encode(content).decode(),
        "next": block + 1 if (block + 1) * BLOCK < export.bytes else None,
    }
    return json_answer(body)


def _shown(export: Export, url: str | None) -> ExportJson:
    return {
        "id": export.id,
        "format": export.format.value,
        "filter": dict(export.filter),
        "as_of": export.as_of,
        "state": export.state.value,
        "rows": export.rows,
        "bytes": export.bytes,
        "blocks": -(-export.bytes // BLOCK) if export.state is ExportState.DONE else 0,
        "sha256": export.sha256,
        "manifest": export.manifest,
        "error": export.error,
        "url": url,
    }
