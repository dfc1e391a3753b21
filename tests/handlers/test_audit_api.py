"""Checkpoints, heads and proofs over HTTP: who may read them, their pages, and that a saved answer is verified."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identifiers import SYSTEM
from handlers.checkpoints import handler
from tests.audit.verifier import VERIFIER
from workflows.client.audit_json import proof_file
from workflows.engine import serving
from workflows.event_store.erasure import erase


def publish(shop, *, hours: int = 1):
    """Place an order and make a checkpoint, once an hour; the ids of the orders."""
    placed = []
    for hour in range(hours):
        placed.append(shop.authorized(key=f"key-{hour}"))
        shop.clock.time += timedelta(hours=1)
        assert shop.engine.heads.round(now=shop.clock.now())
    return placed


def read(shop, path, *, role="auditor", **query):
    answer = shop.call("GET", path, query=query, role=role, sub="otto")
    assert answer.status == 200, answer.text
    return answer


def scheduled(shop, event):
    """Invoke the function as the schedule does."""
    with serving(shop.engine, {}):
        return handler(event, None)


def test_the_answer_is_the_file_that_the_verifier_accepts(shop):
    """Saved byte by byte, and also if the client decoded it and wrote it again."""
    (order_id,) = publish(shop)
    answer = read(shop, f"/orders/{order_id}/proof")
    result = VERIFIER.verify(answer.text.encode(), answer.json["key"])
    assert (result["stream"], result["version"]) == (f"order#{order_id}", shop.order(order_id).version)
    assert proof_file(answer.json) == answer.text.encode()
    assert "Ada Byron" not in answer.text


def test_a_proof_ends_with_the_last_checkpoint_and_the_etag_has_the_orders_version(shop):
    """The reader sees that the order went on since."""
    (order_id,) = publish(shop)
    shop.call("POST", f"/orders/{order_id}/cancel", {"reason": "late"}, role="support", sub="sue")
    answer = read(shop, f"/orders/{order_id}/proof")
    newest = int(answer.headers["etag"].strip('"'))
    assert VERIFIER.verify(answer.text.encode())["version"] == 4 < newest == shop.order(order_id).version
    assert shop.engine.heads.round(now=shop.clock.now(), even_if_not_due=True)
    assert VERIFIER.verify(read(shop, f"/orders/{order_id}/proof").text.encode())["version"] == newest


def test_an_order_that_no_checkpoint_has_cannot_be_proven_yet(shop):
    """404 says when."""
    answer = shop.call("GET", f"/orders/{shop.authorized()}/proof", role="auditor", sub="otto")
    assert (answer.status, answer.json["type"]) == (404, "urn:expediter:problem:NotProvable")
    assert "hour" in answer.json["detail"]


@pytest.mark.parametrize("path", ["/audit/checkpoints", "/audit/heads", "/audit/verify", "/orders/{id}/proof"])
@pytest.mark.parametrize("role", ["customer", "restaurant", "courier", "service", "support", "auditor"])
def test_support_and_auditors_read_checkpoints_and_proofs(shop, path, role):
    """The customer of the order neither: the content has what support wrote."""
    (order_id,) = publish(shop)
    sub = {"customer": "ada", "restaurant": "rosa"}.get(role, "otto")
    answer = shop.call("GET", path.replace("{id}", order_id), role=role, sub=sub)
    expected = 200 if role in ("support", "auditor") else 404 if role == "courier" and "{id}" in path else 403
    assert answer.status == expected, answer.text


def test_checkpoints_are_listed_in_pages_the_newest_first(shop):
    """With the note that an auditor keeps, and the key to check it with."""
    publish(shop, hours=3)
    first = read(shop, "/audit/checkpoints", limit=2).json
    assert [each["number"] for each in first["checkpoints"]] == [3, 2]
    second = read(shop, "/audit/checkpoints", limit=2, before=first["next"]).json
    assert ([each["number"] for each in second["checkpoints"]], second["next"]) == ([1], None)
    newest = first["checkpoints"][0]
    assert newest["note"].split("\n")[1] == str(newest["size"])


def test_the_heads_of_a_checkpoint_are_listed_in_pages(shop):
    """Each with its leaf: the place in the tree."""
    publish(shop, hours=2)
    whole = read(shop, "/audit/heads").json
    assert whole["checkpoint"]["number"] == 2
    first = read(shop, "/audit/heads", checkpoint=1, limit=1).json
    second = read(shop, "/audit/heads", checkpoint=1, limit=1, after=first["next"]).json
    assert [page["heads"][0]["leaf"] for page in (first, second)] == [0, 1]
    assert [head["stream"].split("#")[0] for head in whole["heads"]] == ["order"]


def test_a_checkpoint_that_is_missing_is_404(shop):
    """Also while there is none."""
    for query in ({}, {"checkpoint": 7}):
        answer = shop.call("GET", "/audit/heads", query=query, role="auditor", sub="otto")
        assert (answer.status, answer.json["type"]) == (404, "urn:expediter:problem:NoSuchCheckpoint")
    assert read(shop, "/audit/checkpoints").json == {"checkpoints": [], "next": None, "key": None}


def test_the_log_is_verified_page_by_page(shop):
    """Streams first, then published heads; the counts of all pages are those of the log."""
    publish(shop, hours=3)
    pages, cursor = [], None
    while not pages or cursor is not None:
        pages.append(read(shop, "/audit/verify", limit=1, **({} if cursor is None else {"cursor": cursor})).json)
        cursor = pages[-1]["next"]
    assert sum(page["heads"] for page in pages) == pages[0]["published"] > 0
    assert sum(page["streams"] for page in pages if not page["heads"]) == len({commit.pk for commit in shop.log.scan()})
    assert [page["findings"] for page in pages] == [[]] * len(pages)


def test_a_cursor_of_another_list_does_not_begin_a_verification(shop):
    """400, in place of a page that passes without having looked."""
    answer = shop.call("GET", "/audit/verify", query={"cursor": "b3JkX3g6Mw"}, role="auditor", sub="otto")
    assert (answer.status, answer.json["errors"][0]["field"]) == (400, "cursor")


def test_the_schedule_makes_a_checkpoint_when_it_is_due(shop):
    """An hour after the last one; at once if it is asked for."""
    shop.authorized()
    assert scheduled(shop, {}) == {"checkpoints": 1}
    shop.authorized(key="another")
    assert scheduled(shop, {}) == {"checkpoints": 0}
    assert scheduled(shop, {"now": True}) == {"checkpoints": 1}


def test_a_checkpoint_that_fails_is_logged_and_fails_nothing_else(shop, caplog):
    """The message is the one that the alarm counts."""
    shop.authorized()
    shop.engine.heads._maker._store.files[1] = b"damaged"
    assert scheduled(shop, {}) == {"checkpoints": 0}
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "no checkpoint could be published"
    ]
    assert shop.engine.heads.failures == 1


def test_an_erasure_leaves_a_proof_valid_that_was_made_before(shop):
    """And one made after: hashes are over the encrypted fields, which the key's destruction does not change."""
    (order_id,) = publish(shop)
    before = read(shop, f"/orders/{order_id}/proof")
    assert '"sealed' in before.text
    assert erase(shop.log, shop.keyring, shop.clock, "ada", actor=SYSTEM, reason="asked for it")
    after = read(shop, f"/orders/{order_id}/proof")
    assert VERIFIER.verify(before.text.encode())["version"] == VERIFIER.verify(after.text.encode())["version"]
    assert before.json["commits"] == after.json["commits"]
