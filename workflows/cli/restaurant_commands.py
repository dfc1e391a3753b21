"""``expediter restaurant``: list, show and change restaurants."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import read_json, read_text, time_of
from workflows.cli.options import As, Data, Json, RestaurantId, Url
from workflows.cli.search_commands import CursorOption, Limit
from workflows.cli.terminal import print_json

if TYPE_CHECKING:
    from workflows.client import ExpediterClient
    from workflows.client.catalogue_json import RestaurantJson

app = typer.Typer(name="restaurant", help="List, show and change restaurants.", no_args_is_help=True)

ProfileFile = Annotated[
    str, typer.Argument(metavar="FILE|-", help='The profile as JSON, as "profile" of show --json prints it.')
]
Item = Annotated[str, typer.Argument(metavar="SKU", help="The item's sku.")]
Option = Annotated[str | None, typer.Option("--option", metavar="ID", help="Only this option of the item.")]


@app.command("list")
def list_(
    *,
    name: Annotated[str | None, typer.Option(help="With these words in the name, in any case.")] = None,
    cuisine: Annotated[str | None, typer.Option(help="Of this cuisine.")] = None,
    dish: Annotated[str | None, typer.Option(help="With an item of this name that is not sold out.")] = None,
    open_now: Annotated[bool, typer.Option("--open", help="That take orders now.")] = False,
    limit: Limit = 20,
    cursor: CursorOption = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List restaurants by name. All filters that are given must hold."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.restaurants(name=name, cuisine=cuisine, dish=dish, open_now=open_now, limit=limit, cursor=cursor)
    if json:
        print_json(page)
    else:
        from workflows.cli.restaurant_pages import show_restaurants

        show_restaurants(page)


@app.command()
def show(restaurant: RestaurantId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show a restaurant: hours, fees, whether it takes orders, and what is sold out."""
    _print(lambda engine: engine.restaurant(restaurant), url, data, as_, json=json)


@app.command()
def popular(
    restaurant: RestaurantId,
    *,
    limit: Limit = 10,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List the items that were ordered most in the last 30 days."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        items = engine.popular_items(restaurant, limit=limit)
    if json:
        print_json(items)
    else:
        from workflows.cli.restaurant_pages import show_popular

        show_popular(items)


@app.command()
def register(
    restaurant: RestaurantId,
    file: ProfileFile,
    *,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Register a restaurant. It takes orders once it has a menu: expediter menu import."""
    profile = read_json(read_text(file), file)
    _print(lambda engine: engine.register_restaurant(restaurant, profile), url, data, as_, json=json)


@app.command()
def change(
    restaurant: RestaurantId,
    file: ProfileFile,
    *,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Replace the profile of a restaurant as a whole: hours, fees, address."""
    profile = read_json(read_text(file), file)
    _print(lambda engine: engine.change_restaurant(restaurant, profile), url, data, as_, json=json)


@app.command()
def pause(
    restaurant: RestaurantId,
    *,
    reason: Annotated[str, typer.Option(help="Why. Kept in the restaurant's history.")],
    minutes: Annotated[int | None, typer.Option("--for", min=1, metavar="MINUTES", help="How long.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until when.  [default: until expediter restaurant resume]")
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Take no orders for now, for instance while the kitchen is busy."""
    if minutes is not None and until is not None:
        raise InvalidInput("give one of --for and --until")
    end = None if until is None else time_of(until, "--until")
    if minutes is not None:
        end = datetime.now(UTC) + timedelta(minutes=minutes)
    _print(lambda engine: engine.pause_restaurant(restaurant, reason, end), url, data, as_, json=json)


@app.command()
def resume(restaurant: RestaurantId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """End a pause."""
    _print(lambda engine: engine.resume_restaurant(restaurant), url, data, as_, json=json)


@app.command("sold-out")
def sold_out(
    restaurant: RestaurantId,
    item: Item,
    *,
    option: Option = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Mark an item, or one option of it, as sold out for now."""
    _print(lambda engine: engine.mark_sold_out(restaurant, item, option), url, data, as_, json=json)


@app.command("back-in-stock")
def back_in_stock(
    restaurant: RestaurantId,
    item: Item,
    *,
    option: Option = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Mark an item, or one option of it, as available again."""
    _print(lambda engine: engine.mark_back_in_stock(restaurant, item, option), url, data, as_, json=json)


@app.command()
def picture(
    restaurant: RestaurantId,
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="A PNG, JPEG or WebP of at most 1 MiB.")],
    *,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Upload a picture and print its name, which the items of a menu can have as their picture."""
    from workflows.cli.connection import connected
    from workflows.cli.pictures import upload_picture

    with connected(url, data, as_) as engine:
        uploaded = upload_picture(engine, restaurant, source, folder=Path(), where="the picture")
    if json:
        print_json(uploaded)
    else:
        print(uploaded["name"])


def _print(request: Callable[[ExpediterClient], RestaurantJson], url: Url, data: Data, as_: As, *, json: bool) -> None:
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        restaurant = request(engine)
    if json:
        print_json(restaurant)
    else:
        from workflows.cli.restaurant_pages import show_restaurant

        show_restaurant(restaurant)
