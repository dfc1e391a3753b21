"""What each deployed role may do, and what it may not: enforced by the emulator's IAM.

The paths of orders are tested whole in ``test_orders``, under the same roles; here each permission stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from botocore.exceptions import ClientError

from tests.deployment.deployment import Deployment
from tests.deployment.roles import Roles

Row = tuple[str, str, str]
"""A role, an operation and a resource, by their logical ids."""

WITH_KEYS = ("OrdersApi", "PreparationApi", "DeliveryApi", "IncidentsApi")
WRITERS = (*WITH_KEYS, "SagaStep", "Timer", "ExecutionFaults")
READERS = ("Feed", "Publisher")
FUNCTIONS = (*WRITERS, *READERS)
CHANGES = ("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem")


def rows(roles: Iterable[str], operations: Iterable[str], resources: Iterable[str]) -> list[Row]:
    operations, resources = list(operations), list(resources)
    return [(role, operation, resource) for role in roles for operation in operations for resource in resources]


FORBIDDEN: list[Row] = [
    # a commit is inserted, and never changed or removed
    *rows(FUNCTIONS, CHANGES, ["Events"]),
    *rows(READERS, ["dynamodb:PutItem"], ["Events"]),
    *rows(["SagaStep", "Timer"], ["dynamodb:DeleteTable"], ["Events"]),
    # nobody reads the whole log but who compares the view with it
    *rows([name for name in FUNCTIONS if name != "Timer"], ["dynamodb:Scan"], ["Events"]),
    *rows(["Publisher"], ["dynamodb:Query", "dynamodb:GetItem"], ["Events"]),
    # documents are of those who wait and watch
    *rows(["OrdersApi", "PreparationApi", "DeliveryApi"], ["dynamodb:Query", "dynamodb:PutItem"], ["Documents"]),
    *rows(["Publisher", "ExecutionFaults"], ["dynamodb:Query", "dynamodb:PutItem"], ["Documents"]),
    # personal data is opened by who answers people, and by nobody else
    *rows(["SagaStep", "Timer", "ExecutionFaults", *READERS], ["dynamodb:GetItem"], ["DataKeys"]),
    *rows(["SagaStep", "Timer", "ExecutionFaults", *READERS], ["kms:Decrypt", "kms:GenerateDataKey"], ["CustomerKey"]),
    *rows(["OrdersApi"], ["dynamodb:Scan", "dynamodb:UpdateItem"], ["DataKeys"]),
    *rows(["OrdersApi"], ["kms:ScheduleKeyDeletion", "kms:Encrypt"], ["CustomerKey"]),
    *rows(["OrdersApi", "Feed"], ["kms:Decrypt", "kms:ScheduleKeyDeletion"], ["TableKey"]),
    # the providers' tokens are for who calls them
    *rows([name for name in FUNCTIONS if name != "SagaStep"], ["secretsmanager:GetSecretValue"], ["ProvidersSecret"]),
    *rows(["SagaStep"], ["secretsmanager:PutSecretValue"], ["ProvidersSecret"]),
    # what is published comes from the log alone
    *rows([name for name in FUNCTIONS if name != "Publisher"], ["events:PutEvents"], ["OrderBus"]),
    *rows(["Publisher", "Feed"], ["sns:Publish"], ["OrderEvents"]),
    *rows(["Publisher", "ExecutionFaults"], ["sqs:SendMessage", "sqs:ReceiveMessage"], ["OrderEventsQueue"]),
    # a fault comes from the rule alone
    *rows(["OrdersApi", "SagaStep", "ExecutionFaults"], ["sqs:SendMessage"], ["ExecutionFaultsQueue"]),
    *rows(["Feed", "Timer"], ["sqs:ReceiveMessage", "sqs:PurgeQueue"], ["ExecutionFaultsQueue"]),
    *rows(["ExecutionFaults"], ["sqs:ReceiveMessage"], ["ExecutionFaultsDeadLetters"]),
    # failed batches are put aside by who follows the stream, and read by people
    *rows(["OrdersApi", "SagaStep", "Timer"], ["s3:PutObject"], ["FailedBatches"]),
    *rows(READERS, ["s3:GetObject"], ["FailedBatches"]),
    # runs begin where the log says so, and children where their parent does
    *rows([*WITH_KEYS, "SagaStep", "Publisher", "ExecutionFaults"], ["states:StartExecution"], ["OrderMachine"]),
    *rows(["Feed", "Timer"], ["states:StartExecution"], ["PaymentMachine", "PreparationMachine", "DeliveryMachine"]),
    *rows(["Feed", "SagaStep"], ["states:StopExecution"], ["OrderMachine"]),
    # steps are taken by machines
    *rows([*FUNCTIONS, "Scheduler"], ["lambda:InvokeFunction"], ["SagaStep"]),
    *rows(["StepMachine", "OrderMachine"], ["lambda:InvokeFunction"], ["Feed", "OrdersApi", "Timer"]),
    *rows(["Scheduler"], ["lambda:InvokeFunction"], ["Feed"]),
    # machines carry ids, and touch nothing that is kept
    *rows(["StepMachine", "OrderMachine"], ["dynamodb:Query", "dynamodb:PutItem"], ["Events"]),
    *rows(["StepMachine", "OrderMachine"], ["secretsmanager:GetSecretValue"], ["ProvidersSecret"]),
    *rows(["StepMachine", "OrderMachine"], ["kms:Decrypt"], ["CustomerKey"]),
    *rows(["StepMachine"], ["states:StartExecution"], ["OrderMachine", "PreparationMachine"]),
    *rows(["StepMachine"], ["states:StartSyncExecution"], ["PaymentMachine"]),
    *rows(["OrderMachine"], ["states:StartExecution", "states:StopExecution"], ["OrderMachine"]),
    *rows(["Scheduler"], ["sqs:SendMessage"], ["ExecutionFaultsQueue"]),
]

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
"""The same in the words of different services; the last is SNS."""

HELD_BACK = "ConditionalCheckFailedException"
"""A write that was allowed, and whose condition did not hold."""

ALLOWED: list[tuple[str, str, str, str]] = [
    # role, operation, resource, and how the service refuses what makes no sense; "" where it answers
    *[(role, "dynamodb:PutItem", "Events", HELD_BACK) for role in WRITERS],
    *[(role, "dynamodb:GetItem", "Events", "") for role in WRITERS],
    *[(role, "dynamodb:Query", "Events", "") for role in (*WRITERS, "Feed")],
    ("Timer", "dynamodb:Scan", "Events", ""),
    *[
        (role, operation, "Documents", answer)
        for role in ("IncidentsApi", "SagaStep", "Feed", "Timer")
        for operation, answer in {
            "dynamodb:GetItem": "",
            "dynamodb:Query": "",
            "dynamodb:PutItem": HELD_BACK,
            "dynamodb:DeleteItem": HELD_BACK,
        }.items()
    ],
    *[(role, "dynamodb:GetItem", "DataKeys", "") for role in WITH_KEYS],
    *[(role, "dynamodb:PutItem", "DataKeys", HELD_BACK) for role in WITH_KEYS],
    *[(role, "dynamodb:DeleteItem", "DataKeys", HELD_BACK) for role in WITH_KEYS],
    *[(role, "kms:GenerateDataKey", "CustomerKey", "") for role in WITH_KEYS],
    *[(role, "kms:Decrypt", "CustomerKey", "InvalidCiphertextException") for role in WITH_KEYS],
    ("SagaStep", "secretsmanager:GetSecretValue", "ProvidersSecret", ""),
    ("Publisher", "events:PutEvents", "OrderBus", ""),
    *[(role, "s3:PutObject", "FailedBatches", "") for role in READERS],
    *[(role, "states:StartExecution", "OrderMachine", "") for role in ("Feed", "Timer")],
    ("Timer", "sqs:SendMessage", "TimerDeadLetters", ""),
    ("ExecutionFaults", "sqs:ReceiveMessage", "ExecutionFaultsQueue", ""),
    ("ExecutionFaults", "sqs:DeleteMessage", "ExecutionFaultsQueue", "ReceiptHandleIsInvalid"),
    ("ExecutionFaults", "sqs:GetQueueAttributes", "ExecutionFaultsQueue", ""),
    ("StepMachine", "lambda:InvokeFunction", "SagaStep", ""),
    ("OrderMachine", "lambda:InvokeFunction", "SagaStep", ""),
    ("OrderMachine", "states:StartSyncExecution", "PaymentMachine", ""),
    *[
        ("OrderMachine", operation, machine, answer)
        for machine in ("PreparationMachine", "DeliveryMachine")
        for operation, answer in {
            "states:StartExecution": "",
            "states:StopExecution": "ExecutionDoesNotExist",
            "states:DescribeExecution": "ExecutionDoesNotExist",
        }.items()
    ],
    ("Scheduler", "lambda:InvokeFunction", "Timer", ""),
    ("Scheduler", "sqs:SendMessage", "TimerDeadLetters", ""),
]


@pytest.fixture(scope="session")
def roles(deployment: Deployment) -> Roles:
    """The roles of the deployment."""
    return Roles(deployment)


@pytest.mark.parametrize(("role", "operation", "resource"), FORBIDDEN)
def test_what_is_not_in_a_role_is_denied(roles: Roles, role: str, operation: str, resource: str) -> None:
    """By IAM, and not for another reason."""
    with pytest.raises(ClientError, match=f"not authorized to perform: {operation}") as denied:
        roles.call(f"{role}Role", operation, resource)
    assert denied.value.response["Error"]["Code"] in DENIED


@pytest.mark.parametrize(("role", "operation", "resource", "answer"), ALLOWED)
def test_what_a_function_does_is_in_its_role(
    roles: Roles, role: str, operation: str, resource: str, answer: str
) -> None:
    """It reaches the service, which answers, or refuses a call that was made to change nothing."""
    answered = ""
    try:
        roles.call(f"{role}Role", operation, resource)
    except ClientError as error:
        answered = error.response["Error"]["Code"]
    assert answered == answer


@pytest.mark.parametrize("operation", ["states:SendTaskSuccess", "states:SendTaskFailure"])
@pytest.mark.parametrize("role", [*FUNCTIONS, "StepMachine", "OrderMachine", "Scheduler"])
def test_tokens_are_settled_by_who_hears_of_answers_and_of_time(
    deployment: Deployment, roles: Roles, role: str, operation: str
) -> None:
    """Of the machines that wait; no payment waits. By the policy simulator: see ``gaps``."""
    waiting = ["OrderMachine", "PreparationMachine", "DeliveryMachine"]
    arns = {name: deployment.resources[name] for name in [*waiting, "PaymentMachine"]}
    may = [name for name, arn in arns.items() if roles.would_allow(f"{role}Role", operation, arn)]
    assert may == (waiting if role in {"SagaStep", "Feed", "Timer"} else [])


@pytest.mark.parametrize("operation", ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"])
@pytest.mark.parametrize("role", [*FUNCTIONS, "StepMachine", "OrderMachine", "Scheduler"])
def test_the_stream_is_read_by_who_follows_it(deployment: Deployment, roles: Roles, role: str, operation: str) -> None:
    """By the policy simulator: the emulator reads streams for its mappings without asking anybody."""
    tables, name = deployment.root.client("dynamodb"), deployment.resources["Events"]
    stream = tables.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    assert roles.would_allow(f"{role}Role", operation, stream) == (role in READERS)


def test_the_table_of_what_is_forbidden_is_long_enough_and_says_nothing_twice() -> None:
    """Each row is one call that somebody might wish to make."""
    assert len(set(FORBIDDEN)) == len(FORBIDDEN) >= 40
