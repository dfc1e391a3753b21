"""Auditors query the views with SQL: what they get, what is recorded, and what it may cost."""

from __future__ import annotations

from typing import Any

from domain.identifiers import Role
from workflows.orders.permissions import PERMISSIONS, Action
from workflows.queries import running
from workflows.queries.relations import RELATIONS
from workflows.queries.statement import prepared

TYPES = "SELECT type, count(*) AS n FROM events GROUP BY type ORDER BY n DESC, type"


def ask(shop: Any, sql: str, *, role: str = "auditor", **body: object) -> Any:
    return shop.call("POST", "/audit/query", {"sql": sql, **body}, role=role, sub="ann")


def rows(shop: Any, sql: str, **body: object) -> list[list[Any]]:
    answer = ask(shop, sql, **body)
    assert answer.status == 200, answer
    return answer.json["rows"]  # type: ignore[no-any-return]


def test_a_query_counts_joins_and_reads_json(shop):
    """The same statements on both databases."""
    order_id = shop.picked_up()
    shop.project()
    answer = ask(shop, TYPES, limit=100)
    assert answer.json["columns"] == ["type", "n"]
    assert ["OrderPlaced", 1] in answer.json["rows"]
    assert not answer.json["truncated"]
    assert answer.json["as_of"]["lag_commits"] <= 1  # the record of this query
    joined = (
        "WITH placed AS (SELECT order_id, data ->> 'restaurant' AS restaurant FROM events WHERE type = 'OrderPlaced') "
        "SELECT o.order_id, p.restaurant, o.status FROM orders AS o JOIN placed AS p ON p.order_id = o.order_id;"
    )
    assert rows(shop, joined) == [[order_id, "rosa", "picked_up"]]
    assert rows(shop, "SELECT sum(debit_minor) - sum(credit_minor) FROM ledger") == [[0]]
    assert rows(shop, "SELECT 1 AS x WHERE 1 = 0") == []


def test_a_query_reads_no_column_but_those_of_the_docs(shop):
    """Each relation has its columns, and none with personal data or a blind index."""
    order_id = shop.picked_up()
    shop.call("GET", f"/orders/{order_id}", role="support", sub="sue")
    shop.project()
    for name, relation in RELATIONS.items():
        answer = ask(shop, f"SELECT * FROM {name}", limit=1000)
        assert answer.json["columns"] == list(relation.columns)
        assert answer.json["rows"] or name == "taxes", name
        assert not any(text in answer.text for text in ("Ada Byron", "1234567", "index", "pm_"))


def test_a_name_in_quotes_is_a_name_on_both_databases(shop):
    """SQLite would answer with the text of a name that no column has, in a row for each order."""
    order_id = shop.place()
    shop.project()
    for sql in ('SELECT "phone" FROM orders', 'SELECT count(*) FROM events WHERE actor_role = "support"'):
        answer = ask(shop, sql)
        assert (answer.status, answer.problem) == (422, "QueryRefused"), answer
    assert ask(shop, 'WITH "a b" AS (SELECT order_id AS "c d" FROM orders) SELECT "c d" FROM "a b"').json["rows"] == [
        [order_id]
    ]
    aliased = ask(shop, 'SELECT o."order_id" AS "The Order", \'"x"\' AS t FROM orders AS o ORDER BY "The Order"').json
    assert (aliased["columns"], aliased["rows"]) == (["The Order", "t"], [[order_id, '"x"']])


def test_a_query_of_the_past_leaves_out_what_was_recorded_later(shop):
    """``orders`` has the state now alone, so it is refused there."""
    first = shop.place(key="1")
    shop.project()
    as_of = shop.list("/events", order=first).json["events"][0]["recorded_at"]
    shop.place(key="2")
    shop.project()
    every, then = "SELECT DISTINCT order_id FROM events", {"as_of": as_of}
    assert len(rows(shop, every)) == 2
    assert rows(shop, every, **then) == [[first]]
    answer = ask(shop, "SELECT * FROM orders", **then)
    assert (answer.status, answer.problem) == (422, "QueryRefused")
    assert "as of an earlier time" in answer.json["detail"]


def test_an_answer_has_a_bounded_number_of_rows_and_bytes(shop, monkeypatch):
    """``truncated`` says that there is more."""
    for number in range(3):
        shop.picked_up(key=str(number))
    shop.project()
    answer = ask(shop, "SELECT data FROM events", limit=2)
    assert (len(answer.json["rows"]), answer.json["truncated"]) == (2, True)
    assert not ask(shop, "SELECT order_id FROM orders", limit=3).json["truncated"]
    large = ask(shop, "SELECT a.data, b.data AS more FROM events AS a, events AS b, events AS c", limit=1000)
    assert large.status == 200
    assert len(large.text) < 1_100_000


def test_only_auditors_query(shop):
    """Only auditors see all orders together."""
    for role in set(Role) - {Role.SYSTEM}:
        answer = ask(shop, "SELECT 1 AS one", role=role)
        assert answer.status == (200 if role in PERMISSIONS[Action.QUERY] else 403), (role, answer)


def test_a_query_is_recorded_before_it_runs(shop):
    """Also one that is refused: an auditor of auditors sees who asked what."""
    ask(shop, TYPES)
    ask(shop, "SELECT * FROM tickets")
    shop.project()
    reads = shop.list("/access-log", role="auditor").json["reads"]
    assert {(read["actor"]["id"], read["route"], read["request"]) for read in reads} == {
        ("ann", "POST /audit/query", TYPES),
        ("ann", "POST /audit/query", "SELECT * FROM tickets"),
    }
    assert all((read["order_id"], read["fields"]) == (None, []) for read in reads)


def test_the_third_query_at_once_is_asked_to_wait(shop, monkeypatch):
    """Each may take a core for ten seconds, and orders need the cores."""
    for _ in range(running.AT_ONCE):
        assert running._running.acquire(blocking=False)
    try:
        answer = ask(shop, "SELECT 1 AS one")
        assert (answer.status, answer.problem) == (503, "QueriesBusy")
    finally:
        for _ in range(running.AT_ONCE):
            running._running.release()
    assert ask(shop, "SELECT 1 AS one").status == 200


def test_a_refusal_says_what_is_wrong(shop):
    """With the place or the word."""
    for sql, detail in {
        "DELETE FROM events": "begins with SELECT or WITH",
        "SELECT readfile('x')": "The function readfile may not be used",
        "SELECT nothing FROM events": "The database refused the query",
        "SELECT (1": "parentheses",
        "SELECT ?": "cannot be read at character 8",
    }.items():
        answer = ask(shop, sql)
        assert (answer.status, answer.problem) == (422, "QueryRefused")
        assert detail in answer.json["detail"]


def test_a_query_without_relations_is_run_as_it_is():
    """And one that names a relation gets it in front, also before its own."""
    assert prepared("SELECT 1;", "sqlite") == "SELECT 1"
    assert prepared("WITH x AS (SELECT 1) SELECT * FROM x, taxes", "sqlite").startswith(
        "WITH taxes AS NOT MATERIALIZED"
    )
