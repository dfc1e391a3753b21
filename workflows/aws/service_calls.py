"""Calls of AWS services for machines that run locally: by botocore, at the endpoint of an emulator.

A Resource names a service and an action, ``arn:aws:states:::aws-sdk:dynamodb:getItem`` or the optimised
``arn:aws:states:::dynamodb:getItem``. As in Step Functions, members of arguments and results begin with a capital
letter whatever the service's API calls them, an object is encoded where the API takes a text, and any value where it
takes bytes.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.session import Session, get_session

from workflows.asl.answers import CallFailed
from workflows.asl.json_text import to_text
from workflows.asl.signals import JSON

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

REGION: Final = "us-east-1"
"""Used if the environment names no region."""

_RESOURCE: Final = re.compile(r"arn:aws:states:::(aws-sdk:)?([a-z0-9]+):([a-zA-Z0-9]+)")
_OF_SDK: Final = {"sfn": "stepfunctions", "eventbridge": "events", "cloudwatchlogs": "logs"}
"""Names in Resources that differ from botocore's."""

_OPTIMISED: Final[Mapping[str, tuple[str, str, str]]] = {
    "dynamodb": ("DynamoDB", "AmazonDynamoDBv2", "AmazonDynamoDBException"),
    "sqs": ("SQS", "AmazonSQS", "AmazonSQSException"),
    "sns": ("SNS", "AmazonSNS", "AmazonSNSException"),
    "events": ("EventBridge", "AmazonEventBridge", "AmazonEventBridgeException"),
}
"""Of an optimised integration: what begins the names of its errors, the service in causes, and the error without a name
of its own, as recorded on AWS."""


class ServiceCalls:
    """Finds callables for Resources. Threads may share it."""

    def __init__(self, endpoint: str) -> None:
        """``endpoint`` is the address of an emulator of all services."""
        self._endpoint = endpoint
        self._session: Session = get_session()
        self._clients: dict[str, Any] = {}
        self._gate = threading.Lock()  # a session makes one client at a time

    def find(self, resource: str) -> Callable[[JSON], JSON] | None:
        """Return what performs a Resource's action; None if botocore does not know the service or the action."""
        named = _RESOURCE.fullmatch(resource)
        if named is None:
            return None
        is_sdk, service, action = named[1] is not None, _OF_SDK.get(named[2], named[2]), named[3]
        if service not in self._session.get_available_services():
            return None
        client = self._client(service)
        operation = next(
            (name for name in client.meta.service_model.operation_names if name.lower() == action.lower()), None
        )
        if operation is None:
            return None
        model = client.meta.service_model.operation_model(operation)
        return lambda arguments: _call(client, model, arguments, is_sdk)

    def _client(self, service: str) -> Any:
        with self._gate:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> Any:
        return self._session.create_client(
            service,
            region_name=self._session.get_config_variable("region") or REGION,
            endpoint_url=self._endpoint,
            config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),  # machines retry
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


def _call(client: Any, model: OperationModel, arguments: JSON, is_sdk: bool) -> JSON:
    """Perform an action. Raises CallFailed."""
    service = client.meta.service_model.service_name
    prefix, named, unnamed = _names(client.meta.service_model.service_id, service, is_sdk)
    try:
        given = _members(arguments, model.input_shape) if model.input_shape is not None else {}
        answer = client._make_api_call(model.name, given)  # what the client's own methods call
    except ClientError as error:
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        known = {shape.name for shape in model.error_shapes} | {
            shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes
        }
        name = code.rpartition(".")[2] if code in known else unnamed
        name = name if name.endswith("Exception") else f"{name}Exception"
        of_request = (
            f"Service: {named}, Status Code: {status}, Request ID: 0"
            if is_sdk
            else f"Service: {named}; Status Code: {status}; Error Code: {code}; Request ID: 0; Proxy: null"
        )
        raise CallFailed(f"{prefix}.{name}", f"{message} ({of_request})") from error
    except ParamValidationError as error:
        raise CallFailed(f"{prefix}.{unnamed}", str(error)) from error
    except BotoCoreError as error:
        raise CallFailed(f"{prefix}.SdkClientException", f"Unable to execute HTTP request: {error}") from error
    answer.pop("ResponseMetadata", None)
    result: JSON = _results(answer, model.output_shape)
    return result


def _names(service_id: str, service: str, is_sdk: bool) -> tuple[str, str, str]:
    """Return what begins an error's name, the service in its cause, and the error without a name of its own."""
    if not is_sdk and service in _OPTIMISED:
        return _OPTIMISED[service]
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", service_id)
    java = "".join(word.capitalize() for word in words)  # DynamoDb, Sqs, SecretsManager
    return java, java, f"{java}Exception"


def _members(value: Any, shape: Shape) -> Any:
    """Return arguments with the names and types of the service's API."""
    match shape.type_name:
        case "structure":
            if not isinstance(value, Mapping):
                return value
            names = {_capital(name): name for name in shape.members}  # type: ignore[attr-defined]  # of structures
            return {
                names.get(_capital(key), key): _members(item, shape.members[names[_capital(key)]])  # type: ignore[attr-defined]  # likewise
                if _capital(key) in names
                else item
                for key, item in value.items()
            }
        case "list" if isinstance(value, list):
            return [_members(item, shape.member) for item in value]  # type: ignore[attr-defined]  # of lists
        case "map" if isinstance(value, Mapping):
            return {key: _members(item, shape.value) for key, item in value.items()}  # type: ignore[attr-defined]  # of maps
        case "string" if not isinstance(value, str) and value is not None:
            return to_text(value)
        case "blob":  # JSON text whatever the value is; that of a text has quotation marks
            return to_text(value).encode(errors="backslashreplace")
        case _:
            return value


def _results(value: Any, shape: Shape | None) -> Any:
    """Return a result as JSON, with capital letters at the beginning of members' names."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if hasattr(value, "read"):
        return value.read().decode(errors="replace")
    match shape.type_name if shape is not None else "":
        case "structure" if isinstance(value, Mapping):
            members = shape.members  # type: ignore[union-attr]  # of structures
            return {_capital(key): _results(item, members.get(key)) for key, item in value.items()}
        case "list" if isinstance(value, list):
            return [_results(item, shape.member) for item in value]  # type: ignore[union-attr]  # of lists
        case "map" if isinstance(value, Mapping):
            return {key: _results(item, shape.value) for key, item in value.items()}  # type: ignore[union-attr]  # of maps
        case _:
            return value


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
