"""``expediter customers``: what is kept about one, and erasing one, which takes two persons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.options import As, Data, Json, Key, Url, printable_ascii
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.client.customer_json import ErasureJson

app = typer.Typer(
    name="customers",
    help="See what is kept about a customer, and erase one as two persons.",
    no_args_is_help=True,
)

CustomerId = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id, e.g. cus_1.")]
Reason = Annotated[str, typer.Option(help="Recorded for the audit. Do not name the customer.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would go and what stays.")]


@app.command()
def data(
    customer: CustomerId,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="The most orders to show.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="`next` of the page before.")] = None,
    access_reason: Annotated[
        str | None,
        typer.Option(callback=printable_ascii, help="Why it is read, e.g. a case number. Recorded for auditors."),
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show everything that is kept about a customer. The read is recorded; auditors see no values."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        kept = engine.customer_data(customer, limit=limit, cursor=cursor, access_reason=access_reason)
    if json:
        print_json(kept)
    else:
        from workflows.cli.customer_pages import show_customer_data

        show_customer_data(kept)


@app.command()
def erase(
    customer: CustomerId,
    *,
    reason: Reason,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Propose to erase a customer. A second person has to approve it; nothing is destroyed before."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        erasure = engine.erase_customer(customer, reason, dry_run=dry_run, key=key)
    _show(erasure, json)
    if dry_run:
        say("Dry run: nothing was recorded. A second person has to approve what is proposed.")
        return
    proposed = erasure["proposed"]
    if erasure["state"] == "proposed" and proposed is not None:
        if proposed["reason"] != reason:
            say("it was proposed before, so this reason was not recorded")
        approve = hint(f"customers approve {customer} --reason WHY --as support:NAME", url, data)
        say(f"a second person erases them: {approve}")


@app.command()
def approve(
    customer: CustomerId,
    *,
    reason: Reason,
    dry_run: DryRun = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Approve, as a second person, that a customer is erased. It cannot be undone."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        erasure = engine.approve_erasure(customer, reason, dry_run=dry_run)
    _show(erasure, json)
    if dry_run:
        say("Dry run: nothing was erased. Approved, the customer is erased at once, and it cannot be undone.")


@app.command()
def reject(
    customer: CustomerId,
    *,
    reason: Reason,
    dry_run: DryRun = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Reject a proposed erasure, or withdraw your own."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        erasure = engine.reject_erasure(customer, reason, dry_run=dry_run)
    _show(erasure, json, effects=False)
    say("Dry run: the proposal would be rejected." if dry_run else "The proposal was rejected: nothing is erased.")


@app.command()
def erasure(customer: CustomerId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show how far the erasure of a customer is, and the receipts of earlier ones."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        found = engine.erasure(customer)
    _show(found, json)


@app.command()
def erasures(*, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """List the erasures that wait for a second person or go on by themselves."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        listed = engine.erasures()
    if json:
        print_json(listed)
    else:
        from workflows.cli.customer_pages import show_erasures

        show_erasures(listed["erasures"])


def _show(erasure: ErasureJson, json: bool, *, effects: bool = True) -> None:
    if json:
        print_json(erasure)
        return
    from workflows.cli.customer_pages import show_erasure

    show_erasure(erasure, effects=effects)
