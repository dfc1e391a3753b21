"""``expediter doctor``: look at an AWS account before the first deployment to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.failures import Exit, InvalidInput
from workflows.cli.options import JsonObject, Region
from workflows.cli.terminal import data_console, print_json, say, table

if TYPE_CHECKING:
    from workflows.aws.quotas import Quota

STACK_NAME_MAX = 52
"""Characters: a schedule's name may have 64, and the longest one ends with ``-checkpoints``."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(doctor)


def doctor(
    *,
    stack: Annotated[str, typer.Option(metavar="NAME", help="The stack's name, as it will be deployed.")],
    orders_per_second: Annotated[float, typer.Option(min=0.001, max=10_000, metavar="N", help="At the peak.")] = 5.0,
    region: Region = None,
    json: JsonObject = False,
) -> int:
    """Check an AWS account before the first deployment: the stack's name, quotas with the requests to make, and trails.

    Alarms about changes by hand need a trail of CloudTrail. Needs permission for lambda:GetAccountSettings,
    servicequotas:List*, cloudtrail:DescribeTrails, GetTrailStatus and GetEventSelectors. Changes nothing. Exit code 1
    if a quota is too small or unknown, or if no trail records what is reported.
    """
    if len(stack) > STACK_NAME_MAX:
        raise InvalidInput(f"the stack's name has {len(stack)} characters; at most {STACK_NAME_MAX} are possible")
    quotas, silent = _quotas(region, orders_per_second), _unrecorded(region)
    if json:
        views = [_view(each) for each in quotas]
        print_json({"stack": stack, "orders_per_second": orders_per_second, "quotas": views, "unrecorded": silent})
    else:
        _show(quotas, orders_per_second)
        if silent:
            say(
                f"no trail of CloudTrail records changes of {', '.join(silent)} here: those by hand would send no alarm"
            )
    return Exit.OK if all(quota.is_enough for quota in quotas) and not silent else Exit.NO


def _quotas(region: str | None, orders_per_second: float) -> list[Quota]:
    from workflows.aws.quotas import read_quotas
    from workflows.cli.aws import client, explained

    with explained("the account's quotas"):
        return list(
            read_quotas(client("service-quotas", region), client("lambda", region), orders_per_second=orders_per_second)
        )


def _unrecorded(region: str | None) -> list[str]:
    from workflows.aws.trails import unrecorded
    from workflows.cli.aws import client, explained

    with explained("the account's trails"):
        return sorted(unrecorded(client("cloudtrail", region)))


def _view(quota: Quota) -> dict[str, Any]:
    return {
        "service": quota.service,
        "name": quota.name,
        "needed": quota.needed,
        "available": quota.available,
        "enough": quota.is_enough,
        "request": quota.request,
    }


def _show(quotas: list[Quota], orders_per_second: float) -> None:
    rows = table("service", "quota", "needed", "available", "")
    for quota in quotas:
        available = "unknown" if quota.available is None else f"{quota.available:g}"
        too_small = quota.available is not None and not quota.is_enough
        rows.add_row(quota.service, quota.name, str(quota.needed), available, "too small" if too_small else "")
    data_console().print(rows)
    requests = [quota.request for quota in quotas if quota.request]
    if requests:
        say(f"for {orders_per_second:g} orders a second request these, which AWS may take days to grant:")
        for request in requests:
            print(request)
    if any(quota.available is None for quota in quotas):
        say("a quota is unknown: look it up in the console of Service Quotas")
