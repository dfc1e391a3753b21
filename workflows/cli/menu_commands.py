"""``expediter menu``: import, show and export the menus of restaurants."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.failures import CommandFailed, CommandRefused, InvalidInput
from workflows.cli.inputs import read_json, read_text
from workflows.cli.options import As, Data, Json, RestaurantId, Url
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.cli.menu_csv import Rows
    from workflows.client import ExpediterClient
    from workflows.client.catalogue_json import MenuJson

app = typer.Typer(name="menu", help="Import, show and export the menus of restaurants.", no_args_is_help=True)

Version = Annotated[int | None, typer.Option("--version", min=1, help="Of the menu.  [default: the one in force]")]


class Format(StrEnum):
    """The formats of a menu in a file."""

    JSON = "json"
    CSV = "csv"


@app.command("import")
def import_(
    restaurant: RestaurantId,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON or CSV, as export prints it; - reads JSON.")],
    *,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Publish the menu of a file. It replaces the one before as a whole. An error names the row or the field.

    A picture is the name of one that was uploaded, or a file (relative to the menu's) or an address, which is uploaded.
    """
    from workflows.cli.connection import connected
    from workflows.cli.menu_csv import read_csv
    from workflows.cli.pictures import upload_pictures

    text = read_text(file)
    with connected(url, data, as_) as engine:
        if file.lower().endswith(".csv"):
            sections, rows = read_csv(text, engine.restaurant(restaurant)["profile"]["currency"], file)
        else:
            sections, rows = _sections(read_json(text, file), file), {}
        upload_pictures(engine, restaurant, sections, folder=Path(file).parent, place=partial(_place, file, rows))
        with _located(file, rows):
            published = engine.publish_menu(restaurant, sections)
    if json:
        print_json(published)
    else:
        say(f"menu {published['menu_version']} of {restaurant} is in force")


@app.command()
def show(
    restaurant: RestaurantId,
    *,
    version: Version = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show a menu with its prices."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        menu = _menu(engine, restaurant, version)
    if json:
        print_json(menu)
    else:
        _show(menu)


@app.command()
def export(
    restaurant: RestaurantId,
    *,
    version: Version = None,
    format_: Annotated[Format, typer.Option("--format", help="Of the output.")] = Format.JSON,
    url: Url = None,
    data: Data = None,
    as_: As = None,
) -> None:
    """Print a menu as a file that import reads."""
    from workflows.cli.connection import connected
    from workflows.cli.menu_csv import write_csv

    with connected(url, data, as_) as engine:
        menu = _menu(engine, restaurant, version)
    if format_ is Format.CSV:
        print(write_csv(menu["sections"]), end="")
    else:
        print_json({"sections": menu["sections"]})


class _located:  # noqa: N801 - reads as a statement
    """Name the row of a CSV file, or the field of a JSON file, in the refusal of its menu."""

    def __init__(self, source: str, rows: Rows) -> None:
        self._source = source
        self._rows = rows

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        from workflows.client import ApiProblem

        if not isinstance(error, ApiProblem) or not error.errors:
            return
        field, problem = error.errors[0]
        more = f"; and {len(error.errors) - 1} more" if len(error.errors) > 1 else ""
        details: dict[str, Any] = {"problem": error.name, "status": error.status, "errors": error.errors}
        raise CommandRefused(f"{_place(self._source, self._rows, field)}: {problem}{more}", details) from None


def _place(source: str, rows: Rows, field: str) -> str:
    """Return where a field of a menu stands: its row of a CSV file, or its path in a JSON file."""
    from workflows.cli.menu_csv import row_of

    at = row_of(field, rows)
    return f"{source} row {at[0]}, {at[1]}" if at else f"{source} {field}"


def _sections(menu: Any, source: str) -> Any:
    """Return the sections of a menu in JSON; the engine checks them. Raises InvalidInput."""
    if not isinstance(menu, dict) or "sections" not in menu:
        raise InvalidInput(
            f'{source} is not a menu: an object with "sections"; expediter menu export RESTAURANT prints one'
        )
    return menu["sections"]


def _menu(engine: ExpediterClient, restaurant: str, version: int | None) -> MenuJson:
    in_force = version or engine.restaurant(restaurant)["menu_version"]
    if not in_force:
        raise CommandFailed(
            f"{restaurant} has published no menu; expediter menu import {restaurant} FILE publishes one"
        )
    return engine.menu(restaurant, in_force)


def _show(menu: MenuJson) -> None:
    from workflows.cli.terminal import data_console, printable, table
    from workflows.orders.words import money

    rows = table("sku", "item", "price", right=frozenset({"price"}))
    for section in menu["sections"]:
        rows.add_row("", printable(section["name"]), "", style="bold")
        for item in section["items"]:
            rows.add_row(item["sku"], printable(item["name"]), money(item["price"]))
            for group in item["groups"]:
                for option in group["options"]:
                    label = f"  {printable(group['name'])}: {printable(option['name'])}"
                    rows.add_row(f"  {option['option']}", label, money(option["price"]))
    data_console().print(rows)
    say(f"menu {menu['menu_version']} of {menu['restaurant']}")
