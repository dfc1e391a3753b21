"""Erasing a customer from the command line: what previews show, and the instructions for the second person."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Expediter, Result


@pytest.fixture
def customers(expediter: Expediter, running: Any) -> Any:
    """Run a command of ``expediter customers`` as a person of support."""

    def command(name: str, *more: str, by: str = "sue") -> Result:
        return expediter("customers", name, *more, "--data", running.data, "--as", f"support:{by}")

    return command


def ended_order(expediter: Expediter, running: Any, customer: str) -> str:
    """Place an order of this customer, cancel it, and wait for its end."""
    placed = expediter("order", "place", "--example", "--data", running.data, "--as", f"customer:{customer}")
    order_id = placed.out.strip()
    ended = expediter("order", "cancel", order_id, "--reason", "a mistake", "--data", running.data)
    assert ended.code == 0, ended
    return order_id


def test_each_step_of_an_erasure_says_what_it_does_and_whether_it_was_a_dry_run(expediter, running, customers):
    """The preview of a rejection lists nothing that goes, and a proposal names the command of the second person."""
    order_id = ended_order(expediter, running, "cus_e1")
    planned = customers("erase", "cus_e1", "--reason", "request 1", "--dry-run")
    assert (planned.code, "Dry run: nothing was recorded" in planned.err) == (0, True), planned
    assert "goes: The data key" in planned.out
    assert "approve" not in planned.err.replace("has to approve", "")
    proposed = customers("erase", "cus_e1", "--reason", "request 1")
    assert f"expediter customers approve cus_e1 --reason WHY --as support:NAME --data {running.data}" in proposed.err
    again = customers("erase", "cus_e1", "--reason", "request 2", by="sam")
    assert "request 1" in again.out
    assert "this reason was not recorded" in again.err
    for dry_run in (["--dry-run"], []):
        rejected = customers("reject", "cus_e1", "--reason", "the wrong one", *dry_run, by="sam")
        assert (rejected.code, "goes:" in rejected.out) == (0, False), rejected
        assert ("Dry run" in rejected.err) is bool(dry_run)
    assert "nothing is erased" in rejected.err
    assert customers("erase", "cus_e1", "--reason", "request 3").code == 0
    looked = customers("approve", "cus_e1", "--reason", "checked", "--dry-run", by="sam")
    assert (looked.code, "Dry run: nothing was erased" in looked.err) == (0, True), looked
    assert "erased 2" not in looked.out
    kept = customers("data", "cus_e1")
    assert f"of {order_id}, " in kept.out, kept
    assert "cus_e1: erased" in customers("approve", "cus_e1", "--reason", "checked", by="sam").out


def test_a_customer_of_whom_nothing_is_kept_is_not_said_to_be_kept(customers):
    """A mistyped id looks like one."""
    shown = customers("data", "cus_nobody").out
    assert shown.strip() == "customer cus_nobody: not erased, no key, so nothing personal can be read"
    assert "not erased" in customers("erasure", "cus_nobody").out
