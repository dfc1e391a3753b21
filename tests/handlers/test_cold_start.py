"""The imports of a function before its first request, which every cold start waits for."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

INNER = ["saga_step", "feed", "publisher", "timer", "execution_faults"]
"""Functions that run once or more for every commit of an order, and serve no HTTP requests."""

HEAVY = {
    "apsw",
    "aws_lambda_powertools",
    "cryptography",
    "greenlet",
    "httpx",
    "psycopg",
    "pydantic",
    "re2",
    "rich",
    "sqlalchemy",
    "typer",
    "uvicorn",
    "yaml",
}
"""Packages for HTTP, for the command line, for the embedded engine, or for keys that these functions do not have."""

LATER = {"boto3", "botocore", "urllib3"}
"""Packages that opening the engine on AWS needs. Importing a handler must not: it also runs in the embedded engine."""

OPENED = "from workflows.engine import engine; engine()"


def imported(code: str) -> set[str]:
    """Return the packages, and our own modules, that a fresh interpreter has loaded after this code."""
    modules = loaded(code)
    return {name.partition(".")[0] for name in modules} | {name for name in modules if name.startswith("workflows.")}


def loaded(code: str) -> list[str]:
    """Return all modules that a fresh interpreter has loaded after this code."""
    environment = {
        **os.environ,
        "EVENTS_TABLE": "events",
        "DOCUMENTS_TABLE": "documents",
        "ARCHIVE_BUCKET": "archive",
        "PAYMENTS_URL": "https://payments.example.com",
        "KITCHEN_URL": "https://kitchen.example.com",
        "COURIERS_URL": "https://couriers.example.com",
        "PROVIDERS_SECRET": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    code = f"import json, sys; {code}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stdout)
    return modules


@pytest.mark.parametrize("handler", INNER)
def test_an_inner_function_imports_nothing_heavy(handler: str) -> None:
    """Neither on import nor when its engine is opened with all settings but those of keys."""
    alone = imported(f"import handlers.{handler}")
    assert not alone & (HEAVY | LATER)
    opened = imported(f"import handlers.{handler}; {OPENED}")
    assert not opened & HEAVY
    assert not {name for name in opened if name.startswith(("workflows.embedded", "workflows.simulation"))}
    assert "workflows.asl.interpreter.interpreter" not in opened


@pytest.mark.parametrize(
    "handler",
    [f"{name}_api" for name in ("orders", "preparation", "delivery", "incidents", "executions", "search", "customers")],
)
def test_an_api_imports_nothing_that_only_one_machine_needs(handler: str) -> None:
    """pydantic validates its requests; it needs nothing else that is heavy."""
    alone = imported(f"import handlers.{handler}")
    assert not alone & ((HEAVY | LATER) - {"pydantic"})
    assert not {name for name in alone if name.startswith("workflows.client")}


@pytest.mark.parametrize(
    "handler",
    [
        f"{name}_api"
        for name in (
            *("orders", "preparation", "delivery", "incidents", "executions"),
            *("search", "catalogue", "customers", "webhooks"),
        )
    ],
)
def test_an_api_builds_no_model_while_it_is_imported(handler: str) -> None:
    """The first request of a route builds its models. pydantic looks for its plugins with the first model it builds."""
    assert "pydantic.plugin._loader" not in loaded(f"import handlers.{handler}")
