"""docs/provider-api.yaml describes what the code sends and reads, path by path and field by field."""

from __future__ import annotations

import json
import re
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
    """Return the JSON Schema of each operation's request and answer, and of every message by its name."""
    kinds = [kind for operation in OPERATIONS for kind in (operation.request, operation.answers)]
    listed, named = msgspec.json.schema_components(
        [*kinds, messages.ErrorMessage], ref_template="#/components/schemas/{name}"
    )
    return _as_documented(listed), _as_documented(named)


def _as_documented(schemas: Any) -> Any:
    """Rename the classes as in the document: ``Captured`` for ``CapturedMessage``, ``Amount`` for ``MoneyMessage``."""
    text = json.dumps(schemas).replace("MoneyMessage", "Amount")
    return json.loads(re.sub(r'(\w)Message"', r'\1"', text))


def _without_words(schema: Any) -> Any:
    return {name: value for name, value in schema.items() if name not in {"title", "description"}}


def test_every_operation_is_in_the_document_with_its_messages(document, schemas):
    """The document has no other operation or message."""
    listed, _ = schemas
    documented = {
        path: (
            item["post"]["operationId"],
            item["post"]["requestBody"]["content"]["application/json"]["schema"],
            item["post"]["responses"]["200"]["content"]["application/json"]["schema"],
        )
        for path, item in document["paths"].items()
    }
    assert documented == {
        operation.path: (operation.name, listed[2 * at], listed[2 * at + 1]) for at, operation in enumerate(OPERATIONS)
    }


def test_every_message_is_in_the_document_field_by_field(document, schemas):
    """Types, bounds, patterns, required fields, and whether others may be added are the same."""
    _, named = schemas
    documented = {name: _without_words(schema) for name, schema in document["components"]["schemas"].items()}
    assert documented == {name: _without_words(schema) for name, schema in named.items()}


def test_every_operation_documents_its_errors(document):
    """Each has the same three errors with the error message."""
    for item in document["paths"].values():
        assert set(item["post"]["responses"]) == {"200", "401", "409", "503"}
        assert item["post"]["parameters"] == [{"$ref": "#/components/parameters/Key"}]


def test_the_document_names_our_timeouts(document):
    """A provider must answer and remember keys within these times."""
    assert f"within {TIMEOUT_S:g} seconds" in document["info"]["description"]
    assert "for 24 hours at least" in document["info"]["description"]


@pytest.mark.parametrize("kind", messages.Receipt.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_receipt_has_the_fields_of_the_gateways_receipt_of_its_name(kind):
    """Messages and receipts are converted into each other by name."""
    from workflows.gateways import courier as couriers
    from workflows.gateways import kitchen as kitchens
    from workflows.gateways import payment as payments

    modules = (payments, kitchens, couriers)
    (receipt, *_) = [vars(module)[kind.receipt_name()] for module in modules if kind.receipt_name() in vars(module)]
    assert set(receipt.__dataclass_fields__) == set(kind.__struct_fields__)
