"""Menus from the command line: imported from a file, shown and exported."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.sample_pictures import png
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


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(A1)", "+1", "-5 % today", "@SUM(A1)", "\tx", "'=1", "''=1", "'quoted'", "a=b"]
)
def test_no_text_of_a_menu_is_a_formula_in_a_spreadsheet(text: str) -> None:
    """A restaurant chooses the texts, and another person opens the file. Reading gives the same text again."""
    option = {"option": "a", "name": text, "price": {"amount": "-1.00", "currency": "EUR"}}
    group = {"name": text, "choose_min": 0, "choose_max": 1, "options": [option]}
    item = {
        **RESTAURANTS["ramen-ichiban"].sections[0]["items"][0],
        "name": text,
        "description": text,
        "groups": [group],
    }
    sections: Any = [{"name": text, "items": [item]}]
    written_menu = write_csv(sections)
    for row in list(csv.reader(io.StringIO(written_menu)))[1:]:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in row if cell != "-1.00")
    assert read_csv(written_menu, "EUR", "menu.csv")[0] == sections


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
WITH_PICTURE = HEAD.replace("tax_class", "tax_class,picture")
EUR = {"amount": "9.50", "currency": "EUR"}
PIZZA = "Pizze,pizza,Pizza,9.50,food,,,,,,\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("section,sku,name,price\n", "row 1: the column tax_class is missing"),
        (HEAD.replace("group", "grupo"), "row 1: 'grupo' is not a column"),
        (HEAD + PIZZA + "Pizze,soup,Soup,4,50,food,,,,,,\n", "row 3: has more values"),
        (HEAD + PIZZA + "Pizze,soup," + "x" * 200_000 + ",4.50,food,,,,,,\n", "row 3: field larger than"),
        (HEAD + PIZZA + ",soup,,,,Extras,0,1,basil,Basil,1.00\n", "row 3, sku: an option stands below its item"),
        (HEAD + PIZZA + ",pizza,,,,Extras,none,1,basil,Basil,1.00\n", "row 3, choose_min: 'none' is not"),
        (HEAD + PIZZA + "Pizze,soup,Soup,4.505,food,,,,,,\n", "row 3, price: "),
        (HEAD + PIZZA + "Pizze,pizza,Soup,4.50,food,,,,,,\n", "row 3, sku: 'pizza' stands twice"),
        (HEAD + PIZZA + ",pizza,,,,Extras,0,1,basil,Basil,cheap\n", "row 3, option_price: "),
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


@pytest.mark.parametrize("format_", ["json", "csv"])
def test_a_picture_beside_the_menu_is_uploaded_by_the_import(
    expediter: Expediter, running: EngineProcess, written, tmp_path: Path, format_: str
) -> None:
    """The published menu names it by its hash; an export of that menu is imported as it is."""
    at = ("--data", running.data)
    (tmp_path / "pizza.png").write_bytes(png(5, 4))
    item = {"sku": SKU, "name": "Pizza", "price": EUR, "tax_class": "food", "picture": f"{tmp_path}/pizza.png"}
    text = {
        "json": json.dumps({"sections": [{"name": "Pizze", "items": [item]}]}),
        "csv": WITH_PICTURE + f"Pizze,{SKU},Pizza,9.50,food,{tmp_path}/pizza.png,,,,,,\n",
    }[format_]
    imported = expediter("menu", "import", "ramen-ichiban", written(f"menu.{format_}", text), *at)
    assert imported.code == 0, imported.err
    exported = expediter("menu", "export", "ramen-ichiban", *at, "--format", format_)
    name = expediter("restaurant", "picture", "ramen-ichiban", f"{tmp_path}/pizza.png", *at).out.strip()
    assert name in exported.out
    assert expediter("menu", "import", "ramen-ichiban", written(f"again.{format_}", exported.out), *at).code == 0


def test_a_picture_that_is_missing_or_none_is_refused_with_its_row(
    expediter: Expediter, running: EngineProcess, written, tmp_path: Path
) -> None:
    """Nothing is published."""
    at = ("--data", running.data)
    (tmp_path / "page.png").write_text("<html>")
    for picture, words in (("nowhere.png", "cannot be read"), (f"{tmp_path}/page.png", "is not a PNG")):
        text = WITH_PICTURE + f"Pizze,{SKU},Pizza,9.50,food,{picture},,,,,,\n"
        refused = expediter("menu", "import", "curry-lane", written("menu.csv", text), *at)
        assert (refused.code, "row 2, picture: " in refused.err, words in refused.err) == (2, True, True), refused.err
