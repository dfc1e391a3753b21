"""Ten minutes of throttling: what becomes of orders while AWS's limits have no room for them.

    python -m workflows.simulation.throttling --write docs/throttling.md

Each row is a world of its own with the real handlers, machines and retries. Orders arrive for thirteen minutes. From
the first to the eleventh minute another application of the account takes all that one limit allows.

A row is simulated with fewer orders a second, and every limit divided by the same factor: buckets, refills and
functions at once. Times are not divided, neither those of machines nor those of people. A bucket that is refilled at a
hundredth, and asked for a hundredth, is empty at the same times and lets the same share pass; only chance weighs more
among fewer orders, so waits come out longer rather than shorter. Orders arrive evenly: five hundred a second do nearly.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from domain.order.events import OrderParked, OrderPlaced, PaymentAuthorized
from workflows.embedded.template import Template
from workflows.event_store.worker_processes import worker_pool
from workflows.orders.command_handling import load
from workflows.simulation.aws_limits import (
    LARGE_REGIONS,
    NEW_ACCOUNT,
    OTHER_REGIONS,
    Limit,
    LimitUse,
    Quotas,
    requested,
)
from workflows.simulation.invariants import violations
from workflows.simulation.limited_world import LimitedWorld
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.releases import read_deployed
from workflows.simulation.scheduler import EPOCH
from workflows.simulation.simulate import quiet
from workflows.simulation.wire import outage
from workflows.simulation.world import World

ROOT = Path(__file__).parents[2]

ARRIVING_S = 780.0
DRAINED_AFTER_S, DRAINED_S = 60.0, 600.0
ENDED_WITHIN = timedelta(hours=48)
"""Above all timeouts of the machines. A world that is not at rest by then has lost an order."""

QUOTAS: Mapping[str, Quotas] = {
    "large regions": LARGE_REGIONS,
    "other regions": OTHER_REGIONS,
    "new account": NEW_ACCOUNT,
    "requested for 500/s": requested(500),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttling:
    """A world to run: ``rate`` orders a second, simulated as ``rate / divided_by`` with limits divided likewise."""

    rate: float
    quotas: str
    drained: Limit | None
    divided_by: float = 1.0
    arriving_s: float = ARRIVING_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlingResult:
    """The result of a world.

    Attributes:
        ends: Orders by how they ended.
        parked: Orders that were parked at any time.
        authorized: The longest time from placing an order to its payment's authorization.
        ended: The time from the last order's arrival to the last order's end.
        given_up: Batches of the stream that Lambda gave up on.
    """

    throttling: Throttling
    ends: Mapping[str, int]
    parked: int
    uses: Mapping[Limit, LimitUse]
    authorized: timedelta
    ended: timedelta
    given_up: int
    violations: Sequence[str]

    @property
    def first(self) -> Limit | None:
        """The limit that work waited for first."""
        reached = {limit: use.first_at for limit, use in self.uses.items() if use.first_at is not None}
        return min(reached, key=reached.__getitem__) if reached else None


class Customer(SimulatedOrder):
    """Pays with a payment method that works, so that throttling alone can cause incidents."""

    look_s = 60.0

    def __init__(self, world: World, number: int, *, after_s: float) -> None:
        self._after_s = after_s
        super().__init__(world, number, within_s=0.0)

    def _customer(self) -> None:
        self.world.scheduler.pause(self._after_s)
        super()._customer()

    def _body(self) -> dict[str, Any]:
        return {**super()._body(), "payment_method": "pm_ok"}


def throttle(throttling: Throttling, template: Template, *, seed: int = 1) -> ThrottlingResult:
    """Run one world until every order is at rest."""
    drained = outage(EPOCH + timedelta(seconds=DRAINED_AFTER_S), DRAINED_S)
    quotas = {limit: bucket.scaled(throttling.divided_by) for limit, bucket in QUOTAS[throttling.quotas].items()}
    world = LimitedWorld(seed, template, quotas, {throttling.drained: drained} if throttling.drained else {})
    number = round(throttling.rate / throttling.divided_by * throttling.arriving_s)
    with closing(world), quiet():
        customers = [Customer(world, each, after_s=throttling.arriving_s * each / number) for each in range(number)]
        _run_to_rest(world, customers)
        return _result(throttling, world, customers)


def _run_to_rest(world: LimitedWorld, customers: Sequence[Customer]) -> None:
    looked = EPOCH

    def at_rest() -> bool:
        nonlocal looked
        now = world.scheduler.now()
        if now < looked + timedelta(minutes=1):
            return False
        looked = now
        is_quiet = not world.undelivered and all(customer.at_rest for customer in customers)
        return is_quiet or now > EPOCH + ENDED_WITHIN

    world.scheduler.run(at_rest, steps_max=sys.maxsize)


def _result(throttling: Throttling, world: LimitedWorld, customers: list[Customer]) -> ThrottlingResult:
    parked, authorized, ended = 0, timedelta(), EPOCH
    for customer in customers:
        if customer.order_id is None:
            continue
        recorded = load(world.log, customer.order_id)[0].recorded
        at = {type(each.event): each.recorded_at for each in reversed(recorded)}
        parked += OrderParked in at
        authorized = max(authorized, at.get(PaymentAuthorized, recorded[-1].recorded_at) - at[OrderPlaced])
        ended = max(ended, recorded[-1].recorded_at)
    return ThrottlingResult(
        throttling=throttling,
        ends=Counter(_end(customer) for customer in customers),
        parked=parked,
        uses=world.limits.uses(),
        authorized=authorized,
        ended=ended - EPOCH - timedelta(seconds=throttling.arriving_s),
        given_up=world.given_up,
        violations=violations(world, list(customers)),
    )


def _end(customer: Customer) -> str:
    order = customer.order
    return "never placed" if order is None else order.status.value


# --- the page ---------------------------------------------------------------------------------------------------------


def rows() -> list[Throttling]:
    """List the worlds of the page."""
    limits = (None, *Limit)
    called = [limit for limit in limits if limit is not Limit.DESCRIBES]  # at 5 orders a second it is seen to be unused
    return [
        *(Throttling(rate=5, quotas="large regions", drained=limit, divided_by=100) for limit in limits),
        Throttling(rate=5, quotas="other regions", drained=None, divided_by=100),
        Throttling(rate=5, quotas="new account", drained=None, divided_by=10, arriving_s=300),
        *(Throttling(rate=500, quotas="requested for 500/s", drained=limit, divided_by=1000) for limit in called),
        Throttling(rate=500, quotas="large regions", drained=None, divided_by=1000, arriving_s=600),
    ]


def page(results: Sequence[ThrottlingResult], command: str, date: str, seconds: float) -> str:
    """Format the results as Markdown."""
    broken = sum(len(result.violations) for result in results)
    orders = sum(sum(result.ends.values()) for result in results)
    lines = [
        "# Throttling",
        "",
        f"Written by `{command}` on {date}: {len(results)} worlds,",
        f"{orders:,} orders, {broken} broken invariants; {seconds:.0f} s.",
        "",
        *_LEGEND,
        "",
        *_quotas(),
        "",
        "## Results",
        "",
        *_table(results),
    ]
    return "\n".join(lines) + "\n"


_LEGEND = """\
What becomes of orders while AWS refuses or holds back calls above its limits. Each row is a world of its own with the
real handlers, machines and retries under a virtual clock, as in [the simulation](simulation.md). Orders arrive for 13
minutes, or for 5 or 10 where the load itself is above the quotas. Where a limit is *drained*, another application of
the account takes all of it from the first to the eleventh minute. DescribeExecution is drained at 5 orders a second
alone: nothing calls it.

A row is simulated with fewer orders a second, which arrive evenly, and every limit divided by the same factor. Times
are not divided, neither those of machines nor those of people. A bucket that is refilled at a hundredth, and asked for
a hundredth, is empty at the same times. Only chance weighs more among fewer orders, so waits come out longer rather
than shorter: three functions at once are all busy now and then, three thousand at half their load never.

Calls are refused (Lambda, StartExecution, SendTaskSuccess) or wait in order (state transitions, DescribeExecution). A
wait lasts from the first refusal of a piece of work until it passes. *First queue* is the limit for which work was the
first to wait ten seconds or longer. Two things are assumed, because AWS does not document them: Step Functions calls
DescribeExecution once for each child of a `.sync:2` Task, at its end (no machine of ours has children now); and Lambda
repeats a failed batch of the stream with waits that double up to a minute. Refused clients try three times, as ours do.
Cancelled orders are those that a restaurant or every courier declined.

At 500 orders a second with the default quotas, steps wait for longer than their 18 minutes of retries: request the
quotas that `expediter doctor --stack` names first. A batch of the stream that failed 25 times goes to a bucket on AWS,
and the timer processes it again each minute. These worlds have no such bucket: the order of such a batch keeps an old
row in the view of open orders, which counts as a broken invariant of that load.
""".splitlines()

_ABOUT_QUOTAS = """\
## Limits

Bucket, and refill a second, from AWS's pages of quotas (`workflows/simulation/aws_limits.py` names them). AWS does not
say how many transitions new accounts have: an eighth of those of other regions is assumed.
""".splitlines()


def _quotas() -> Iterator[str]:
    yield from _ABOUT_QUOTAS
    yield ""
    yield f"| limit | {' | '.join(QUOTAS)} |"
    yield "|---" * (len(QUOTAS) + 1) + "|"
    for limit in Limit:
        buckets = [quotas[limit] for quotas in QUOTAS.values()]
        cells = [f"{b.size:,.0f}, {b.refill_per_s:,.0f}/s" if b.refill_per_s else f"{b.size:,.0f}" for b in buckets]
        yield f"| {limit} | {' | '.join(cells)} |"


def _table(results: Sequence[ThrottlingResult]) -> Iterator[str]:
    yield (
        "| orders/s | divided by | quotas | drained | first queue | longest waits | longest until authorized |"
        " completed, cancelled | parked | last end after the last order |"
    )
    yield "|---" * 10 + "|"
    for result in results:
        of = result.throttling
        waits = sorted(result.uses.items(), key=lambda it: it[1].longest, reverse=True)
        longest = [f"{limit} {_minutes(use.longest)}" for limit, use in waits if use.longest > timedelta(seconds=1)]
        cells = (
            f"{of.rate:g}",
            f"{of.divided_by:g}",
            of.quotas,
            of.drained or "nothing",
            result.first or "none",
            "; ".join(longest) or "none",
            _minutes(result.authorized),
            f"{result.ends.get('completed', 0)}, {result.ends.get('cancelled', 0)}",
            f"{result.parked}",
            _minutes(result.ended),
        )
        yield f"| {' | '.join(cells)} |"


def _minutes(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


@cache
def _deployed() -> Template:
    return read_deployed(ROOT)


def _run(throttling: Throttling) -> ThrottlingResult:
    return throttle(throttling, _deployed())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m workflows.simulation.throttling", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="file to write the page to, instead of printing it")
    parser.add_argument("--rate", type=float, help="only the rows of this number of orders a second")
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    chosen = [row for row in rows() if options.rate in (None, row.rate)]
    with worker_pool() as processes:
        results = list(processes.map(_run, chosen))
    command = f"python -m workflows.simulation.throttling --write {options.write or 'docs/throttling.md'}"
    text = page(results, command, time.strftime("%Y-%m-%d"), time.perf_counter() - began)
    if options.write is None:
        print(text, end="")
    else:
        options.write.write_text(text)
    for result in results:
        for violation in result.violations:
            print(f"{result.throttling}: {violation}", file=sys.stderr)
    return 1 if any(result.violations for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
