"""docs/provider-api.yaml is what the code asks and reads, path by path and field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from workflows.gateways.http import courier, kitchen, messages, payment
from workflows.sagas.steps.payment import TIMEOUT_S

DOCUMENT = Path(__file__).parents[2] / "docs" / "provider-api.yaml"
OPERATIONS = (*payment.OPERATIONS, *kitchen.OPERATIONS, *courier.OPERATIONS)


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def schemas() -> Any:
    """What the code reads, as JSON Schema: requests, then answers, of each operation; and every message by name."""
    kinds = [kind for operation in OPERATIONS for kind in (operation.request, operation.answers)]
    listed, named = msgspec.json.schema_components(
        [*kinds, messages.ErrorMessage], ref_template="#/components/schemas/{name}"
    )
    return listed, named


def _without_words(schema: Any) -> Any:
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


def test_every_operation_is_in_the_document_with_its_messages(document, schemas):
    """And nothing else is."""
    listed, _ = schemas
    said = {
        path: (
            item["post"]["operationId"],
            item["post"]["requestBody"]["content"]["application/json"]["schema"],
            item["post"]["responses"]["200"]["content"]["application/json"]["schema"],
        )
        for path, item in document["paths"].items()
    }
    assert said == {
        operation.path: (operation.name, listed[2 * at], listed[2 * at + 1]) for at, operation in enumerate(OPERATIONS)
    }


def test_every_message_is_in_the_document_field_by_field(document, schemas):
    """Types, bounds, patterns, what is required, and what may be added."""
    _, named = schemas
    said = {name: _without_words(schema) for name, schema in document["components"]["schemas"].items()}
    assert said == {name: _without_words(schema) for name, schema in named.items()}


def test_every_operation_says_how_it_fails(document):
    """The same three ways, each with the error message."""
    for item in document["paths"].values():
        assert set(item["post"]["responses"]) == {"200", "401", "409", "503"}
        assert item["post"]["parameters"] == [{"$ref": "#/components/parameters/Key"}]


def test_the_document_names_our_patience(document):
    """Who builds a provider designs against it."""
    assert f"within {TIMEOUT_S:g} seconds" in document["info"]["description"]
    assert f"for {payment.REMEMBERS.total_seconds() / 3600:g} hours at least" in document["info"]["description"]


@pytest.mark.parametrize("kind", messages.Receipt.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_receipt_has_the_fields_of_the_gateways_receipt_of_its_name(kind):
    """They are turned into each other by name."""
    from workflows.gateways import courier as couriers
    from workflows.gateways import kitchen as kitchens
    from workflows.gateways import payment as payments

    found = [getattr(module, kind.__name__, None) for module in (payments, kitchens, couriers)]
    named = [set(receipt.__dataclass_fields__) for receipt in found if receipt is not None]
    assert named
    assert all(fields == set(kind.__struct_fields__) for fields in named)
