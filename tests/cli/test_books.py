"""The books on the command line, and their comparison with a provider's statement, against a running engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cli.conftest import wait_until_listed
from workflows.cli.connection import minted
from workflows.client import ExpediterClient


def _ended(expediter: Any, running: Any, ends_as: Callable[..., Any]) -> str:
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    expediter("order", "cancel", order_id, "--reason", "rain", "--data", running.data)
    with ExpediterClient(running.url, minted(running.data, "support", "sue", 600)) as client:
        ended = ends_as(lambda: client.get(order_id), "cancelled")
    wait_until_listed(running, order_id, ended["version"])
    return order_id


def test_the_simulated_providers_statement_agrees_until_a_line_is_lost(
    expediter: Any, running: Any, ends_as: Callable[..., Any], tmp_path: Path
) -> None:
    """Directly and as a file; a lost line is named with its order, and the exit code says so."""
    order_id = _ended(expediter, running, ends_as)
    agreed = expediter("books", "reconcile", "--sandbox", "--data", running.data)
    assert (agreed.code, "no differences" in agreed.out) == (0, True), agreed
    books = expediter("books", "--json", "--data", running.data).json
    assert all(each["balanced"] and each["holds"]["amount"] == "0.00" for each in books["currencies"])

    printed = expediter("books", "statement", "--data", running.data).out
    file = tmp_path / "statement.csv"
    file.write_text("".join(row for row in printed.splitlines(keepends=True) if not row.startswith("voided")))
    lost = expediter("books", "reconcile", str(file), "--data", running.data)
    assert (lost.code, "hold_not_released" in lost.out, order_id in lost.out) == (1, True, True), lost
    as_json = expediter("books", "reconcile", str(file), "--json", "--data", running.data).json
    assert [each["kind"] for each in as_json["differences"]] == ["hold_not_released"]


def test_a_statement_that_cannot_be_read_is_refused_with_row_and_column(
    expediter: Any, running: Any, tmp_path: Path
) -> None:
    """Nothing is compared with half a statement."""
    file = tmp_path / "statement.csv"
    file.write_text("kind,id,parent,order,amount,currency,at\ncaptured,cap,,ord,1.005,EUR,2026-05-04T12:00:00Z\n")
    refused = expediter("books", "reconcile", str(file), "--data", running.data)
    assert refused.code == 2
    assert "row 2, amount" in refused.err


def test_a_comparison_needs_one_statement(expediter: Any, running: Any) -> None:
    """A file or the simulated provider, and not both."""
    assert expediter("books", "reconcile", "--data", running.data).code == 2
    assert expediter("books", "reconcile", "x.csv", "--sandbox", "--data", running.data).code == 2


def test_customers_may_not_read_the_books(expediter: Any, running: Any) -> None:
    """They are for support and auditors."""
    assert expediter("books", "--data", running.data, "--as", "customer:cus_1").code == 1
    assert expediter("books", "--from", "May", "--data", running.data).code == 2


def test_a_receipt_is_shown_and_written_to_files(
    expediter: Any, running: Any, ends_as: Callable[..., Any], tmp_path: Path
) -> None:
    """As text, PDF and HTML, of an order that went its whole way."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    assert expediter("order", "receipt", order_id, "--data", running.data).code == 1
    with ExpediterClient(running.url, minted(running.data, "support", "sue", 600)) as client:

        def show() -> Any:
            return client.get(order_id)

        ends_as(show, "authorized")
        client.accept(order_id, datetime.now(UTC) + timedelta(minutes=20))
        ends_as(show, "preparing")
        client.assign(order_id, "carl")
        client.ready(order_id)
        client.pick_up(order_id)
        client.deliver(order_id)
        ends_as(show, "completed")
    shown = expediter("order", "receipt", order_id, "--data", running.data)
    assert (shown.code, "Total" in shown.out, "27.40 EUR" in shown.out) == (0, True, True), shown
    pdf, html = tmp_path / "receipt.pdf", tmp_path / "receipt.html"
    written = expediter("order", "receipt", order_id, "--pdf", pdf, "--html", html, "--data", running.data)
    assert (written.code, written.out) == (0, "")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert order_id in html.read_text()
    refused = expediter("order", "receipt", order_id, "--pdf", tmp_path, "--data", running.data)
    assert (refused.code, "cannot be written" in refused.err) == (2, True)
