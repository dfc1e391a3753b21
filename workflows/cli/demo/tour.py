"""The demo's first order before it is placed: quoted from the menu, and refused while an item is sold out."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console

from workflows.cli.demo.menu import DemoOrder
from workflows.cli.demo.parties import SignIn
from workflows.client import ApiProblem
from workflows.client.catalogue_json import QuoteJson
from workflows.client.order_json import PlaceJson
from workflows.orders.words import money


@dataclass(frozen=True, slots=True)
class Tour:
    """``refused`` is the name and the detail of the API's answer while the first item was sold out.

    ``order`` expects the quoted total.
    """

    quote: QuoteJson
    refused: str
    order: DemoOrder


def take_tour(order: DemoOrder, sign_in: SignIn, key: str) -> Tour:
    """Quote the order, and try to place it under ``key`` while its first item is sold out. Nothing is placed."""
    body, customer = order.body, sign_in("customer", order.customer)
    restaurant = sign_in("restaurant", body["restaurant"])
    items = body["items"] or []
    quote = customer.quote(body["restaurant"], items, tip=body["tip"])
    expecting: PlaceJson = {**body, "expected_total": quote["total"]}
    restaurant.mark_sold_out(body["restaurant"], items[0]["sku"])
    try:
        customer.place(expecting, key)
        refused = ""
    except ApiProblem as problem:
        refused = f"{problem.name}: {problem.detail}"
    restaurant.mark_back_in_stock(body["restaurant"], items[0]["sku"])
    return Tour(quote, refused, DemoOrder(order.customer, expecting))


def show_tour(tour: Tour, order_id: str, console: Console) -> None:
    """Print the quote, the refusal, and the order that was placed afterwards."""
    quote = tour.quote
    console.print(f"quote of {quote['restaurant']}, menu {quote['menu_version']}", style="bold")
    for line in quote["lines"]:
        options = "".join(f" + {option['name']}" for option in line["options"])
        console.print(f"  {line['quantity']} x {line['name']}{options}: {money(line['total'])}")
    fees = f"delivery {money(quote['delivery_fee'])}, service {money(quote['service_fee'])}, tip {money(quote['tip'])}"
    console.print(f"  {fees}; total {money(quote['total'])}")
    console.print(f"refused while it was sold out: {tour.refused}")
    console.print(f"{order_id}: placed at {money(quote['total'])}, as quoted\n")
