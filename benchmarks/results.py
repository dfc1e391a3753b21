"""Results of a benchmark: rows with a value, a second value to compare with, and a target.

``publish`` shows the rows and merges them into ``benchmarks/results.json``, with the commit, the time and the load of
the machine. Results of a run with ``--quick`` are only shown.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("results.json")

_VERSIONS = ("apsw", "boto3", "botocore", "cryptography", "msgspec", "pydantic", "uvicorn")


@dataclass(frozen=True, slots=True)
class Beside:
    """A lower bound, or another product's value, to compare with. In the same unit."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the row's ``value`` or ``ratio``, as ``of`` names it."""

    limit: float
    at_most: bool
    of: str = "ratio"

    def met(self, row: Row) -> bool:
        measured = row.ratio if self.of == "ratio" else row.value
        if measured is None:
            raise ValueError(f"{row.name} has a target for its {self.of} but no {self.of}")
        return measured <= self.limit if self.at_most else measured >= self.limit

    def __str__(self) -> str:
        limit = f"{self.limit:g}x" if self.of == "ratio" else f"{self.limit:,g}"
        return f"{'at most' if self.at_most else 'at least'} {limit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One result. ``ratio`` is ``value`` over the value beside it, unless it was measured as a median of ratios."""

    name: str
    value: float
    unit: str
    floor: Beside | None = None
    peer: Beside | None = None
    ratio: float | None = None
    target: Target | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        beside = self.floor or self.peer
        if self.ratio is None and beside is not None and beside.value:
            object.__setattr__(self, "ratio", self.value / beside.value)

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.target.met(self)


def at_most(limit: float, of: str = "ratio") -> Target:
    return Target(limit, at_most=True, of=of)


def at_least(limit: float, of: str = "ratio") -> Target:
    return Target(limit, at_most=False, of=of)


def publish(benchmark: str, rows: Sequence[Row], *, quick: bool, as_json: bool) -> None:
    """Show the rows. Unless ``quick``, store them in place of the benchmark's older rows."""
    new = [_as_json(benchmark, row) for row in rows]
    if as_json:
        print(json.dumps(new, indent=2))
    else:
        _show(benchmark, rows)
    if not quick:
        kept = [row for row in _kept() if row["benchmark"] != benchmark]
        _keep(kept + [row | _measured() for row in new])


def read() -> dict[str, Any]:
    """Read the stored results, with the machine and the versions."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text())
    return kept


def _kept() -> list[dict[str, Any]]:
    return list(read()["results"]) if RESULTS.exists() else []


def _keep(rows: Iterable[dict[str, Any]]) -> None:
    document = {"machine": _machine(), "versions": _versions(), "results": list(rows)}
    RESULTS.write_text(json.dumps(document, indent=1) + "\n")


def _as_json(benchmark: str, row: Row) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(row).items() if value not in (None, {})}
    fields |= {"target": str(row.target), "met": row.met} if row.target is not None else {}
    rounded = {name: round(fields[name], 4) for name in ("value", "ratio") if name in fields}
    return {"benchmark": benchmark} | fields | rounded


def _measured() -> dict[str, Any]:
    changed = _git("status", "--porcelain", "-uno", "--", ".", ":!benchmarks/results.json")
    return {
        "commit": _git("rev-parse", "--short", "HEAD") + ("+" if changed else ""),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "load": round(os.getloadavg()[0], 1),
    }


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def _machine() -> dict[str, Any]:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "system": f"{platform.system()} {platform.release()}",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _VERSIONS}


def _show(benchmark: str, rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=benchmark, title_justify="left")
    for heading in ("", "value", "unit", "beside", "ratio", "target", ""):
        table.add_column(heading, justify="right" if heading in {"value", "ratio"} else "left")
    for row in rows:
        table.add_row(*cells(_as_json(benchmark, row)))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def cells(row: dict[str, Any]) -> tuple[str, ...]:
    """Format a row as the cells of a table."""
    beside = row.get("floor") or row.get("peer")
    met = {True: "met", False: "missed", None: ""}[row.get("met")]
    return (
        row["name"],
        number(row["value"]),
        row["unit"],
        f"{beside['name']} {number(beside['value'])}" if beside else "",
        f"{row['ratio']:.2f}x" if "ratio" in row else "",
        row.get("target", ""),
        met,
    )


def number(value: float) -> str:
    """Format a number with three significant digits."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
