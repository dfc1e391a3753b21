"""The permissions of each deployed role, as enforced by the emulator's IAM.

``test_orders`` runs whole orders under the same roles; here each permission is tested alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from botocore.exceptions import ClientError

from tests.deployment.deployment import Deployment
from tests.deployment.emulator import REGION
from tests.deployment.roles import Roles

Row = tuple[str, str, str]
"""A role, an operation and a resource, by their logical ids."""

WITH_KEYS = ("OrdersApi", "PreparationApi", "DeliveryApi", "IncidentsApi", "BulkApi")
WRITERS = (*WITH_KEYS, "CatalogueApi", "SagaStep", "Timer", "ExecutionFaults")
READERS = ("Feed", "Publisher")
SEARCHERS = ("SearchApi",)
"""Functions that reach the database of the views. They append records of reads, and read reasons of changes."""
WEBHOOKS = ("WebhooksApi", "Webhooks")
INSPECTORS = ("ExecutionsApi",)
"""Functions that read the log, documents, personal fields and executions, and write nothing."""
ERASERS = ("CustomersApi",)
"""Functions that destroy keys of customers and make none, and delete deliveries of webhooks."""
PROJECTORS = ("Projector",)
"""Functions that read the whole log with personal fields, and write to no store of AWS."""
FUNCTIONS = (*WRITERS, *READERS, *WEBHOOKS, *SEARCHERS, *INSPECTORS, *ERASERS, *PROJECTORS)
SEALING = (*WITH_KEYS, "Timer")
"""Functions that record personal fields: the timer those of bulk jobs."""
WITHOUT_KEYS = ("CatalogueApi", "ExecutionFaults", *READERS, *WEBHOOKS)
DECRYPTING = ("SagaStep", *SEARCHERS, *INSPECTORS, *PROJECTORS)
"""Functions that read personal fields and record none."""
CHANGES = ("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem")


def rows(roles: Iterable[str], operations: Iterable[str], resources: Iterable[str]) -> list[Row]:
    operations, resources = list(operations), list(resources)
    return [(role, operation, resource) for role in roles for operation in operations for resource in resources]


FORBIDDEN: list[Row] = [
    # a commit is inserted, and never changed or deleted
    *rows(FUNCTIONS, CHANGES, ["Events"]),
    *rows([*READERS, *WEBHOOKS, *INSPECTORS, *PROJECTORS], ["dynamodb:PutItem"], ["Events"]),
    *rows(["SagaStep", "Timer"], ["dynamodb:DeleteTable"], ["Events"]),
    # the archiver replaces contents of orders, and stores segments
    *rows(["Archiver"], ["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"], ["Events"]),
    *rows(["Archiver"], ["dynamodb:GetItem"], ["DataKeys"]),
    *rows(["Archiver"], ["kms:Decrypt"], ["CustomerKey"]),
    *rows(["Archiver", "Feed", "Timer"], ["s3:PutObject"], ["Archive"]),  # the call has no name of a segment
    # only the functions that compare views with the log read the whole log
    *rows([name for name in FUNCTIONS if name not in ("Timer", *PROJECTORS)], ["dynamodb:Scan"], ["Events"]),
    *rows(["Publisher", "Webhooks"], ["dynamodb:Query", "dynamodb:GetItem"], ["Events"]),
    *rows(["WebhooksApi"], ["dynamodb:GetItem"], ["Events"]),
    *rows([*INSPECTORS], ["dynamodb:PutItem", "dynamodb:DeleteItem"], ["Documents"]),
    *rows([*INSPECTORS], ["states:StartExecution", "states:StopExecution"], ["OrderMachine"]),
    # documents belong to functions that wait and watch, to webhooks, to receipts, and to the positions of couriers
    *rows(["CatalogueApi", "PreparationApi"], ["dynamodb:Query", "dynamodb:PutItem"], ["Documents"]),
    *rows(["ExecutionFaults", *SEARCHERS, *PROJECTORS], ["dynamodb:Query", "dynamodb:PutItem"], ["Documents"]),
    # the publisher notes changed streams, and the function of checkpoints reads the notes
    *rows(["Publisher"], ["dynamodb:Query"], ["Documents"]),
    *rows(["Checkpoints", "AuditApi"], ["dynamodb:PutItem"], ["Documents", "Events"]),
    *rows(["AuditApi"], ["s3:PutObject"], ["PublishedCheckpoints"]),
    # only functions that answer people decrypt personal data, the one that sends a payment method to the provider, and
    # the one that computes blind indexes
    *rows(WITHOUT_KEYS, ["dynamodb:GetItem"], ["DataKeys"]),
    *rows(WITHOUT_KEYS, ["kms:Decrypt", "kms:GenerateDataKey"], ["CustomerKey"]),
    *rows(
        ["SagaStep", *SEARCHERS, *INSPECTORS, *PROJECTORS], ["dynamodb:PutItem", "dynamodb:DeleteItem"], ["DataKeys"]
    ),
    *rows(["SagaStep", *SEARCHERS, *INSPECTORS, *PROJECTORS], ["kms:GenerateDataKey"], ["CustomerKey"]),
    *rows(ERASERS, ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Scan"], ["DataKeys"]),
    *rows(ERASERS, ["kms:GenerateDataKey", "kms:ScheduleKeyDeletion"], ["CustomerKey"]),
    *rows(["OrdersApi"], ["dynamodb:Scan", "dynamodb:UpdateItem"], ["DataKeys"]),
    *rows(["OrdersApi"], ["kms:ScheduleKeyDeletion", "kms:Encrypt"], ["CustomerKey"]),
    *rows(["OrdersApi", "Feed"], ["kms:Decrypt", "kms:ScheduleKeyDeletion"], ["TableKey"]),
    # only functions that call providers read their tokens
    *rows([name for name in FUNCTIONS if name != "SagaStep"], ["secretsmanager:GetSecretValue"], ["ProvidersSecret"]),
    *rows(["SagaStep"], ["secretsmanager:PutSecretValue"], ["ProvidersSecret"]),
    # only the publisher, which follows the log, publishes events
    *rows([name for name in FUNCTIONS if name != "Publisher"], ["events:PutEvents"], ["OrderBus"]),
    *rows(["Publisher", "Feed"], ["sns:Publish"], ["OrderEvents"]),
    *rows(["Publisher", "ExecutionFaults"], ["sqs:SendMessage", "sqs:ReceiveMessage"], ["OrderEventsQueue"]),
    # only the topic sends events to the webhooks' queue
    *rows(["OrdersApi", "Publisher", *WEBHOOKS], ["sqs:SendMessage"], ["WebhooksQueue"]),
    *rows(["Feed", "WebhooksApi"], ["sqs:ReceiveMessage", "sqs:PurgeQueue"], ["WebhooksQueue"]),
    # only the topic sends events to the projector's queue
    *rows(["OrdersApi", "Publisher", *PROJECTORS], ["sqs:SendMessage"], ["ProjectorQueue"]),
    *rows(["Feed", "SearchApi"], ["sqs:ReceiveMessage", "sqs:PurgeQueue"], ["ProjectorQueue"]),
    # only the rule sends faults
    *rows(["OrdersApi", "SagaStep", "ExecutionFaults"], ["sqs:SendMessage"], ["ExecutionFaultsQueue"]),
    *rows(["Feed", "Timer"], ["sqs:ReceiveMessage", "sqs:PurgeQueue"], ["ExecutionFaultsQueue"]),
    *rows(["ExecutionFaults"], ["sqs:ReceiveMessage"], ["ExecutionFaultsDeadLetters"]),
    # functions on the stream write failed batches, and people read them
    *rows(["OrdersApi", "SagaStep", "Timer"], ["s3:PutObject"], ["FailedBatches"]),
    *rows(READERS, ["s3:GetObject"], ["FailedBatches"]),
    # the relay starts runs, and machines start their children
    *rows(
        [*WITH_KEYS, "SagaStep", "Publisher", "ExecutionFaults", *WEBHOOKS], ["states:StartExecution"], ["OrderMachine"]
    ),
    *rows(["Feed", "Timer"], ["states:StartExecution"], ["PaymentMachine", "PreparationMachine", "DeliveryMachine"]),
    *rows(["Feed", "SagaStep"], ["states:StopExecution"], ["OrderMachine"]),
    # only machines invoke steps
    *rows([*FUNCTIONS, "Scheduler"], ["lambda:InvokeFunction"], ["SagaStep"]),
    *rows(["StepMachine", "OrderMachine"], ["lambda:InvokeFunction"], ["Feed", "OrdersApi", "Timer"]),
    *rows(["Scheduler"], ["lambda:InvokeFunction"], ["Feed"]),
    # machines pass ids, and access no stored data
    *rows(["StepMachine", "OrderMachine"], ["dynamodb:Query", "dynamodb:PutItem"], ["Events"]),
    *rows(["StepMachine", "OrderMachine"], ["secretsmanager:GetSecretValue"], ["ProvidersSecret"]),
    *rows(["StepMachine", "OrderMachine"], ["kms:Decrypt"], ["CustomerKey"]),
    *rows(["StepMachine"], ["states:StartExecution"], ["OrderMachine", "PreparationMachine"]),
    *rows(["StepMachine"], ["states:StartSyncExecution"], ["PaymentMachine"]),
    *rows(["OrderMachine"], ["states:StartExecution", "states:StopExecution"], ["OrderMachine"]),
    *rows(["Scheduler"], ["sqs:SendMessage"], ["ExecutionFaultsQueue"]),
    *rows(["ProjectorScheduler"], ["lambda:InvokeFunction"], ["Timer", "SagaStep"]),
    *rows(["ProjectorScheduler"], ["sqs:SendMessage"], ["ProjectorQueue", "TimerDeadLetters"]),
    # exports are made from the database of the views alone
    *rows(["Exporter"], ["dynamodb:Query", "dynamodb:GetItem"], ["Events", "Documents", "DataKeys"]),
    *rows(["Exporter"], ["kms:Decrypt"], ["CustomerKey"]),
    *rows(["Exporter"], ["secretsmanager:GetSecretValue"], ["ProvidersSecret"]),
    # the function of the pool looks users up, and gives no role and takes no factor away
    *rows(["TokenRoles"], ["cognito-idp:AdminAddUserToGroup", "cognito-idp:AdminSetUserMFAPreference"], ["Callers"]),
    *rows(["TokenRoles"], ["dynamodb:GetItem"], ["Events", "DataKeys"]),
    # CodeDeploy moves aliases, and neither calls nor changes what they name
    *rows(["Mover"], ["lambda:InvokeFunction", "lambda:UpdateFunctionCode"], ["SagaStep", "TokenRoles"]),
    *rows(["Mover"], ["dynamodb:GetItem"], ["Events"]),
]

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}
"""The same in the words of different services; the last is SNS."""

HELD_BACK = "ConditionalCheckFailedException"
"""A write that was allowed, and whose condition did not hold."""

ALLOWED: list[tuple[str, str, str, str]] = [
    # role, operation, resource, and the error of the service for a meaningless call; "" if it answers
    *[(role, "dynamodb:PutItem", "Events", HELD_BACK) for role in (*WRITERS, *SEARCHERS, *ERASERS)],
    *[(role, "dynamodb:GetItem", "Events", "") for role in (*WRITERS, *SEARCHERS, *ERASERS)],
    *[
        (role, "dynamodb:Query", "Events", "")
        for role in (*WRITERS, "Feed", "WebhooksApi", *SEARCHERS, *ERASERS, *INSPECTORS, *PROJECTORS)
    ],
    *[(role, "dynamodb:Scan", "Events", "") for role in ("Timer", *PROJECTORS)],
    *[
        (role, operation, "Documents", answer)
        for role in (
            "OrdersApi",
            "DeliveryApi",
            "IncidentsApi",
            "BulkApi",
            "SagaStep",
            "Feed",
            "Timer",
            *ERASERS,
            *WEBHOOKS,
        )
        for operation, answer in {
            "dynamodb:GetItem": "",
            "dynamodb:Query": "",
            "dynamodb:PutItem": HELD_BACK,
            "dynamodb:DeleteItem": HELD_BACK,
        }.items()
    ],
    *[
        (role, operation, "Documents", "")
        for role in INSPECTORS
        for operation in ("dynamodb:GetItem", "dynamodb:Query")
    ],
    *[
        (role, operation, machine, "ExecutionDoesNotExist")
        for role in INSPECTORS
        for machine in ("OrderMachine", "PreparationMachine", "DeliveryMachine")
        for operation in ("states:DescribeExecution", "states:GetExecutionHistory")
    ],
    *[(role, "states:DescribeStateMachine", "PaymentMachine", "") for role in INSPECTORS],
    *[(role, "dynamodb:GetItem", "DataKeys", "") for role in SEALING],
    *[(role, "dynamodb:PutItem", "DataKeys", HELD_BACK) for role in SEALING],
    *[(role, "dynamodb:DeleteItem", "DataKeys", HELD_BACK) for role in (*SEALING, *ERASERS)],
    *[(role, "kms:GenerateDataKey", "CustomerKey", "") for role in SEALING],
    *[(role, "kms:Decrypt", "CustomerKey", "InvalidCiphertextException") for role in SEALING],
    *[(role, "dynamodb:GetItem", "DataKeys", "") for role in DECRYPTING],
    *[(role, "kms:Decrypt", "CustomerKey", "InvalidCiphertextException") for role in DECRYPTING],
    ("SagaStep", "secretsmanager:GetSecretValue", "ProvidersSecret", ""),
    ("Publisher", "events:PutEvents", "OrderBus", ""),
    *[(role, "s3:PutObject", "FailedBatches", "") for role in READERS],
    *[
        (role, "s3:GetObject", "Archive", "NoSuchKey")
        for role in ("Archiver", "Checkpoints", "Feed", "OrdersApi", "WebhooksApi")
    ],
    ("Archiver", "dynamodb:Scan", "Events", ""),
    ("Scheduler", "lambda:InvokeFunction", "Archiver", ""),
    *[(role, "states:StartExecution", "OrderMachine", "") for role in ("Feed", "Timer")],
    *[(role, "sqs:SendMessage", "TimerDeadLetters", "") for role in ("Timer", *ERASERS)],
    ("ExecutionFaults", "sqs:ReceiveMessage", "ExecutionFaultsQueue", ""),
    ("ExecutionFaults", "sqs:DeleteMessage", "ExecutionFaultsQueue", "ReceiptHandleIsInvalid"),
    ("ExecutionFaults", "sqs:GetQueueAttributes", "ExecutionFaultsQueue", ""),
    ("Webhooks", "sqs:ReceiveMessage", "WebhooksQueue", ""),
    ("Webhooks", "sqs:DeleteMessage", "WebhooksQueue", "ReceiptHandleIsInvalid"),
    ("Webhooks", "sqs:GetQueueAttributes", "WebhooksQueue", ""),
    ("Webhooks", "sqs:SendMessage", "WebhooksDeadLetters", ""),
    ("Projector", "sqs:ReceiveMessage", "ProjectorQueue", ""),
    ("Projector", "sqs:DeleteMessage", "ProjectorQueue", "ReceiptHandleIsInvalid"),
    ("Projector", "sqs:GetQueueAttributes", "ProjectorQueue", ""),
    ("Projector", "sqs:SendMessage", "ProjectorDeadLetters", ""),
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
    *[("Scheduler", "lambda:InvokeFunction", function, "") for function in ("Timer", *ERASERS)],
    *[("Timer", "lambda:InvokeFunction", function, "") for function in READERS],  # with failed batches
    ("Scheduler", "sqs:SendMessage", "TimerDeadLetters", ""),
    ("ProjectorScheduler", "lambda:InvokeFunction", "Projector", ""),
    ("ProjectorScheduler", "sqs:SendMessage", "ProjectorDeadLetters", ""),
    ("Scheduler", "lambda:InvokeFunction", "Webhooks", ""),
    ("Scheduler", "sqs:SendMessage", "WebhooksDeadLetters", ""),
    ("AuditApi", "dynamodb:Scan", "Events", ""),
    ("Exporter", "lambda:InvokeFunction", "Checkpoints", ""),  # which signs the manifest
    ("Exporter", "sqs:SendMessage", "TimerDeadLetters", ""),
    ("TokenRoles", "cognito-idp:AdminGetUser", "Callers", "UserNotFoundException"),
]


@pytest.fixture(scope="session")
def roles(deployment: Deployment) -> Roles:
    """The deployed roles."""
    return Roles(deployment)


@pytest.mark.parametrize(("role", "operation", "resource"), FORBIDDEN)
def test_a_role_denies_calls_that_it_does_not_allow(roles: Roles, role: str, operation: str, resource: str) -> None:
    """IAM denies the call; it does not fail for another reason."""
    with pytest.raises(ClientError, match=f"not authorized to perform: {operation}") as denied:
        roles.call(f"{role}Role", operation, resource)
    assert denied.value.response["Error"]["Code"] in DENIED


@pytest.mark.parametrize(("role", "operation", "resource", "answer"), ALLOWED)
def test_a_role_allows_the_calls_of_its_function(
    roles: Roles, role: str, operation: str, resource: str, answer: str
) -> None:
    """The call reaches the service, which answers, or refuses a call that is made so that it changes nothing."""
    answered = ""
    try:
        roles.call(f"{role}Role", operation, resource)
    except ClientError as error:
        answered = error.response["Error"]["Code"]
    assert answered == answer


@pytest.mark.parametrize("operation", ["states:SendTaskSuccess", "states:SendTaskFailure"])
@pytest.mark.parametrize("role", [*FUNCTIONS, "StepMachine", "OrderMachine", "Scheduler"])
def test_only_functions_that_end_waits_may_settle_tokens(
    deployment: Deployment, roles: Roles, role: str, operation: str
) -> None:
    """For the machines that wait for tokens. Checked with the policy simulator, see ``gaps``."""
    waiting = ["OrderMachine", "PreparationMachine", "DeliveryMachine"]
    arns = {name: deployment.resources[name] for name in [*waiting, "PaymentMachine"]}
    may = [name for name, arn in arns.items() if roles.would_allow(f"{role}Role", operation, arn)]
    assert may == (waiting if role in {"SagaStep", "Feed", "Timer"} else [])


@pytest.mark.parametrize("operation", ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"])
@pytest.mark.parametrize("role", [*FUNCTIONS, "StepMachine", "OrderMachine", "Scheduler"])
def test_only_functions_on_the_stream_may_read_it(
    deployment: Deployment, roles: Roles, role: str, operation: str
) -> None:
    """Checked with the policy simulator, because the emulator reads streams for its mappings without permissions."""
    tables, name = deployment.root.client("dynamodb"), deployment.resources["Events"]
    stream = tables.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    assert roles.would_allow(f"{role}Role", operation, stream) == (role in READERS)


def test_the_table_of_denied_calls_has_no_duplicates() -> None:
    """Each row is one call that an attacker could try."""
    assert len(set(FORBIDDEN)) == len(FORBIDDEN) >= 40


def test_every_deployed_role_is_tried_both_ways(deployment: Deployment) -> None:
    """A role that is added has calls that it allows, and others that it denies. Mover has a test of its own."""
    deployed = {name for name in deployment.resources if name.endswith("Role")}
    assert deployed == {f"{row[0]}Role" for row in FORBIDDEN}
    assert deployed == {f"{row[0]}Role" for row in ALLOWED} | {"MoverRole"}


@pytest.mark.parametrize("operation", ["lambda:GetAlias", "lambda:UpdateAlias"])
def test_codedeploy_may_move_aliases(deployment: Deployment, roles: Roles, operation: str) -> None:
    """Checked with the policy simulator, see ``gaps``."""
    arn = f"arn:aws:lambda:{REGION}:000000000000:function:{deployment.resources['SagaStep']}"
    assert roles.would_allow("MoverRole", operation, arn)
