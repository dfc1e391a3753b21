"""A menu as CSV: a row for each item, and below it a row for each option of the item.

A row of an option repeats the item's sku and leaves the item's own columns empty. Amounts are in the currency of the
restaurant. A text that a spreadsheet would run as a formula (``=HYPERLINK(...)``) is written with an apostrophe before
it, which reading removes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from workflows.boundary.spreadsheets import as_text, from_text
from workflows.cli.failures import InvalidInput
from workflows.client.catalogue_json import MenuItemJson, OptionGroupJson, SectionJson
from workflows.client.order_json import MoneyJson

ITEM = ("section", "sku", "name", "price", "tax_class", "description", "picture")
OPTION = ("group", "choose_min", "choose_max", "option", "option_name", "option_price")

_OPTION_COLUMNS = {"name": "option_name", "price": "option_price"}
"""The columns of an option whose fields have other names."""

Rows = dict[str, int]
"""The row of each item and option, by its path in the menu: ``sections[0].items[2]`` -> 4. The heading is row 1."""


def write_csv(sections: Sequence[SectionJson]) -> str:
    """Return the menu as CSV with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, (*ITEM, *OPTION), restval="", lineterminator="\n")
    writer.writeheader()
    for section in sections:
        for item in section["items"]:
            writer.writerow(
                {
                    "section": as_text(section["name"]),
                    "sku": as_text(item["sku"]),
                    "name": as_text(item["name"]),
                    "price": item["price"]["amount"],
                    "tax_class": as_text(item["tax_class"]),
                    "description": as_text(item["description"]),
                    "picture": item["picture"],
                }
            )
            writer.writerows(_option_rows(item))
    return text.getvalue()


def read_csv(text: str, currency: str, source: str) -> tuple[list[SectionJson], Rows]:
    """Return the sections of a menu and where each part stands. The engine checks the values.

    Raises:
        InvalidInput: A row cannot be understood. The message names ``source``, the row and the column.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        return _read(reader, currency, source)
    except csv.Error as error:  # a cell that is too long
        raise InvalidInput(f"{source} row {reader.line_num + 1}: {error}") from None


def _read(reader: csv.DictReader[str], currency: str, source: str) -> tuple[list[SectionJson], Rows]:
    columns = reader.fieldnames or ()
    if missing := [name for name in ("section", "sku", "name", "price", "tax_class") if name not in columns]:
        raise InvalidInput(f"{source} row 1: the column {missing[0]} is missing")
    if unknown := [name for name in columns if name not in {*ITEM, *OPTION}]:
        raise InvalidInput(f"{source} row 1: {unknown[0]!r} is not a column of a menu")
    sections: list[SectionJson] = []
    rows: Rows = {}
    for record in reader:
        where = f"{source} row {reader.line_num}"
        if None in record:
            raise InvalidInput(f"{where}: has more values than the heading has columns")
        row = {name: from_text(value or "") for name, value in record.items()}
        path = _add_option(sections, row, currency, where) if row.get("option") else _add_item(sections, row, currency)
        rows[path] = reader.line_num
    return sections, rows


def row_of(field: str, rows: Rows) -> tuple[int, str] | None:
    """Return the row and the column of a field, e.g. of ``sections[0].items[2].price.amount``: 4 and ``price``."""
    path = field
    while path:
        if path in rows:
            name = field[len(path) :].lstrip(".").partition(".")[0]
            return rows[path], (_OPTION_COLUMNS.get(name, name) if ".options[" in path else name) or "the row"
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None


def _option_rows(item: MenuItemJson) -> Iterator[dict[str, str | int]]:
    for group in item["groups"]:
        for option in group["options"]:
            yield {
                "sku": as_text(item["sku"]),
                "group": as_text(group["name"]),
                "choose_min": group["choose_min"],
                "choose_max": group["choose_max"],
                "option": as_text(option["option"]),
                "option_name": as_text(option["name"]),
                "option_price": option["price"]["amount"],
            }


def _add_item(sections: list[SectionJson], row: dict[str, str], currency: str) -> str:
    if not sections or sections[-1]["name"] != row["section"]:
        sections.append({"name": row["section"], "items": []})
    item: MenuItemJson = {
        "sku": row["sku"],
        "name": row["name"],
        "price": _money(row["price"], currency),
        "tax_class": row["tax_class"],
        "description": row.get("description", ""),
        "picture": row.get("picture", ""),
        "groups": [],
    }
    sections[-1]["items"].append(item)
    return f"sections[{len(sections) - 1}].items[{len(sections[-1]['items']) - 1}]"


def _add_option(sections: list[SectionJson], row: dict[str, str], currency: str, where: str) -> str:
    if not sections or sections[-1]["items"][-1]["sku"] != row["sku"]:
        raise InvalidInput(f"{where}, sku: an option stands below its item; {row['sku']!r} is not the item above")
    item = sections[-1]["items"][-1]
    if not item["groups"] or item["groups"][-1]["name"] != row.get("group", ""):
        group: OptionGroupJson = {
            "name": row.get("group", ""),
            "choose_min": _number(row, "choose_min", where),
            "choose_max": _number(row, "choose_max", where),
            "options": [],
        }
        item["groups"].append(group)
    options = item["groups"][-1]["options"]
    price = _money(row.get("option_price", ""), currency)
    options.append({"option": row["option"], "name": row.get("option_name", ""), "price": price})
    path = f"sections[{len(sections) - 1}].items[{len(sections[-1]['items']) - 1}]"
    return f"{path}.groups[{len(item['groups']) - 1}].options[{len(options) - 1}]"


def _number(row: dict[str, str], column: str, where: str) -> int:
    text = row.get(column, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 3):
        raise InvalidInput(f"{where}, {column}: {text[:20]!r} is not a whole number")
    return int(text)


def _money(amount: str, currency: str) -> MoneyJson:
    return {"amount": amount, "currency": currency}
