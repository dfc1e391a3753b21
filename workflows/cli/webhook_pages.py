"""Webhook endpoints and deliveries on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from workflows.cli.incident_pages import clock
from workflows.cli.search_pages import say_next
from workflows.cli.terminal import data_console, printable, table

if TYPE_CHECKING:
    from workflows.client.webhook_json import WebhookAttemptJson, WebhookDeliveryJson, WebhookEndpointJson

_STYLES = {"enabled": "green", "disabled": "yellow", "paused": "bold red"}
_STATES = {"delivered": "green", "pending": "yellow", "failed": "bold red"}


def show_webhooks(endpoints: Sequence[WebhookEndpointJson]) -> None:
    """Print one line for each endpoint."""
    rows = table("webhook", "service", "status", "failing since", "types", "url")
    for endpoint in endpoints:
        failing = clock(endpoint["failing_since"]) if endpoint["failing_since"] else ""
        types = f"{len(endpoint['types'])} types" if len(endpoint["types"]) > 1 else "".join(endpoint["types"])
        status = Text(endpoint["status"], _STYLES[endpoint["status"]])
        rows.add_row(endpoint["id"], endpoint["owner"], status, failing, types or "all", printable(endpoint["url"]))
    data_console().print(rows if endpoints else "no webhook endpoints")


def show_webhook(endpoint: WebhookEndpointJson) -> None:
    """Print all that is known of an endpoint, its secret if it is new."""
    lines = {
        "webhook": endpoint["id"],
        "url": printable(endpoint["url"]),
        "service": endpoint["owner"],
        "description": printable(endpoint["description"]),
        "types": ", ".join(endpoint["types"]) or "all",
        "status": endpoint["status"],
        "registered": clock(endpoint["created_at"]),
        "failing since": _clock(endpoint["failing_since"]),
        "paused": _clock(endpoint["paused_at"]),
        "because": printable(endpoint["paused_because"] or ""),
        "old secret until": _clock(endpoint["previous_secret_until"]),
        "secret": endpoint.get("secret", ""),
    }
    console = data_console()
    for name, value in lines.items():
        if value:
            console.print(Text(f"{name:<18}{value}"), soft_wrap=True)


def show_deliveries(deliveries: Sequence[WebhookDeliveryJson], following: str | None = None) -> None:
    """Print each delivery with its attempts below it, and on stderr the cursor of the next page."""
    console = data_console()
    if not deliveries:
        console.print("no deliveries on this page" if following else "no deliveries in the last four days")
    for delivery in deliveries:
        status = Text(delivery["status"], _STATES[delivery["status"]])
        planned = f"; next try {clock(delivery['next_try'])}" if delivery["next_try"] else ""
        console.print(status, Text(f"{delivery['type']}  {delivery['event']}{planned}"), soft_wrap=True)
        console.print(Text(f"  {delivery['id']}"), soft_wrap=True)
        for attempt in delivery["attempts"]:
            console.print(Text(f"  {_attempt(attempt)}"), soft_wrap=True)
    say_next(following)


def _attempt(attempt: WebhookAttemptJson) -> str:
    outcome = printable(attempt["error"] or f"HTTP {attempt['http']}")
    return f"{clock(attempt['at'])}  {outcome} after {attempt['ms']} ms"


def _clock(at: str | None) -> str:
    return clock(at) if at else ""
