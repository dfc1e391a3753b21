"""A receipt as PDF, in any script that the fonts have, from right to left where a text is.

The same receipt gives the same bytes: the time in the file is that of the receipt. Emoji are printed in one colour. A
character that no font has is printed as ▯, and a note below says so.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from workflows.clock import read_timestamp
from workflows.receipts.sheet import RowKind, Sheet

if TYPE_CHECKING:
    from fpdf import FPDF

FONTS = Path(__file__).parent / "fonts"
TEXT_FONT, EMOJI_FONT = "DejaVuSans", "NotoEmoji"
MISSING = "▯"
NOTE = f"{MISSING} stands for a character that this document has no picture of; the HTML receipt shows it."

_MARGIN_MM, _LINE_MM, _AMOUNT_MM = 20.0, 6.0, 40.0
_INVISIBLE = frozenset("\u200d\ufe0e\ufe0f") | frozenset(map(chr, range(0x1F3FB, 0x1F400)))
"""What only changes how an emoji looks: joiners, variants, tones of skin."""


def receipt_pdf(sheet: Sheet) -> bytes:
    """Return the file."""
    pdf = _blank(sheet)
    _heading(pdf, sheet)
    pdf.ln(_LINE_MM / 2)
    for row in sheet.rows:
        if row.kind is RowKind.TOTAL:
            pdf.line(_MARGIN_MM, pdf.get_y(), pdf.w - _MARGIN_MM, pdf.get_y())
        _row(pdf, ("    " if row.kind is RowKind.DETAIL else "") + row.label, row.amount)
    _taxes(pdf, sheet)
    if MISSING in printable_text("".join([sheet.title, sheet.address, *(row.label for row in sheet.rows)])):
        pdf.ln(_LINE_MM)
        pdf.set_font(TEXT_FONT, size=8)
        _text(pdf, NOTE)
    return bytes(pdf.output())


def printable_text(text: str) -> str:
    """Return text in which every character has a glyph. Others, but for joiners and the like, are ``MISSING``."""
    joined = text.replace("\u200d", "") if not _is_arabic(text) else text
    return "".join(each if each in _glyphs() else "" if each in _INVISIBLE else MISSING for each in joined)


def _is_arabic(text: str) -> bool:
    """Whether joiners may be part of the spelling."""
    return any("\u0600" <= each <= "\u06ff" for each in text)


@cache
def _glyphs() -> frozenset[str]:
    from fontTools.ttLib import TTFont

    fonts = (TTFont(FONTS / f"{name}.ttf") for name in (TEXT_FONT, EMOJI_FONT))
    return frozenset(chr(code) for font in fonts for code in font.getBestCmap())


def _blank(sheet: Sheet) -> FPDF:
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_creation_date(read_timestamp(sheet.issued_at))
    pdf.set_title(f"Receipt {sheet.order_id}, version {sheet.version}")
    pdf.set_lang("en")
    for name in (TEXT_FONT, EMOJI_FONT):
        pdf.add_font(name, fname=FONTS / f"{name}.ttf")
    pdf.set_fallback_fonts([EMOJI_FONT], exact_match=False)
    pdf.set_text_shaping(True)
    pdf.set_margin(_MARGIN_MM)
    pdf.set_auto_page_break(True, _MARGIN_MM)
    pdf.add_page()
    return pdf


def _heading(pdf: FPDF, sheet: Sheet) -> None:
    pdf.set_font(TEXT_FONT, size=16)
    _text(pdf, sheet.title, height=9)
    pdf.set_font(TEXT_FONT, size=10)
    if sheet.address:
        _text(pdf, sheet.address)
    pdf.ln(_LINE_MM / 2)
    for label, value in sheet.facts:
        pdf.cell(30, _LINE_MM, label)
        pdf.cell(0, _LINE_MM, printable_text(value), new_x="LMARGIN", new_y="NEXT")


def _text(pdf: FPDF, text: str, *, height: float = _LINE_MM) -> None:
    pdf.multi_cell(0, height, printable_text(text), align="L", new_x="LMARGIN", new_y="NEXT")


def _row(pdf: FPDF, label: str, amount: str) -> None:
    """Print a label, on as many lines as it needs, and the amount to the right of its last line."""
    pdf.multi_cell(pdf.epw - _AMOUNT_MM, _LINE_MM, printable_text(label), align="L", new_x="RIGHT", new_y="LAST")
    pdf.cell(_AMOUNT_MM, _LINE_MM, amount, align="R", new_x="LMARGIN", new_y="NEXT")


def _taxes(pdf: FPDF, sheet: Sheet) -> None:
    if not sheet.taxes:
        return
    pdf.ln(_LINE_MM)
    width = (pdf.epw - _AMOUNT_MM) / 3
    for name, *amounts in (("Tax included", "net", "tax", "gross"), *sheet.taxes):
        pdf.cell(pdf.epw - 3 * width, _LINE_MM, printable_text(name))
        for each in amounts:
            pdf.cell(width, _LINE_MM, each, align="R")
        pdf.ln(_LINE_MM)
