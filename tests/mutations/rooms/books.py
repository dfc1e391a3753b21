"""Mutants of ``workflows/books/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="second capture taken for an unknown one",
        breaks="A capture of a hold that was captured already is named as captured twice.",
        file="workflows/books/reconciliation.py",
        old="return line.kind is LineKind.CAPTURED or line.amount == other.amount",
        new="return line.amount != other.amount",
        caught_by=tests("books/test_reconciliation.py"),
    ),
    Mutant(
        name="void recorded and hold not looked for",
        breaks="A hold that the log released and the statement still has is named.",
        file="workflows/books/reconciliation.py",
        old="        yield from self._not_released()\n",
        new="",
        caught_by=tests("books/test_reconciliation.py"),
    ),
    Mutant(
        name="statement read with a rounded amount",
        breaks="An amount with more decimals than its currency has is refused and not cut.",
        file="workflows/books/statement.py",
        old='Money.parse(fields["amount"], fields["currency"])',
        new='Money.parse(fields["amount"][:5], fields["currency"])',
        caught_by=tests("books/test_statement.py"),
    ),
)
