"""The HTTP metadata that AWS adds to the results of optimised integrations: SdkHttpMetadata and SdkResponseMetadata.

SDK integrations (``aws-sdk:...``) have none, and neither has the result of a task that waits for an execution or for a
token. The values stand for those of a request: what depends on the service is as recorded on AWS, the rest is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final

from workflows.asl.interpreter.payloads import size_of
from workflows.asl.json_text import to_text
from workflows.asl.reading.integrations import Integration
from workflows.asl.signals import JSON

_STATES_HEADERS: Final = {"connection": "keep-alive", "Content-Type": "application/x-amz-json-1.0"}
_LAMBDA_HEADERS: Final = {
    "Connection": "keep-alive",
    "Content-Type": "application/json",
    "X-Amz-Executed-Version": "$LATEST",
    "x-amzn-Remapped-Content-Length": "0",
}
_AWS_HEADERS: Final = {"Connection": "keep-alive", "Content-Type": "application/x-amz-json-1.0"}
_HEADERS: Final[Mapping[str, dict[str, str]]] = {
    "lambda": _LAMBDA_HEADERS,
    "states": _STATES_HEADERS,
    "dynamodb": _AWS_HEADERS,
    "sqs": _AWS_HEADERS,
    "sns": {**_AWS_HEADERS, "Content-Type": "text/xml"},
    "events": {**_AWS_HEADERS, "Content-Type": "application/x-amz-json-1.1"},
}


def has_metadata(integration: Integration) -> bool:
    """Whether results of the integration carry metadata."""
    return integration.resource_type in _HEADERS and not integration.is_plain_function


def with_metadata(integration: Integration, answer: Mapping[str, JSON], at: datetime, request_id: str) -> JSON:
    """Return the answer with metadata, and its keys in order."""
    headers = _HEADERS[integration.resource_type] | {
        "Content-Length": str(size_of(to_text(answer.get("Payload", answer)))),
        "Date": format_datetime(at.astimezone(UTC), usegmt=True),
        "x-amzn-RequestId": request_id,
    }
    if integration.resource_type == "lambda":
        headers = {**headers, "X-Amzn-Trace-Id": f"root=1-{request_id[:8]}-{request_id.replace('-', '')[8:]};sampled=0"}
    metadata: dict[str, Any] = {
        "AllHttpHeaders": {name: [value] for name, value in headers.items()},
        "HttpHeaders": headers,
        "HttpStatusCode": 200,
    }
    result = {**answer, "SdkHttpMetadata": metadata, "SdkResponseMetadata": {"RequestId": request_id}}
    return dict(sorted(result.items()))
