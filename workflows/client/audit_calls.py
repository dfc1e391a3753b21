"""Requests of auditors: queries, exports, proofs and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote as quoted

from .api_call import ApiCall
from .api_call import listed as _list
from .api_call import order_path as _order
from .api_call import rfc3339 as _rfc3339
from .api_call import set_fields as _set
from .api_call import write as _write
from .audit_json import CheckpointsJson, HeadsJson, ProofJson, VerificationJson
from .export_json import ExportBlockJson, ExportJson
from .query_json import QueryResultJson


def query(sql: str, *, as_of: datetime | None = None, limit: int = 100) -> ApiCall[QueryResultJson]:
    """Query the events of all orders with SQL. For auditors; the query is recorded.

    Args:
        as_of: Leave out what was recorded after this time.
        limit: The most rows, 1,000 at most.
    """
    body = {"sql": sql, "limit": limit, **_set(as_of=None if as_of is None else _rfc3339(as_of))}
    return ApiCall(method="POST", path="/audit/query", body=body)


def create_export(
    filter: Mapping[str, Any],  # noqa: A002 -- as the API names it
    *,
    format: str = "jsonl",  # noqa: A002 -- as the API names it
    as_of: datetime | None = None,
    key: str | None = None,
) -> ApiCall[ExportJson]:
    """Begin to make a file of events. For auditors; the request is recorded.

    Args:
        filter: By the names of the parameters of ``events``, e.g. ``{"type": ["CreditGranted"]}``.
        format: ``jsonl``, ``csv`` or ``parquet``.
    """
    body = {"filter": dict(filter), "format": format, **_set(as_of=None if as_of is None else _rfc3339(as_of))}
    return _write("/exports", body, key)


def export(export_id: str) -> ApiCall[ExportJson]:
    """Read how far an export is, and its signed manifest once it is done."""
    return ApiCall(method="GET", path=f"/exports/{quoted(export_id, safe='')}")


def export_block(export_id: str, block: int) -> ApiCall[ExportBlockJson]:
    """Read a block of the file of an export that is done, in base64."""
    return ApiCall(method="GET", path=f"/exports/{quoted(export_id, safe='')}/content", query={"block": str(block)})


def proof(order_id: str) -> ApiCall[ProofJson]:
    """Prove what was recorded about the order. ``proof_file`` makes the file of it that ``expediter-verify`` checks."""
    return ApiCall(method="GET", path=_order(order_id, "proof"))


def checkpoints(*, limit: int = 50, before: int | None = None) -> ApiCall[CheckpointsJson]:
    """List the checkpoints of the log, the newest first."""
    return _list("/audit/checkpoints", **locals())


def verify(*, limit: int = 50, cursor: str | None = None) -> ApiCall[VerificationJson]:
    """Verify the next page of the log: streams first, then published heads."""
    return _list("/audit/verify", **locals())


def heads(*, checkpoint: int | None = None, limit: int = 100, after: int | None = None) -> ApiCall[HeadsJson]:
    """List the heads that a checkpoint added, by default the newest one."""
    return _list("/audit/heads", **locals())
