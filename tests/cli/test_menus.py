"""Menus from the command line: imported from a file, shown and exported."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Expediter
from workflows.cli.demo.engine_process import EngineProcess
from workflows.cli.demo_data import RESTAURANTS
from workflows.cli.menu_csv import read_csv, write_csv

SKU = "pizza-margherita"


@pytest.mark.parametrize("restaurant", RESTAURANTS)
def test_a_menu_is_the_same_after_csv(restaurant: str) -> None:
    """Nothing is lost on the way through a spreadsheet."""
    sections = RESTAURANTS[restaurant].sections
    assert read_csv(write_csv(sections), "EUR", "menu.csv")[0] == sections


@pytest.mark.parametrize("format_", ["json", "csv"])
def test_an_exported_menu_is_imported_again(
    expediter: Expediter, running: EngineProcess, written, format_: str
) -> None:
    """Publishing the menu that is in force changes nothing."""
    exported = expediter("menu", "export", "curry-lane", "--format", format_, "--data", running.data)
    assert exported.code == 0, exported.err
    file = written(f"menu.{format_}", exported.out)
    before = expediter("menu", "show", "curry-lane", "--data", running.data, "--json").json
    imported = expediter("menu", "import", "curry-lane", file, "--data", running.data, "--json")
    assert imported.code == 0, imported.err
    assert (
        expediter("menu", "show", "curry-lane", "--data", running.data, "--json").json["sections"] == before["sections"]
    )


def test_a_menu_is_shown_with_its_prices(expediter: Expediter, running: EngineProcess) -> None:
    """Items, their options, and what each costs."""
    shown = expediter("menu", "show", "trattoria-nonna", "--data", running.data).out
    for words in ("Pizza Margherita", "9.50 EUR", "Extras: Burrata", "2.00 EUR"):
        assert words in shown


HEAD = "section,sku,name,price,tax_class,group,choose_min,choose_max,option,option_name,option_price\n"
PIZZA = "Pizze,pizza,Pizza,9.50,food,,,,,,\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("section,sku,name,price\n", "row 1: the column tax_class is missing"),
        (HEAD.replace("group", "grupo"), "row 1: 'grupo' is not a column"),
        (HEAD + PIZZA + "Pizze,soup,Soup,4,50,food,,,,,,\n", "row 3: has more values"),
        (HEAD + PIZZA + ",soup,,,,Extras,0,1,basil,Basil,1.00\n", "row 3, sku: an option stands below its item"),
        (HEAD + PIZZA + ",pizza,,,,Extras,none,1,basil,Basil,1.00\n", "row 3, choose_min: 'none' is not"),
        (HEAD + PIZZA + "Pizze,soup,Soup,4.505,food,,,,,,\n", "row 3, price: "),
        (HEAD + PIZZA + "Pizze,pizza,Soup,4.50,food,,,,,,\n", "row 3, sku: 'pizza' stands twice"),
        (HEAD + PIZZA + ",pizza,,,,Extras,0,1,basil,Basil,cheap\n", "row 3, price"),
    ],
)
def test_a_wrong_row_is_named_with_its_field(
    expediter: Expediter, running: EngineProcess, written, text: str, message: str
) -> None:
    """Whether the file is wrong or the engine refuses a value; nothing is published."""
    before = expediter("menu", "show", "ramen-ichiban", "--data", running.data, "--json").json["menu_version"]
    refused = expediter("menu", "import", "ramen-ichiban", written("menu.csv", text), "--data", running.data)
    assert refused.code in {1, 2}
    assert message in refused.err
    after = expediter("menu", "show", "ramen-ichiban", "--data", running.data, "--json").json["menu_version"]
    assert before == after


def test_a_wrong_field_of_json_is_named_with_its_path(expediter: Expediter, running: EngineProcess, written) -> None:
    """As the API names it."""
    menu = {"sections": RESTAURANTS["ramen-ichiban"].sections}
    text = json.dumps(menu).replace('"tax_class": "food"', '"tax_class": "luxury"', 1)
    refused = expediter("menu", "import", "ramen-ichiban", written("menu.json", text), "--data", running.data)
    assert refused.code == 1
    assert "sections[0].items[0].tax_class" in refused.err
