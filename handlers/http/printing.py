"""Receipts as HTTP responses: JSON, HTML or PDF, as the caller accepts."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Annotated

from handlers.http.answers import PRIVATE, json_answer
from handlers.http.parameters import InHeader
from handlers.http.preconditions import etag
from handlers.http.responses import Response
from handlers.http.values import Shape

if TYPE_CHECKING:
    from workflows.client.receipt_json import ReceiptJson

FORMS = ("application/json", "text/html", "application/pdf")
"""The first one is sent to a caller that accepts anything, or none of them."""

Accept = Annotated[
    Annotated[str, Shape(r"[\x20-\x7e]{1,1000}", "use a list of media types, e.g. application/pdf")] | None,
    InHeader("Accept", "`application/json` (the default), `text/html` or `application/pdf`."),
]


def receipt_answer(receipt: ReceiptJson, accept: str | None) -> Response:
    """Respond with a receipt in the form that the caller prefers."""
    form = preferred(accept)
    headers = {**PRIVATE, "Vary": "Authorization, Accept", "ETag": etag(receipt["version"])}
    if form == "application/json":
        return json_answer(receipt, headers=headers)
    from workflows.receipts.sheet import sheet_of

    sheet = sheet_of(receipt)
    if form == "text/html":
        from workflows.receipts.html import CONTENT_SECURITY_POLICY, receipt_html

        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return Response(200, "text/html; charset=utf-8", receipt_html(sheet), headers)
    from workflows.receipts.pdf import receipt_pdf

    name = f"receipt-{receipt['order_id']}-{receipt['version']}.pdf"
    headers["Content-Disposition"] = f'inline; filename="{name}"'
    packed = base64.b64encode(receipt_pdf(sheet)).decode()
    return Response(200, "application/pdf", packed, headers, in_base64=True)


def preferred(accept: str | None) -> str:
    """Return the form that the Accept header gives the highest weight; of equal ones, the one it names first."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate((accept or "").lower().split(",")):
        media, *parameters = (each.strip() for each in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        quality = float(weight) if re.fullmatch(r"[01](\.[0-9]{0,3})?", weight) else 0.0
        ranked += [(-quality, place, form) for form in FORMS if quality and _covers(media, form)]
    return min(ranked)[2] if ranked else FORMS[0]


def _covers(media: str, form: str) -> bool:
    return media in (form, f"{form.partition('/')[0]}/*") or (media == "*/*" and form == FORMS[0])
