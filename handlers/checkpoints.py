"""The function that publishes checkpoints of the log: an hour after the last one, or at once for ``{"now": true}``.

For ``{"manifest": text}`` it signs the manifest of an export, and no other text: no other function may use the key.

It is called every five minutes, so that a checkpoint that failed is made up for soon, and so is one that was due while
the engine did not run.
"""

from __future__ import annotations

from typing import Any

from workflows.engine import engine
from workflows.exports.manifest import Manifest
from workflows.settings import read_checkpoint_key, read_checkpoints_bucket


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point."""
    ports = engine(read_checkpoints_bucket, read_checkpoint_key)
    if ports.heads is None:
        return {"checkpoints": 0}
    if "manifest" in event:
        return {"signed": ports.heads.sign(text=Manifest.read(event["manifest"]).text)}
    made = ports.heads.round(now=ports.clock.now(), even_if_not_due=event.get("now") is True)
    return {"checkpoints": len(made)}
