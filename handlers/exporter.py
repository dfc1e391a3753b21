"""The function that makes one export: ``{"export": id}``. The function that takes the request invokes it."""

from __future__ import annotations

from typing import Any

from workflows.audit.exports import NoExports
from workflows.engine import engine
from workflows.search.reading import views_of
from workflows.settings import read_exports_bucket, read_manifest_signer


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda entry point. An export that has ended is left as it is, so the function may be invoked again."""
    ports = engine(read_exports_bucket, read_manifest_signer)
    if ports.export_maker is None:
        raise NoExports
    ended = ports.export_maker.make(
        event["export"], views_of(ports).database, lambda: context.get_remaining_time_in_millis() / 1000
    )
    return {"state": ended.state.value, "rows": ended.rows, "error": ended.error}
