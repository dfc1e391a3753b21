"""What a function imports before it can do anything, because every cold start pays for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

INNER = ["saga_step", "feed", "publisher", "timer", "execution_faults"]
"""Functions that no person calls, and that run once or more for every commit of an order."""

HEAVY = {
    "apsw",
    "aws_lambda_powertools",
    "cryptography",
    "greenlet",
    "httpx",
    "jsonata",
    "pydantic",
    "rich",
    "typer",
    "uvicorn",
    "yaml",
}
"""Packages for people, for one machine, or for keys that these functions do not have."""

LATER = {"boto3", "botocore", "urllib3"}
"""What opening the engine needs, and importing a handler does not: elsewhere it is another engine's handler."""

OPENED = "from workflows.engine import engine; engine()"


def imported(code: str) -> set[str]:
    """The packages, and our own modules, that a fresh interpreter has after this."""
    environment = {
        **os.environ,
        "EVENTS_TABLE": "events",
        "DOCUMENTS_TABLE": "documents",
        "PAYMENTS_URL": "https://payments.example.com",
        "KITCHEN_URL": "https://kitchen.example.com",
        "COURIERS_URL": "https://couriers.example.com",
        "PROVIDERS_SECRET": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    code = f"import json, sys; {code}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stdout)
    return {name.partition(".")[0] for name in modules} | {name for name in modules if name.startswith("workflows.")}


@pytest.mark.parametrize("handler", INNER)
def test_an_inner_function_imports_nothing_heavy(handler: str) -> None:
    """Neither when it is imported nor when its engine is opened, with everything it might be given but keys."""
    alone = imported(f"import handlers.{handler}")
    assert not alone & (HEAVY | LATER)
    opened = imported(f"import handlers.{handler}; {OPENED}")
    assert not opened & HEAVY
    assert not {name for name in opened if name.startswith(("workflows.embedded", "workflows.simulation"))}
    assert "workflows.asl.interpreter.interpreter" not in opened


@pytest.mark.parametrize("handler", ["orders_api", "preparation_api", "delivery_api", "incidents_api"])
def test_an_api_imports_nothing_that_only_one_machine_needs(handler: str) -> None:
    """Powertools and pydantic read its requests; the rest it can do without."""
    needed = {"aws_lambda_powertools", "pydantic", "botocore"}  # of which Powertools imports the empty top
    assert not imported(f"import handlers.{handler}") & ((HEAVY | LATER) - needed)
