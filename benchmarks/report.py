"""Write the tables of docs/performance.md and docs/costs.md from ``benchmarks/results.json``, and leave the prose.

A table stands between ``<!-- results: <benchmark> [words] -->`` and ``<!-- end -->``. It has the rows of the
benchmark whose names contain one of the words (separated by ``|``). ``<!-- engines: <benchmark> -->`` has one row for
each load and engine, of rows that compare our engine with others. ``<!-- machine -->`` describes the machine.
"""

from __future__ import annotations

import re
from typing import Any

from benchmarks.results import ROOT, cells, number, read
from workflows.aws.quotas import PER_ORDER, STARTS, TOKENS, TRANSITIONS

DOCUMENTS = (ROOT / "docs" / "performance.md", ROOT / "docs" / "costs.md")

DAYS = (1_000, 100_000, 10_000_000)
"""Orders a day."""

PEAK = 4
"""How many times the average of a day the orders at dinner are."""

_PLACE = re.compile(
    r"(<!-- (results|engines|machine|bill|days|heaviest|lines|quotas)(?:: ([^>]*?))? -->\n)(.*?)(<!-- end -->)",
    re.DOTALL,
)


def main() -> None:
    kept = read()
    for document in DOCUMENTS:
        document.write_text(with_tables(document.read_text(), kept))


def with_tables(text: str, kept: dict[str, Any]) -> str:
    """Return a document with its tables made from the results again."""
    return _PLACE.sub(lambda place: place[1] + _text(place[2], place[3] or "", kept) + place[5], text)


def _text(kind: str, selection: str, kept: dict[str, Any]) -> str:
    benchmark, _, words = selection.partition(" ")
    rows = [row for row in kept["results"] if row["benchmark"] == benchmark]
    match kind:
        case "machine":
            return _machine(kept)
        case "engines":
            return _engines(rows)
        case "bill":
            return _bill(rows)
        case "days":
            return _days(rows)
        case "lines":
            return _lines(next(row for row in rows if row["name"].startswith(words)))
        case "quotas":
            return _quotas(next(row for row in rows if row["name"] == "a million happy orders"))
        case "heaviest":
            return _heaviest(rows)
        case _:
            named = [word.strip() for word in words.split("|")]
            return _table([row for row in rows if any(word in row["name"] for word in named)])


def _table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "\nNot measured yet.\n\n"
    head = "\n| | value | | beside | ratio | target | |\n|---|---:|---|---|---:|---|---|\n"
    lines = "".join(f"| {' | '.join(cells(row))} |\n" for row in rows)
    return f"{head}{lines}\n{_measured(rows)}\n\n"


def _engines(rows: list[dict[str, Any]]) -> str:
    """Format what each engine did under each load, with how many times its value ours is."""
    if not rows:
        return "\nNot measured yet.\n\n"
    lines = ["| | | orders/s | ours | CPU an order, ms | ours | p50, ms | p99, ms | memory, MB |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    loads = set()
    for row in rows:
        if "theirs" not in row.get("detail", {}):
            continue
        load, ours, theirs = row["name"].partition(", beside")[0], row["detail"]["ours"], row["detail"]["theirs"]
        if load not in loads:
            loads.add(load)
            lines.append(_engine((load, "Expediter"), row["value"], ours, {}))
        times = {"rate": row["ratio"], "cpu": ours["cpu_ms"] / theirs["cpu_ms"]}
        lines.append(_engine(("", row["peer"]["name"]), row["peer"]["value"], theirs, times))
    return "\n" + "\n".join(lines) + f"\n\n{_measured(rows)}\n\n"


def _engine(names: tuple[str, str], rate: float, detail: dict[str, Any], times: dict[str, float]) -> str:
    rate_times, cpu_times = (f"{times[of]:.2f}x" if times else "" for of in ("rate", "cpu"))
    values = [*names, number(rate), rate_times, number(detail["cpu_ms"]), cpu_times]
    return f"| {' | '.join([*values, *(number(detail[key]) for key in ('p50_ms', 'p99_ms', 'rss_mb'))])} |"


def _measured(rows: list[dict[str, Any]]) -> str:
    dates = sorted({f"{row['date'][:10]}, commit `{row['commit']}`, load {row['load']}" for row in rows})
    return f"Measured {'; '.join(dates)}."


def _machine(kept: dict[str, Any]) -> str:
    machine, versions = kept["machine"], kept["versions"]
    installed = ", ".join(f"{name} {version}" for name, version in versions.items())
    where = f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, {machine['system']}"
    return f"\n{where}; {installed}.\n\n"


def _bill(rows: list[dict[str, Any]]) -> str:
    """Format the bills: one row for each service, one column for each kind of order."""
    bills = {row["name"]: row["detail"]["dollars"] for row in rows if "dollars" in row.get("detail", {})}
    stories = [name.removeprefix("a million ").removesuffix(" orders") for name in bills]
    lines = [f"| $ per million orders | {' | '.join(stories)} |", "|---" * (len(bills) + 1) + "|"]
    services: dict[str, float] = next(iter(bills.values()), {})
    lines += [f"| {name} | {' | '.join(number(bill[name]) for bill in bills.values())} |" for name in services]
    lines += [f"| **all** | {' | '.join(f'**{number(sum(bill.values()))}**' for bill in bills.values())} |"]
    return "\n" + "\n".join(lines) + "\n\n"


def _days(rows: list[dict[str, Any]]) -> str:
    """Format the cost of a day and of a month of 30 days, with the fixed costs of a month."""
    million = next(row["value"] for row in rows if row["name"] == "a million happy orders")
    fixed = next(row["value"] for row in rows if row["name"].startswith("a month's fixed costs"))
    days = [million * orders / 1e6 for orders in DAYS]
    lines = [f"| | {' | '.join(f'{orders:,} orders a day' for orders in DAYS)} |", "|---" + "|---:" * len(DAYS) + "|"]
    lines += [f"| $ a day | {' | '.join(f'{day:,.2f}' for day in days)} |"]
    lines += [f"| $ a month, with ${fixed:,.0f} fixed | {' | '.join(f'{day * 30 + fixed:,.0f}' for day in days)} |"]
    return "\n" + "\n".join(lines) + "\n\n"


def _lines(row: dict[str, Any]) -> str:
    """Format what a month's price consists of."""
    lines = ["| | $ a month |", "|---|---:|"]
    lines += [f"| {name} | {price:,.2f} |" for name, price in row["detail"]["lines"].items()]
    return "\n" + "\n".join([*lines, f"| **all** | **{row['value']:,.2f}** |"]) + "\n\n"


def _quotas(happy: dict[str, Any]) -> str:
    """Format what orders need at the peak of a day, beside AWS's default quotas."""
    peaks = [PEAK * orders / 86_400 for orders in DAYS]
    needs = {
        "orders a second, at the peak": (1.0, ""),
        "StartExecution a second": (PER_ORDER[STARTS], "300 in the three big regions, 150 elsewhere"),
        "DescribeExecution a second": (0.0, "15, or 10"),
        "state transitions a second": (PER_ORDER[TRANSITIONS], "1,500, or 500"),
        "SendTaskSuccess a second": (PER_ORDER[TOKENS], "500, or 300"),
        "functions at once": (sum(happy["detail"]["lambda_s"].values()), "1,000 in an account"),
        "commits a second": (happy["detail"]["counts"]["events writes"], "40,000 write units a table"),
    }
    lines = [f"| | {' | '.join(f'{orders:,} a day' for orders in DAYS)} | default quota |"]
    lines += ["|---" + "|---:" * len(DAYS) + "|---|"]
    for name, (each, quota) in needs.items():
        lines.append(f"| {name} | {' | '.join(number(float(f'{each * peak:.2g}')) for peak in peaks)} | {quota} |")
    return "\n" + "\n".join(lines) + "\n\n"


def _heaviest(rows: list[dict[str, Any]]) -> str:
    lines = ["| | heaviest packages, by their own time | memory, MB (boto3) |", "|---|---|---|"]
    for row in rows:
        detail = row.get("detail", {})
        if "heaviest" in detail:
            memory = f"{detail['mb']} ({detail['boto3_mb']})"
            lines.append(f"| `{row['name'].removeprefix('import ')}` | {', '.join(detail['heaviest'])} | {memory} |")
    return "\n" + "\n".join(lines) + "\n\n"


if __name__ == "__main__":
    main()
