"""Calls of services for machines that run locally. Errors are named as recorded on AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from workflows.asl.answers import CallFailed
from workflows.asl.reading import integrations
from workflows.asl.reading.definition import InvalidDefinition
from workflows.asl.run import run
from workflows.aws.service_calls import REGION, ServiceCalls

OPTIMISED = "arn:aws:states:::dynamodb:"
SDK = "arn:aws:states:::aws-sdk:dynamodb:"
TABLE = {"TableName": "orders", "BillingMode": "PAY_PER_REQUEST"}


@pytest.fixture
def find() -> Iterator[Callable[[str, str], Callable[[Any], Any] | None]]:
    """Find a callable of a service in a simulated account."""
    with mock_aws():
        yield lambda service, resource: ServiceCalls(f"https://{service}.{REGION}.amazonaws.com").find(resource)


def table(find: Callable[..., Any]) -> None:
    definition = [{"AttributeName": "id", "AttributeType": "S"}]
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    find("dynamodb", SDK + "createTable")(TABLE | {"AttributeDefinitions": definition, "KeySchema": keys})


def test_an_item_is_written_and_read(find: Callable[..., Any]) -> None:
    """By either integration. Results have no metadata of the response, times are text."""
    table(find)
    item = {"id": {"S": "1"}, "total": {"N": "30"}}
    assert find("dynamodb", OPTIMISED + "putItem")({"TableName": "orders", "Item": item}) == {}
    assert find("dynamodb", SDK + "getItem")({"TableName": "orders", "Key": {"id": {"S": "1"}}}) == {"Item": item}
    described = find("dynamodb", SDK + "describeTable")({"TableName": "orders"})
    assert described["Table"]["CreationDateTime"][:2] == "20"
    json.dumps(described)


@pytest.mark.parametrize(
    ("prefix", "error", "request_"),
    [
        (OPTIMISED, "DynamoDB.ResourceNotFoundException",
         "(Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: "),
        (SDK, "DynamoDb.ResourceNotFoundException", "(Service: DynamoDb, Status Code: 400, Request ID: "),
    ],
)  # fmt: skip
def test_an_error_of_the_service_has_its_name(find: Callable[..., Any], prefix: str, error: str, request_: str) -> None:
    """The integration decides how the service is written."""
    with pytest.raises(CallFailed) as failed:
        find("dynamodb", prefix + "getItem")({"TableName": "nothing", "Key": {"id": {"S": "1"}}})
    assert failed.value.error == error
    assert request_ in failed.value.cause


@pytest.mark.parametrize(
    ("prefix", "error"), [(OPTIMISED, "DynamoDB.AmazonDynamoDBException"), (SDK, "DynamoDb.DynamoDbException")]
)
def test_an_error_without_a_name_of_its_own_is_the_service_s(find: Callable[..., Any], prefix: str, error: str) -> None:
    """As recorded for arguments that the service does not take."""
    table(find)
    with pytest.raises(CallFailed) as failed:
        find("dynamodb", prefix + "getItem")({"TableName": "orders", "Key": {"other": {"S": "1"}}})
    assert failed.value.error == error
    with pytest.raises(CallFailed) as failed:
        find("dynamodb", prefix + "getItem")({"TableName": "orders"})
    assert failed.value.error == error


def test_an_object_is_encoded_where_the_service_takes_a_text(find: Callable[..., Any]) -> None:
    """The body of a message, as Step Functions does."""
    sqs = boto3.client("sqs", region_name=REGION)
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sent = find("sqs", "arn:aws:states:::sqs:sendMessage")({"QueueUrl": queue, "MessageBody": {"order": 1}})
    assert sent["MessageId"]
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"order": 1}


@pytest.mark.parametrize(("body", "content"), [({"a": [1, None]}, b'{"a":[1,null]}'), ("text", b'"text"'), (5, b"5")])
def test_a_value_is_encoded_where_the_service_takes_bytes(
    find: Callable[..., Any], body: object, content: bytes
) -> None:
    """A text too, with its quotation marks. What is read is a text."""
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket="orders")
    find("s3", "arn:aws:states:::aws-sdk:s3:putObject")({"Bucket": "orders", "Key": "one", "Body": body})
    assert s3.get_object(Bucket="orders", Key="one")["Body"].read() == content
    read = find("s3", "arn:aws:states:::aws-sdk:s3:getObject")({"Bucket": "orders", "Key": "one"})
    assert read["Body"] == content.decode()


def test_members_begin_with_a_capital_letter(find: Callable[..., Any]) -> None:
    """In arguments and results, whatever the service's API calls them."""
    assert find("states", "arn:aws:states:::aws-sdk:sfn:listStateMachines")({"MaxResults": 5}) == {"StateMachines": []}


@pytest.mark.parametrize("resource", ["arn:aws:states:::aws-sdk:nothing:get", SDK + "getNothing", "dynamodb:getItem"])
def test_a_service_or_action_that_does_not_exist_is_not_found(find: Callable[..., Any], resource: str) -> None:
    """So a machine that names it is refused when it is loaded."""
    assert find("dynamodb", resource) is None


def test_a_machine_catches_the_error_of_a_service(find: Callable[..., Any]) -> None:
    """The error of the call is the task's."""
    resource = OPTIMISED + "getItem"
    state = {
        "Type": "Task",
        "Resource": resource,
        "Arguments": {"TableName": "nothing", "Key": {"id": {"S": "1"}}},
        "Catch": [{"ErrorEquals": ["DynamoDB.ResourceNotFoundException"], "Next": "B"}],
        "End": True,
    }
    machine = {"QueryLanguage": "JSONata", "StartAt": "A",
               "States": {"A": state, "B": {"Type": "Succeed", "Output": "caught"}}}  # fmt: skip
    assert run(machine, functions={resource: find("dynamodb", resource)}).output == "caught"


@pytest.mark.parametrize("resource", sorted(integrations.OPTIMISED))
def test_each_optimised_integration_goes_to_a_callable_or_an_endpoint(find: Callable[..., Any], resource: str) -> None:
    """Or is refused by its name when the machine is loaded. HTTP has no API in botocore, so it needs a callable."""
    state = {"Type": "Task", "Resource": resource, "Arguments": {}, "Output": "{% $states.result.b %}", "End": True}
    machine = {"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}}
    assert run(machine, functions={resource: lambda _: {"b": 1}}).output == 1
    with pytest.raises(InvalidDefinition, match=f"nothing performs calls of '{resource}'"):
        run(machine)
    if resource.split(":")[5] in ("dynamodb", "sqs", "sns", "events", "http"):
        performed = find(resource.split(":")[5], resource)
        assert (performed is None) == resource.endswith(":http:invoke")
        if performed is not None:
            ended = run(machine, services=lambda name: performed if name == resource else None)
            assert (ended.status, "Exception" in str(ended.error)) == ("FAILED", True)  # no arguments were given
