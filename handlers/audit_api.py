"""Checkpoints of the log over HTTP, the heads in them, verifying, and proofs of orders. For support and auditors."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from handlers.http.answers import json_answer
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.invalid import invalid
from handlers.http.moments import VERSION_SCHEMA, Cursor, Limit, read_version
from handlers.http.parameters import InQuery
from handlers.http.preconditions import etag
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.audit.checkpoint_store import CheckpointsUnavailable
from workflows.audit.head_tree import HeadTree, NoSuchCheckpoint, NumberedCheckpoint
from workflows.audit.verify_pages import verify_page
from workflows.engine import engine
from workflows.event_store.streams import order_stream
from workflows.orders import requests
from workflows.orders.permissions import Action, check_role
from workflows.settings import read_checkpoints_bucket

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.audit_json import CheckpointJson, CheckpointsJson, HeadsJson, VerificationJson

TAG = "Audit"

api = Api()


def _read_leaf(value: Any) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", str(value)):
        raise ValueError("must be a whole number from 0 to 999999999")
    return int(value)


_Number = Annotated[int, BeforeValidator(read_version), WithJsonSchema(VERSION_SCHEMA)]
_Leaf = Annotated[int, BeforeValidator(_read_leaf), WithJsonSchema({**VERSION_SCHEMA, "minimum": 0})]
BeforeNumber = Annotated[_Number | None, InQuery("Only checkpoints below this number; `next` of the previous page.")]
CheckpointIs = Annotated[_Number | None, InQuery("The checkpoint by its number; the newest if it is left out.")]
AfterLeaf = Annotated[_Leaf | None, InQuery("Only heads behind this leaf; `next` of the previous page.")]


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_checkpoints_bucket)
    return api.resolve(event)


@operation(api, "GET", "/audit/checkpoints", tag=TAG, answers="CheckpointsJson", order=False)
def list_checkpoints(limit: Limit = 50, before: BeforeNumber = None) -> Response:
    """List the checkpoints of the log, the newest first.

    A checkpoint is a signed head of the tree of the heads of all streams. It is made an hour after the last one, if
    something was recorded since. Keep copies where this company cannot change them.
    """
    heads = _heads()
    page = heads.list(before=before, limit=limit)
    body: CheckpointsJson = {
        "checkpoints": [_checkpoint(each) for each in page],
        "next": page[-1].number if page and page[-1].number > 1 else None,
        "key": page[0].header.key.text if page else None,
    }
    return json_answer(body)


@operation(api, "GET", "/audit/heads", tag=TAG, answers="HeadsJson", order=False, refuses=(404,))
def list_heads(checkpoint: CheckpointIs = None, limit: Limit = 100, after: AfterLeaf = None) -> Response:
    """List the heads that a checkpoint added to the tree: version and hash of the streams that changed in its hour."""
    tree = _heads()
    found = tree.list(before=None if checkpoint is None else checkpoint + 1, limit=1)
    if not found or checkpoint not in (None, found[0].number):
        raise NoSuchCheckpoint(f"There is no checkpoint {checkpoint or 1}.")
    first = found[0].header.first
    numbered = list(enumerate(tree.heads(number=found[0].number), start=first))
    rest = numbered[0 if after is None else max(after + 1 - first, 0) :]
    page = rest[:limit]
    body: HeadsJson = {
        "checkpoint": _checkpoint(found[0]),
        "heads": [
            {"leaf": leaf, "stream": head.stream, "version": head.version, "hash": head.hash.hex()}
            for leaf, head in page
        ],
        "next": page[-1][0] if len(rest) > limit else None,
    }
    return json_answer(body)


@operation(api, "GET", "/audit/verify", tag=TAG, answers="VerificationJson", order=False)
def verify_log(limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Verify the log page by page: the hash chain of every stream, then every stream against its published heads.

    Add up the pages until `next` is null. A stream that is written to meanwhile is verified as it is then. Rows outside
    streams, customers' keys and the signatures of checkpoints are verified by `expediter audit verify` and
    `expediter-verify`, which need no trust in this API.
    """
    check_role(api.caller.actor, Action.VERIFY)
    try:
        page = verify_page(engine().log, engine().heads, cursor=cursor, limit=limit)
    except ValueError as error:
        raise invalid([("cursor", f"{error}; send `next` of a page unchanged")], HTTPStatus.BAD_REQUEST) from None
    report = page.report
    body: VerificationJson = {
        "streams": report.streams,
        "commits": report.commits,
        "events": report.events,
        "opaque": report.opaque,
        "heads": report.heads,
        "published": page.published,
        "findings": [{"stream": each.stream, "version": each.version, "what": each.what} for each in report.findings],
        "next": page.next,
    }
    return json_answer(body)


@operation(api, "GET", "/orders/{order_id}/proof", tag=TAG, answers="ProofJson")
def get_proof(order_id: OrderIdText) -> Response:
    """Prove to an outside party what was recorded about the order, up to its last version in a checkpoint.

    `expediter-verify` checks the answer, saved as it is, without access to this engine. Personal data in it is sealed.
    Later commits are in a proof after the next checkpoint: the ETag has the version of the order now.
    """
    actor = api.caller.actor
    requests.see_history(engine().log, order_id, actor)
    check_role(actor, Action.READ_CHECKPOINTS)
    proof = _heads().prove(stream=order_stream(order_id))
    return json_answer(proof.bundle, headers={"ETag": etag(proof.newest)})


def _heads() -> HeadTree:
    """Return the tree of the engine, for a caller who may read it. Raises NotAllowed, CheckpointsUnavailable."""
    check_role(api.caller.actor, Action.READ_CHECKPOINTS)
    tree = engine().heads
    if tree is None:
        raise CheckpointsUnavailable("this process has no checkpoints")
    return tree


def _checkpoint(numbered: NumberedCheckpoint) -> CheckpointJson:
    checkpoint = numbered.header.checkpoint
    return {
        "number": numbered.number,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "made_at": checkpoint.made_at,
        "complete_to": checkpoint.complete_to or None,
        "note": numbered.header.note,
    }
