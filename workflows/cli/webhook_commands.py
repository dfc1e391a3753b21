"""``expediter webhooks``: endpoints that get the published events, and their deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.options import As, Data, Json, Key, OrderId, Url
from workflows.cli.search_commands import CursorOption
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.client.webhook_json import WebhookDeliveryJson, WebhookEndpointJson

app = typer.Typer(
    name="webhooks",
    help="Register URLs for the events of orders, and look at what was sent to them.",
    no_args_is_help=True,
)

WebhookId = Annotated[str, typer.Argument(metavar="WEBHOOK", help="The endpoint's id, whe_...")]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="An event type, e.g. expediter.order.completed.v1. Repeatable."),
]
Description = Annotated[str | None, typer.Option(help="What the endpoint is for.")]


@app.command()
def add(
    target: Annotated[str, typer.Argument(metavar="URL", help="Where events are sent, https://...")],
    *,
    types: Types = None,
    description: Description = None,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Register a URL, and print the secret that signs the requests. Acts as a service: --as service:NAME.

    Without --type it gets events of all types. The secret is shown once.
    """
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        endpoint = engine.register_webhook(target, types or (), description=description or "", key=key)
    _show_secret(endpoint, json)


@app.command("list")
def list_(*, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """List the endpoints: enabled, disabled, or paused after three days without a success."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        listed = engine.webhooks()
    if json:
        print_json(listed)
    else:
        from workflows.cli.webhook_pages import show_webhooks

        show_webhooks(listed["webhooks"])


@app.command()
def show(webhook: WebhookId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show an endpoint: its types, whether it fails, and why it was paused."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        endpoint = engine.webhook(webhook)
    _show(endpoint, json)


@app.command()
def enable(webhook: WebhookId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Send events to an endpoint again that was disabled or paused. Pending deliveries go on."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        endpoint = engine.change_webhook(webhook, enabled=True)
    _show(endpoint, json)


@app.command()
def disable(webhook: WebhookId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Send nothing to an endpoint until it is enabled. It does not get the events of the meantime."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        endpoint = engine.change_webhook(webhook, enabled=False)
    _show(endpoint, json)


@app.command()
def deliveries(
    webhook: WebhookId,
    *,
    status: Annotated[
        str | None, typer.Option(metavar="STATUS", help="Only those that are pending, delivered or failed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="The most deliveries to show.")] = 20,
    cursor: CursorOption = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List what was sent to an endpoint, newest events first, with each attempt. Kept for four days."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.webhook_deliveries(webhook, status=status, limit=limit, cursor=cursor)
    if json:
        print_json(page)
    else:
        from workflows.cli.webhook_pages import show_deliveries

        show_deliveries(page["deliveries"], page["next"])


@app.command()
def order(order: OrderId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """List what was sent about an order, to all endpoints, newest events first, with each attempt."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.order_webhook_deliveries(order)
    if json:
        print_json(page)
    else:
        from workflows.cli.webhook_pages import show_deliveries

        show_deliveries(page["deliveries"])


@app.command()
def resend(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="The delivery's id, as `deliveries` shows it.")],
    *,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Send a delivery again now, whatever became of it, and for three more days if that fails."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        sent = engine.resend_delivery(delivery)
    _show_delivery(sent, json)


@app.command("test")
def send_test(webhook: WebhookId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Send a test event to an endpoint, once, and show the outcome."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        sent = engine.test_webhook(webhook)
    _show_delivery(sent, json)


@app.command()
def rotate(webhook: WebhookId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Make a new secret and print it. The old one signs beside it for 24 hours."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        endpoint = engine.rotate_webhook(webhook)
    _show_secret(endpoint, json)


@app.command()
def remove(webhook: WebhookId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Remove an endpoint and its deliveries."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        removed = engine.remove_webhook(webhook)
    if json:
        print_json(removed)
    else:
        say(f"removed {removed['id']}")


def _show(endpoint: WebhookEndpointJson, json: bool) -> None:
    if json:
        print_json(endpoint)
    else:
        from workflows.cli.webhook_pages import show_webhook

        show_webhook(endpoint)


def _show_secret(endpoint: WebhookEndpointJson, json: bool) -> None:
    _show(endpoint, json)
    if not json:
        if "secret" in endpoint:
            say("keep the secret: it is not shown again")
        else:
            say("this key registered the endpoint before; if you do not have its secret, rotate it")


def _show_delivery(sent: WebhookDeliveryJson, json: bool) -> None:
    if json:
        print_json(sent)
    else:
        from workflows.cli.webhook_pages import show_deliveries

        show_deliveries([sent])
