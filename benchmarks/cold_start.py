"""Cold start: the cost of importing each handler in a new interpreter, beside ``import boto3`` alone, in alternation.

There are two stages, as on Lambda: the import, and opening the engine for the first request (creating its DynamoDB
client, before any request is sent), beside ``boto3.client("dynamodb")``. For each import the five
packages that took the most time by themselves are listed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from statistics import median
from typing import Any

from benchmarks.dynamodb_local import keep_to_local
from benchmarks.options import Options, options
from benchmarks.results import Beside, Row, Target, at_most, publish

HANDLERS: dict[str, Target | None] = {
    "handlers.saga_step": at_most(1.3),
    "handlers.feed": at_most(1.3),
    "handlers.publisher": None,
    "handlers.timer": None,
    "handlers.execution_faults": None,
    "handlers.orders_api": at_most(2),
    "handlers.preparation_api": at_most(2),
    "handlers.delivery_api": at_most(2),
    "handlers.incidents_api": at_most(2),
}

_STORES = {"EVENTS_TABLE": "events", "DOCUMENTS_TABLE": "documents", "ARCHIVE_BUCKET": "archive"}
_KEYS = {"KEYS_TABLE": "keys", "CUSTOMER_KEY": "arn:aws:kms:eu-central-1:000000000000:key/customer"}
_PROVIDERS = {
    "PAYMENTS_URL": "https://payments.example.com",
    "KITCHEN_URL": "https://kitchen.example.com",
    "COURIERS_URL": "https://couriers.example.com",
    "PROVIDERS_SECRET": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:providers",
}

_MEASURE = """
import json, os, sys, time
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
before, began = rss(), time.perf_counter()
{imports}
imported, memory = time.perf_counter(), rss()
{opens}
print(json.dumps({{"import_s": imported - began, "import_mb": memory - before,
                   "open_s": time.perf_counter() - imported, "open_mb": rss() - before}}))
"""
_BOTO3 = ("import boto3", 'boto3.client("dynamodb")')


def main() -> None:
    chosen = options(__doc__)
    keep_to_local()
    rows = _rows(chosen)
    publish("cold_start", rows, quick=chosen.quick, as_json=chosen.json)


def _rows(chosen: Options) -> list[Row]:
    by_module: dict[str, list[dict[str, float]]] = {name: [] for name in ("boto3", *HANDLERS)}
    for number in range(chosen.size(16, 4)):
        for name, samples in by_module.items():
            sample = _sample(name)
            if number:  # the first run reads files that later runs find in memory
                samples.append(sample)
    boto3 = by_module.pop("boto3")
    floor = {key: median(sample[key] for sample in boto3) for key in boto3[0]}
    rows = [_row(name, samples, boto3, floor) for name, samples in by_module.items()]
    return [row for pair in rows for row in pair]


def _row(
    name: str, samples: list[dict[str, float]], boto3: list[dict[str, float]], floor: dict[str, float]
) -> list[Row]:
    def of(key: str) -> float:
        return median(sample[key] for sample in samples)

    ratio = median(ours["import_s"] / theirs["import_s"] for ours, theirs in zip(samples, boto3, strict=True))
    total = [sample["import_s"] + sample["open_s"] for sample in samples]
    client = floor["import_s"] + floor["open_s"]
    memory = {"mb": round(of("import_mb"), 1), "boto3_mb": round(floor["import_mb"], 1)}
    return [
        Row(
            name=f"import {name}",
            value=of("import_s") * 1000,
            unit="ms",
            floor=Beside("import boto3", floor["import_s"] * 1000),
            ratio=ratio,
            target=HANDLERS[name],
            detail=memory | {"heaviest": _heaviest(name)},
        ),
        Row(
            name=f"ready: {name} with its engine open",
            value=median(total) * 1000,
            unit="ms",
            floor=Beside("boto3 with a DynamoDB client", client * 1000),
            detail={"mb": round(of("open_mb"), 1), "boto3_mb": round(floor["open_mb"], 1)},
        ),
    ]


def _sample(name: str) -> dict[str, float]:
    imports, opens = _BOTO3 if name == "boto3" else (f"import {name}", _opening(name))
    text = _MEASURE.format(imports=imports, opens=opens)
    ran = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    sample: dict[str, float] = json.loads(ran.stdout)
    return sample


def _opening(name: str) -> str:
    variables: dict[str, Any] = dict(_STORES)
    if name.endswith("_api"):
        variables |= _KEYS
    if name == "handlers.saga_step":
        variables |= _PROVIDERS
    if name == "handlers.publisher":
        return "from workflows.aws.opening import open_event_bus; open_event_bus('bus')"
    return f"""
from workflows.aws.opening import open_engine, read_engine_settings
from workflows.settings import Reader
open_engine(read_engine_settings(Reader({variables!r})))
"""


def _heaviest(name: str) -> list[str]:
    """Name the five packages that took the most time by themselves in ``-X importtime``, in the best of three runs."""
    best: Counter[str] = Counter()
    for _ in range(3):
        ran = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", f"import {name}"], capture_output=True, text=True, check=True
        )
        own: Counter[str] = Counter()
        for own_us, module in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", ran.stderr, re.MULTILINE):
            own[module.partition(".")[0]] += int(own_us)
        best = own if not best or own.total() < best.total() else best
    return [f"{package} {own_us / 1000:.0f} ms" for package, own_us in best.most_common(5)]


if __name__ == "__main__":
    main()
