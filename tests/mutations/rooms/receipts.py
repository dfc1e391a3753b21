"""Mutants of ``workflows/receipts/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="receipt made again on every read",
        breaks="The first receipt that was stored for a version stays.",
        file="workflows/receipts/issuing.py",
        old='    return cast("ReceiptJson", stored.body)\n',
        new="    return receipt_content(history, version, profile_then(log, history))\n",
        caught_by=tests("receipts/test_receipts.py"),
    ),
    Mutant(
        name="receipt with the restaurant of today",
        breaks="A receipt names the restaurant as it was when the order was placed.",
        file="workflows/receipts/issuing.py",
        old="if recorded.ts <= placed.ts]",
        new="]",
        caught_by=tests("receipts/test_receipts.py"),
    ),
    Mutant(
        name="character without a glyph left out of a receipt",
        breaks="A character that the fonts lack leaves a visible mark.",
        file="workflows/receipts/pdf.py",
        old='"" if each in _INVISIBLE else MISSING for',
        new='"" for',
        caught_by=tests("receipts/test_printing.py"),
    ),
    Mutant(
        name="marks of direction in a name of a receipt",
        breaks="A name cannot turn the text beside it around.",
        file="workflows/receipts/sheet.py",
        old="for each in text if each not in _DIRECTION)",
        new="for each in text)",
        caught_by=tests("receipts/test_printing.py"),
    ),
)
