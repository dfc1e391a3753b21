"""The bodies of requests about customers, one model each."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from domain.identifiers import NAME, parse_name
from handlers.http.models import example
from handlers.http.values import Long, Strict


def _customer(value: str) -> str:
    return parse_name(value, "customer")


CustomerIdText = Annotated[str, AfterValidator(_customer), Field(json_schema_extra={"pattern": f"^{NAME}$"})]


class EraseBody(Strict):
    """The reason, for the audit: do not name the customer in it. A dry run only tells what would go and what stays."""

    model_config = example(reason="request 4711 of the data protection desk", dry_run=True)

    reason: Long
    dry_run: bool = False


class ApproveErasureBody(EraseBody):
    """The second person's reason, for the audit: do not name the customer in it."""

    model_config = example(reason="checked against request 4711", dry_run=True)


class RejectErasureBody(EraseBody):
    """The reason, for the audit: do not name the customer in it."""

    model_config = example(reason="it was the wrong customer", dry_run=True)
