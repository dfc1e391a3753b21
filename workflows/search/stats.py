"""Statistics of the orders placed in a time: counts, money by currency, and how long each stage took.

Nothing is counted up while orders change: each number is a query over rows, so that it is right after any rebuild.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, null, select

from domain.identifiers import Actor
from domain.money import Money
from workflows.orders.json_values import money_json
from workflows.projections.orders import ORDERS
from workflows.search.filters import BucketSize, StatsFilter
from workflows.search.scopes import orders_of

if TYPE_CHECKING:
    from workflows.client.search_json import StageJson, StatsGroupJson

GROUPS_MAX: Final = 1_000
"""Groups in one answer, by their time and restaurant."""

STAGES: Final = (
    *("authorization", "acceptance", "preparation", "assignment", "pickup", "delivery", "settlement", "total"),
)
_LETTERS = {BucketSize.HOUR: 13, BucketSize.DAY: 10}
"""How much of ``2026-05-04T12:00:00.000000Z`` names the group."""

_column = ORDERS.c
_Key = tuple[str | None, str | None]


def statistics(connection: Connection, actor: Actor, wanted: StatsFilter) -> tuple[list[StatsGroupJson], bool]:
    """Return the groups in order, the first ``GROUPS_MAX``, and whether there are more."""
    groups = _groups(wanted)
    where = [orders_of(actor), _column.placed_at >= wanted.placed_from, _column.placed_at < wanted.placed_to]
    if wanted.restaurant is not None:
        where.append(_column.restaurant == wanted.restaurant)
    counts = _counts(connection, groups, where)
    keys = sorted(counts, key=lambda key: (key[0] or "", key[1] or ""))
    shown = keys[:GROUPS_MAX]
    stages: dict[_Key, dict[str, StageJson]] = defaultdict(dict)
    for stage in STAGES:
        for key, length in _stage(connection, groups, where, stage):
            stages[key][stage] = length
    return [_shown(key, counts[key], stages[key]) for key in shown], len(keys) > len(shown)


def _groups(wanted: StatsFilter) -> list[ColumnElement[Any]]:
    time = null() if wanted.bucket is None else func.substr(_column.placed_at, 1, _LETTERS[wanted.bucket])
    return [time.label("bucket"), (_column.restaurant if wanted.by_restaurant else null()).label("by_restaurant")]


def _counts(connection: Connection, groups: list[Any], where: list[Any]) -> dict[_Key, list[Any]]:
    rows = connection.execute(
        select(
            *groups,
            _column.status,
            _column.currency,
            func.count().label("orders"),
            func.count(_column.parked_since).label("parked"),
            *(func.sum(_column[f"{name}_minor"]).label(name) for name in ("total", "captured", "refunded", "credited")),
        )
        .where(*where)
        .group_by("bucket", "by_restaurant", _column.status, _column.currency)
    )
    counts: dict[_Key, list[Any]] = defaultdict(list)
    for row in rows:
        counts[row.bucket, row.by_restaurant].append(row)
    return counts


def _stage(connection: Connection, groups: list[Any], where: list[Any], stage: str) -> Iterator[tuple[_Key, StageJson]]:
    length = _column[f"{stage}_ms"]
    ranked = (
        select(
            *groups,
            length.label("length"),
            func.row_number().over(partition_by=[each.element for each in groups], order_by=length).label("rank"),
            func.count().over(partition_by=[each.element for each in groups]).label("lengths"),
        )
        .where(*where, length.is_not(None))
        .subquery()
    )

    def percentile(part: int) -> Any:  # the nearest rank
        return func.max(case((ranked.c.rank == (ranked.c.lengths * part + 99) // 100, ranked.c.length)))

    rows = connection.execute(
        select(
            ranked.c.bucket,
            ranked.c.by_restaurant,
            func.max(ranked.c.lengths).label("lengths"),
            percentile(50).label("p50"),
            percentile(95).label("p95"),
        ).group_by(ranked.c.bucket, ranked.c.by_restaurant)
    )
    for row in rows:
        yield (row.bucket, row.by_restaurant), {"orders": row.lengths, "p50_ms": row.p50, "p95_ms": row.p95}


def _shown(key: _Key, rows: list[Any], stages: dict[str, StageJson]) -> StatsGroupJson:
    by_status: dict[str, int] = defaultdict(int)
    money: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        by_status[row.status] += row.orders
        for name in ("total", "captured", "refunded", "credited"):
            money[row.currency][name] += int(getattr(row, name))
    return {
        "bucket": key[0],
        "restaurant": key[1],
        "orders": sum(by_status.values()),
        "parked": sum(row.parked for row in rows),
        "by_status": dict(sorted(by_status.items())),
        "money": [
            {
                "total": money_json(Money(sums["total"], currency)),
                "captured": money_json(Money(sums["captured"], currency)),
                "refunded": money_json(Money(sums["refunded"], currency)),
                "credited": money_json(Money(sums["credited"], currency)),
            }
            for currency, sums in sorted(money.items())
        ],
        "stages": stages,
    }
