"""Statistics of the orders placed in a time: counts, money by currency, and how long each stage took.

Nothing is counted up while orders change: each number is computed from rows, so that it is right after any rebuild. The
rows are read once and grouped here: SQLite takes ten times as long to sort the lengths of eight stages itself. Their
number is bounded, so that an answer takes at most a second or so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, select

from domain.identifiers import Actor
from domain.money import Money
from workflows.orders.json_values import money_json
from workflows.projections.orders import ORDERS
from workflows.search.filters import BucketSize, StatsFilter
from workflows.search.refusals import TooManyOrders
from workflows.search.scopes import orders_of

if TYPE_CHECKING:
    from workflows.client.search_json import StageJson, StatsGroupJson, StatsMoneyJson

GROUPS_MAX: Final = 1_000
"""Groups in one answer, by their time and restaurant."""

ORDERS_MAX: Final = 100_000
"""Orders that are read for one answer."""

STAGES: Final = (
    *("authorization", "acceptance", "preparation", "assignment", "pickup", "delivery", "settlement", "total"),
)
_SUMS: Final = ("total", "captured", "refunded", "credited")
_LETTERS = {BucketSize.HOUR: 13, BucketSize.DAY: 10}
"""How much of ``2026-05-04T12:00:00.000000Z`` names the group."""

_column = ORDERS.c


@dataclass(slots=True)
class _StatsGroup:
    """What is known of the orders of one group."""

    parked: int = 0
    by_status: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    money: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0] * len(_SUMS)))
    lengths: list[list[int]] = field(default_factory=lambda: [[] for _ in STAGES])


def statistics(connection: Connection, actor: Actor, wanted: StatsFilter) -> tuple[list[StatsGroupJson], bool]:
    """Return the groups in order, the first ``GROUPS_MAX``, and whether there are more. Raises TooManyOrders."""
    groups = _groups(connection, actor, wanted)
    keys = sorted(groups, key=lambda key: (key[0] or "", key[1] or ""))
    return [_shown(key, groups[key]) for key in keys[:GROUPS_MAX]], len(keys) > GROUPS_MAX


def _groups(
    connection: Connection, actor: Actor, wanted: StatsFilter
) -> dict[tuple[str | None, str | None], _StatsGroup]:
    letters = None if wanted.bucket is None else _LETTERS[wanted.bucket]
    groups: dict[tuple[str | None, str | None], _StatsGroup] = defaultdict(_StatsGroup)
    for number, row in enumerate(connection.execute(_statement(actor, wanted))):
        if number == ORDERS_MAX:
            raise TooManyOrders(ORDERS_MAX)
        placed_at, restaurant, status, parked_since, currency, *rest = row
        bucket = None if letters is None else placed_at[:letters]
        group = groups[bucket, restaurant if wanted.by_restaurant else None]
        group.by_status[status] += 1
        group.parked += parked_since is not None
        sums = group.money[currency]
        for place, amount in enumerate(rest[: len(_SUMS)]):
            sums[place] += amount
        for lengths, length in zip(group.lengths, rest[len(_SUMS) :], strict=True):
            if length is not None:
                lengths.append(length)
    return groups


def _statement(actor: Actor, wanted: StatsFilter) -> Any:
    columns = (
        *(_column.placed_at, _column.restaurant, _column.status, _column.parked_since, _column.currency),
        *(_column[f"{name}_minor"] for name in _SUMS),
        *(_column[f"{stage}_ms"] for stage in STAGES),
    )
    where = [orders_of(actor), _column.placed_at >= wanted.placed_from, _column.placed_at < wanted.placed_to]
    if wanted.restaurant is not None:
        where.append(_column.restaurant == wanted.restaurant)
    return select(*columns).where(*where).limit(ORDERS_MAX + 1)


def _shown(key: tuple[str | None, str | None], group: _StatsGroup) -> StatsGroupJson:
    stages = {stage: _stage(lengths) for stage, lengths in zip(STAGES, group.lengths, strict=True) if lengths}
    return {
        "bucket": key[0],
        "restaurant": key[1],
        "orders": sum(group.by_status.values()),
        "parked": group.parked,
        "by_status": dict(sorted(group.by_status.items())),
        "money": [_money(currency, sums) for currency, sums in sorted(group.money.items())],
        "stages": stages,
    }


def _stage(lengths: list[int]) -> StageJson:
    lengths.sort()

    def percentile(part: int) -> int:  # the nearest rank
        return lengths[(len(lengths) * part + 99) // 100 - 1]

    return {"orders": len(lengths), "p50_ms": percentile(50), "p95_ms": percentile(95)}


def _money(currency: str, sums: list[int]) -> StatsMoneyJson:
    total, captured, refunded, credited = (money_json(Money(minor, currency)) for minor in sums)
    return {"total": total, "captured": captured, "refunded": refunded, "credited": credited}
