"""Lists, searches and statistics on the command line, against a running engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import eventually, wait_until_listed
from workflows.embedded.checkpoint_folder import signer_in
from workflows.embedded.view_builder import opened_views


@pytest.fixture
def cancelled(expediter: Any, running: Any) -> str:
    """An order that was cancelled, which the views include."""
    order_id: str = expediter("order", "place", "--example", "--data", running.data).out.strip()
    done = expediter("order", "cancel", order_id, "--reason", "my knee hurts", "--json", "--data", running.data)
    wait_until_listed(running, order_id, done.json["order"]["version"])
    return order_id


def test_an_order_is_found_by_all_that_support_is_told(expediter: Any, running: Any, cancelled: str) -> None:
    """By a part of its id, its amount, its customer and the customer's phone; as a table and as JSON.

    Support types ids and currencies as they were heard or cut off, in any case.
    """
    for found in (
        ("list", "--id-prefix", f"{cancelled[:14].upper()}..."),
        ("list", "--id-suffix", cancelled[-8:]),
        ("list", "--customer", "cus_1", "--limit", "1"),
        ("list", "--amount-min", "1", "--currency", "eur", "--limit", "1"),
        ("search", "--phone", "030 1234567", "--limit", "1"),
    ):
        result = expediter("order", *found, "--data", running.data)
        assert (result.code, cancelled in result.out) == (0, True), (found, result)
        page = expediter("order", *found, "--json", "--data", running.data).json
        assert [order["id"] for order in page["orders"]] == [cancelled]
        assert page["as_of"]["complete"] is True


@pytest.mark.parametrize(
    ("status", "instead"),
    [
        ("parked", "use --parked"),
        ("overdue", "use --overdue"),
        ("waiting", "use --waiting-for"),
        ("canceled", "cancelled?"),
    ],
)
def test_what_is_no_status_is_answered_with_the_option_that_was_meant(
    expediter: Any, running: Any, status: str, instead: str
) -> None:
    """A parked order has a status besides, in which it was parked."""
    result = expediter("order", "list", "--status", status, "--data", running.data)
    assert result.code != 0
    assert instead in result.err


@pytest.mark.parametrize(
    ("option", "instead"),
    [
        ("--phone", "order search --phone"),
        ("--email", "order search --phone, --email"),
        ("--name", "order search"),
        ("--id", "--id-prefix or --id-suffix"),
        ("--error", "use --cause"),
        ("--custommer", "--customer"),
    ],
)
def test_an_option_that_a_list_lacks_is_answered_with_the_one_that_was_meant(
    expediter: Any, option: str, instead: str
) -> None:
    """Also options for what customers name on the phone, such as their number, and a misspelt one."""
    result = expediter("order", "list", option, "x")
    assert result.code == 2
    assert instead in result.err


def test_events_are_listed_across_orders(expediter: Any, running: Any, cancelled: str) -> None:
    """The newest first, without what people wrote."""
    result = expediter("events", "--type", "CancellationRequested", "--data", running.data)
    assert result.code == 0, result.err
    assert result.out.splitlines()[1].split()[2] == cancelled
    assert "knee" not in result.out
    listed = expediter("events", "--order", cancelled, "--json", "--data", running.data).json["events"]
    assert listed[-1]["type"] == "OrderPlaced"


def test_the_views_are_listed_by_address_too(expediter: Any, running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who has no folder, as on AWS, sees what is behind and parked."""
    token = expediter("token", "--role", "support", "--id", "sue", "--data", running.data).out.strip()
    monkeypatch.setenv("EXPEDITER_TOKEN", token)
    by_address = expediter("views", "list", "--url", running.url)
    assert by_address.code == 0, by_address.err
    assert "orders" in by_address.out
    by_folder = expediter("views", "list", "--data", running.data, "--json").json
    assert {view["name"] for view in by_folder["views"]} == {
        view["name"] for view in expediter("views", "list", "--url", running.url, "--json").json["views"]
    }


def test_a_check_beside_an_engine_waits_for_the_views(expediter: Any, running: Any) -> None:
    """What the projector stores in a moment is no difference."""
    for _ in range(3):
        expediter("order", "place", "--example", "--data", running.data)
        assert expediter("views", "check", "--data", running.data).code == 0


def test_statistics_count_the_orders_of_the_last_day(expediter: Any, running: Any, cancelled: str) -> None:
    """As a table, and for a restaurant its own."""
    counted = expediter("stats", "--json", "--data", running.data).json
    assert counted["groups"][0]["orders"] >= 1
    table = expediter("stats", "--bucket", "hour", "--by-restaurant", "--data", running.data)
    assert "trattoria-nonna" in table.out
    assert "stages as p50 / p95" in table.err
    assert f"placed from {counted['placed_from'][:10]}" in table.err
    assert expediter("stats", "--data", running.data, "--as", "customer:cus_1").code == 1


def test_a_search_without_anything_to_search_for_is_wrong_usage(expediter: Any, running: Any) -> None:
    assert expediter("order", "search", "--data", running.data).code == 2
    assert expediter("stats", "--from", "7", "--data", running.data).code == 2


def test_an_auditor_lists_who_read_the_data_of_a_customer(expediter: Any, running: Any, cancelled: str) -> None:
    """With the reasons that the readers gave; others may not read them."""
    searched = ("order", "search", "--phone", "030 1234567", "--reason", "case 4711", "--data", running.data)
    assert expediter(*searched).code == 0
    for number, command in enumerate(("show", "history", "timeline", "replay")):
        at = ("--at", "1") if command == "replay" else ()
        read = expediter("order", command, cancelled, *at, "--reason", f"case 48{number}", "--data", running.data)
        assert read.code == 0, read.err
    placed = expediter("order", "place", "--example", "--json", "--data", running.data).json
    wait_until_listed(running, placed["id"], placed["version"])  # the views then include the search too
    listed = expediter("accesses", "--order", cancelled, "--data", running.data, "--as", "auditor:ann")
    assert listed.code == 0, listed.err
    for reason in ("case 4711", "case 480", "case 481", "case 482", "case 483"):
        assert reason in listed.out
    assert expediter("accesses", "--data", running.data, "--as", "support:sue").code == 1


def test_an_auditor_queries_with_sql(expediter: Any, running: Any, cancelled: str) -> None:
    """As a table and as JSON; --data acts as an auditor here, and a refusal ends with exit code 1."""
    sql = f"SELECT order_id, type FROM events WHERE order_id = '{cancelled}' AND type = 'OrderPlaced'"
    assert cancelled in expediter("audit", "query", sql, "--data", running.data).out
    answer = expediter("audit", "query", sql, "--json", "--data", running.data).json
    assert (answer["columns"], answer["rows"]) == (["order_id", "type"], [[cancelled, "OrderPlaced"]])
    refused = expediter("audit", "query", "DELETE FROM events", "--data", running.data)
    assert refused.code == 1
    assert "begins with SELECT" in refused.err


def test_the_record_of_reads_shows_what_was_queried(expediter: Any, running: Any) -> None:
    """Also a query that was refused."""
    sql = "DELETE FROM events_of_may"
    assert expediter("audit", "query", sql, "--data", running.data, "--as", "auditor:paul").code == 1
    listed = ("accesses", "--actor", "paul", "--data", running.data, "--as", "auditor:ann")
    eventually(lambda: sql in " ".join(expediter(*listed).out.split()))
    assert "POST /audit/query" in expediter(*listed).out


@pytest.mark.parametrize("format_", ["jsonl", "csv", "parquet"])
def test_an_export_is_written_checked_and_queried_without_the_engine(
    expediter: Any, running: Any, cancelled: str, tmp_path: Path, format_: str
) -> None:
    """Made by the engine's own process, signed with its key; a changed file is refused with the place."""
    file = tmp_path / f"events.{format_}"
    made = expediter("audit", "export", "--order", cancelled, "-o", str(file), "--json", "--data", running.data)
    assert made.code == 0, made.err
    assert made.json["rows"] > 2
    key = signer_in(Path(running.data)).key.text
    counted = expediter("audit", "open", str(file), "--key", key, "--sql", "SELECT count(*) FROM events", "--json")
    assert counted.code == 0, counted.err
    assert (counted.json["result"], counted.json["signature"]) == ([[made.json["rows"]]], "valid")
    assert cancelled in expediter("audit", "open", str(file)).out
    unread = expediter("audit", "open", str(file), "--key", "x")
    assert (unread.code, "--key is not a verifier key" in unread.err) == (2, True), unread
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    altered = expediter("audit", "open", str(file))
    assert altered.code == 1
    assert "bytes 0 to" in altered.err


def test_an_export_needs_a_known_format_and_a_folder(expediter: Any, running: Any, tmp_path: Path) -> None:
    """Before anything is made."""
    for output in (tmp_path / "events.xlsx", tmp_path / "missing" / "events.csv"):
        assert expediter("audit", "export", "-o", str(output), "--data", running.data).code == 2
    assert expediter("audit", "open", str(tmp_path / "nothing.csv")).code == 2


def test_a_stream_that_a_view_lacks_is_tried_again(expediter: Any, running: Any, cancelled: str) -> None:
    """A dry run, the outcome of each view, and nothing left to do afterwards; customers may not."""
    stream = f"order#{cancelled}"
    with opened_views(running.data) as (store, _), store.writing() as connection:
        store.park(connection, "orders", stream, "ArithmeticError")

    def retry(*options: str) -> Any:
        return expediter("views", "retry", stream, *options, "--data", running.data)

    assert "would be stored" in retry("--dry-run").out
    assert retry("--json").json == {"stream": stream, "dry_run": False, "views": [{"view": "orders", "error": None}]}
    assert "is not parked" in retry().err
    assert retry("--as", "customer:cus_1").code == 1
