"""A receipt as an HTML page of its own: no script, no picture, nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from workflows.receipts.sheet import Sheet

if TYPE_CHECKING:
    from jinja2 import Template

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""For the response: the page needs its own style and nothing else."""


def receipt_html(sheet: Sheet) -> str:
    """Return the page. Texts of other people are escaped and set in their own direction."""
    return _template().render(sheet=sheet)


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("workflows.receipts", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("receipt.html")
