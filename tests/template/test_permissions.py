"""Permissions of the template: no more than the code calls, and no wildcard without a reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from domain.identifiers import Actor, Role
from tests.statemachines import earlier_definition
from tests.template.conftest import Resources
from tests.template.policies import every_statement, may, named, role_of, statements_for
from tests.template.translated import REPOSITORY, TEMPLATE
from workflows.asl.reading.source import read
from workflows.clock import timestamp
from workflows.embedded.template import read_template
from workflows.event_store.documents import Document, Expected
from workflows.in_memory.documents import InMemoryDocuments
from workflows.publishing.webhooks import deliveries, endpoints

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

OfType = Callable[[str], Resources]

LOG_WRITERS = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"}


def test_a_wildcard_has_a_written_reason(resources: Resources) -> None:
    """``Resource: "*"`` and ``Principal: "*"`` are explained in Metadata.AnyResource.

    A reason without a wildcard is out of date. A Deny statement needs no reason.
    """
    wide = {
        (statement.owner, statement.sid)
        for statement in every_statement(resources)
        if statement.effect == "Allow" and ("*" in statement.resources or "*" in statement.principals)
    }
    reasons = {
        (name, sid)
        for name, item in resources.items()
        for sid, reason in item.get("Metadata", {}).get("AnyResource", {}).items()
        if len(reason) >= len("this key")
    }
    assert wide == reasons


def test_no_statement_allows_all_actions_of_a_service(resources: Resources) -> None:
    """Except for the account's administration of its keys, without which the keys could never be changed."""
    wide = {
        (statement.owner, statement.sid)
        for statement in every_statement(resources)
        if statement.effect == "Allow" and any(re.search(r"^\*$|:\*$|^\w+$", action) for action in statement.actions)
    }
    assert wide == {(key, "Administration") for key in ("TableKey", "CustomerKey", "CheckpointKey")}


def test_aws_managed_policies_are_not_used(of_type: OfType) -> None:
    """They allow their actions on all resources of the account."""
    for role in of_type("IAM::Role").values():
        assert all(set(item) == {"Ref"} for item in role.get("ManagedPolicyArns", ()))


OWN_ACCOUNT = {"lambda.amazonaws.com", "codedeploy.amazonaws.com"}
"""Services that take a role from a caller with iam:PassRole in the role's account, and are not documented to send the
source account: https://docs.aws.amazon.com/codedeploy/latest/userguide/getting-started-create-service-role.html
"""


def test_roles_trust_only_services_acting_for_this_account(of_type: OfType) -> None:
    """Lambda and CodeDeploy assume a role only for the role's account; other services need a condition."""
    for name, role in of_type("IAM::Role").items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = trust["Principal"]["Service"]
        assert service in {*OWN_ACCOUNT, "states.amazonaws.com", "scheduler.amazonaws.com"}, name
        assert service in OWN_ACCOUNT or "aws:SourceAccount" in trust["Condition"]["StringEquals"], name


def test_every_function_has_a_role_of_its_own(of_type: OfType) -> None:
    """It allows only what the code of this function calls."""
    functions = of_type("Lambda::Function")
    assert {name: role_of(item) for name, item in functions.items()} == {name: f"{name}Role" for name in functions}


def test_commits_are_put_by_functions_that_decide_and_deleted_by_no_role(resources: Resources, of_type: OfType) -> None:
    """One role may replace a content. PutItem can replace a commit too, and no policy can demand the condition with
    which the code puts: the alarm on the log's stream and the published checkpoints show a replacement.
    """
    writers = {
        name: {action for action, on in may(resources, name) if on == "Events.Arn"} & LOG_WRITERS
        for name in of_type("IAM::Role")
    }
    assert {name for name, actions in writers.items() if actions} == {
        f"{name}Role"
        for name in (
            "OrdersApi",
            "CatalogueApi",
            "PreparationApi",
            "DeliveryApi",
            "IncidentsApi",
            "BulkApi",
            "SearchApi",  # the record of a search for a person
            "CustomersApi",  # erasures, and the record of a read of all that is kept about a customer
            "SagaStep",
            "Timer",
            "ExecutionFaults",
            "Archiver",  # names lines of the archive: see below
        )
    }
    updates = {"ArchiverRole"}
    assert all(actions <= {"dynamodb:PutItem"} for name, actions in writers.items() if name not in updates)
    assert writers["ArchiverRole"] == {"dynamodb:UpdateItem"}
    assert not [item for item in every_statement(resources) if any("PartiQL" in action for action in item.actions)]


def _document_conditions(resources: Resources, role: str) -> Iterator[str]:
    """Yield ``Like`` for each statement on the partitions of webhooks, and ``NotLike`` for one on all others."""
    for statement in statements_for(resources, role):
        if "Documents.Arn" in statement.resources:
            [(condition, keys)] = statement.conditions.items()
            assert keys == {"dynamodb:LeadingKeys": ["webhook*"]}
            yield condition.removeprefix("ForAllValues:String")


class NotedPartitions(InMemoryDocuments):
    """Documents that keep the names of the partitions that are written."""

    def __init__(self) -> None:
        super().__init__()
        self.partitions: set[str] = set()

    def put(self, document: Document, expected: Expected) -> Document:
        self.partitions.add(document.pk)
        return super().put(document, expected)


def test_only_the_functions_of_webhooks_read_their_secrets(resources: Resources, of_type: OfType) -> None:
    """They are documents in partitions that every other role is kept from, but for that which erases deliveries."""
    of_webhooks, others = ("Like", "NotLike")
    for name in of_type("IAM::Role"):
        if name in {"PublisherRole", "CheckpointsRole", "ArchiverRole"}:
            continue  # they reach the notes of changed streams, or the place of a round, alone: see below
        kinds = set(_document_conditions(resources, name))
        if name == "CustomersApiRole":
            assert kinds == {of_webhooks, others}
        else:
            assert kinds <= {of_webhooks if name in {"WebhooksApiRole", "WebhooksRole"} else others}, name
    documents = NotedPartitions()
    endpoint, _ = endpoints.register(
        documents, Actor(Role.SERVICE, "s"), "key", url="", types=(), description="", enabled=True, now=NOON
    )
    deliveries.record(documents, endpoint.id, {"id": "ord_x/1", "time": timestamp(NOON)}, NOON)
    assert len(documents.partitions) == 3
    assert all(partition.startswith("webhook") for partition in documents.partitions)


def test_only_functions_that_compare_publish_or_verify_read_the_whole_log(
    resources: Resources, of_type: OfType
) -> None:
    """All other functions read one order at a time. The first checkpoint has the heads of all streams.

    The function that verifies reads without keys: no personal data can be seen by it.
    """
    scan = {name for name in of_type("IAM::Role") for action, _ in may(resources, name) if action == "dynamodb:Scan"}
    assert scan == {"TimerRole", "ProjectorRole", "CheckpointsRole", "AuditApiRole", "ArchiverRole"}


def test_the_publisher_and_the_function_of_checkpoints_reach_the_notes_of_changed_streams_alone(
    resources: Resources,
) -> None:
    """Of all documents."""
    for name in ("PublisherRole", "CheckpointsRole"):
        conditions = [each.conditions for each in statements_for(resources, name) if "Documents.Arn" in each.resources]
        assert conditions == [{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["changed-heads#*"]}}], name


def test_only_the_function_of_checkpoints_signs_and_publishes_them_and_it_cannot_write_to_the_log(
    resources: Resources, of_type: OfType
) -> None:
    """Otherwise a checkpoint would vouch for nothing."""
    roles = {name: may(resources, name) for name in of_type("IAM::Role")}
    assert {name for name, allowed in roles.items() if ("kms:Sign", "CheckpointKey.Arn") in allowed} == {
        "CheckpointsRole"
    }
    writes = {name for name, allowed in roles.items() if ("s3:PutObject", "PublishedCheckpoints.Arn/*") in allowed}
    assert writes == {"CheckpointsRole"}
    assert {action for action, on in roles["CheckpointsRole"] if on == "Events.Arn"} == {"dynamodb:Scan"}


def test_the_archiver_changes_the_content_of_orders_alone_and_stores_segments_only(resources: Resources) -> None:
    """No role may delete a commit. The hash, which the archiver cannot reach, vouches for what it put aside."""
    [update] = [each for each in statements_for(resources, "ArchiverRole") if "dynamodb:UpdateItem" in each.actions]
    assert update.conditions == {
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "ev"]},
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["order#*"]},
    }
    documents = [each for each in statements_for(resources, "ArchiverRole") if "Documents.Arn" in each.resources]
    assert [each.conditions for each in documents] == [
        {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["archive"]}}
    ]
    assert {on for action, on in may(resources, "ArchiverRole") if action == "s3:PutObject"} == {
        "Archive.Arn/segments/*"
    }


def test_the_function_of_exports_reads_the_views_alone(resources: Resources) -> None:
    """Neither log, documents nor keys. The function of checkpoints signs its manifests."""
    reached = {on for action, on in may(resources, "ExporterRole") if not action.startswith(("logs:", "xray:", "ec2:"))}
    assert reached == {
        *("Exports.Arn", "Exports.Arn/exports/*", "Exports.Arn/exports/*.json"),
        *("Checkpoints.Alias", "TimerDeadLetters.Arn", "ViewsSecret"),
    }
    writes = {on for action, on in may(resources, "SearchApiRole") if action == "s3:PutObject"}
    assert writes == {"Exports.Arn/exports/*.json"}


def test_only_the_timer_takes_failed_batches_and_only_to_their_two_functions(
    resources: Resources, of_type: OfType
) -> None:
    """A batch names its function, so a planted one must not be able to invoke another."""
    roles = {name: may(resources, name) for name in of_type("IAM::Role")}
    taken = ("s3:DeleteObject", "FailedBatches.Arn/aws/lambda/*")
    assert {name for name, allowed in roles.items() if taken in allowed} == {"TimerRole"}
    invoked = {on for action, on in roles["TimerRole"] if action == "lambda:InvokeFunction"}
    assert invoked == {"Feed.Alias", "Publisher.Alias"}


NAMES = {
    "KEYS_TABLE": "DataKeys.Arn",
    "CUSTOMER_KEY": "CustomerKey.Arn",
    "ORDER_MACHINE": "OrderMachine",
    "EVENT_BUS": "OrderBus.Arn",
    "PROVIDERS_SECRET": "ProvidersSecret",
    "CHECKPOINT_KEY": "CheckpointKey.Arn",
}
"""The variables that name resources which only some functions may use."""


@pytest.mark.parametrize("variable", NAMES)
def test_a_function_may_use_what_its_variables_name(resources: Resources, of_type: OfType, variable: str) -> None:
    """And its variables name all that it may use.

    Settling a token needs no variable, because a token names no machine.
    """
    settling = {"states:SendTaskSuccess", "states:SendTaskFailure"}
    for name, function in of_type("Lambda::Function").items():
        is_set = variable in function["Environment"]["Variables"]
        used = {action for action, on in may(resources, role_of(function)) if on == NAMES[variable]} - settling
        assert is_set == bool(used), f"{name} {variable}"


# --- machines ---------------------------------------------------------------------------------------------------------

OF_EVERY_MACHINE = {"logs", "xray"}
"""Services that logging and tracing need; the rest follows from the definition."""

EXECUTIONS = "arn:AWS::Partition:states:AWS::Region:AWS::AccountId:execution:"
RULE = "arn:AWS::Partition:events:AWS::Region:AWS::AccountId:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"


def integrations(definition: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """List the action and resource of every call that a definition makes; names are its placeholders."""
    for state in definition["States"].values():
        for branch in state.get("Branches", ()):
            yield from integrations(branch)
        if state["Type"] == "Task":
            yield from calls(state["Resource"], state["Arguments"])


def calls(resource: str, arguments: Mapping[str, Any]) -> list[tuple[str, str]]:
    """https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html says what .sync:2 needs."""
    match resource.removeprefix("arn:aws:states:::"):
        case "lambda:invoke" | "lambda:invoke.waitForTaskToken":
            return [("lambda:InvokeFunction", arguments["FunctionName"])]
        case "aws-sdk:sfn:startSyncExecution":
            return [("states:StartSyncExecution", arguments["StateMachineArn"])]
        case "states:startExecution.sync:2":
            machine = arguments["StateMachineArn"]
            after = ("states:DescribeExecution", "states:StopExecution")
            rule = ("events:PutRule", "events:PutTargets", "events:DescribeRule")
            return [
                ("states:StartExecution", machine),
                *((action, f"{EXECUTIONS}{machine.strip('${}')}.Name:*") for action in after),
                *((action, RULE) for action in rule),
            ]
    raise AssertionError(f"which actions does {resource} need?")


@pytest.mark.parametrize("machine", ["OrderMachine", "PaymentMachine", "PreparationMachine", "DeliveryMachine"])
def test_a_machine_may_make_the_calls_of_its_definition_and_no_others(
    resources: Resources, of_type: OfType, machine: str
) -> None:
    """A new state without its permission fails here, not on its first order.

    Executions of the order machine's earlier definition go on with its present role.
    """
    properties = of_type("StepFunctions::StateMachine")[machine]
    stands_for = {f"${{{name}}}": named(value) for name, value in properties["DefinitionSubstitutions"].items()}
    stands_for |= {f"${{{name}}}": name for name in earlier_definition.CHILDREN}
    definitions = [read_template(TEMPLATE).machines[machine].definition]
    definitions += [earlier_definition.FILE.read_text()] if machine == "OrderMachine" else []
    made = [call for definition in definitions for call in integrations(cast("dict[str, Any]", read(definition)))]
    needed = {(action, stands_for.get(on, on)) for action, on in made}
    needed.add(("lambda:InvokeFunction", "SagaStep.Arn"))  # by executions from before the aliases
    allowed = {
        (action, on)
        for action, on in may(resources, role_of(properties))
        if action.split(":")[0] not in OF_EVERY_MACHINE
    }
    assert allowed == needed


def test_every_machine_is_in_the_list(of_type: OfType) -> None:
    """The list of machines above is complete."""
    files = {path.name.removesuffix(".asl.yaml").title() for path in (REPOSITORY / "statemachines").iterdir()}
    assert {f"{name}Machine" for name in files} == set(of_type("StepFunctions::StateMachine"))


# --- access by services -----------------------------------------------------------------------------------------------


UNCONDITIONAL = {"OrderEventsPolicy", "AlarmsPolicy", "TableKey"}
"""Targets of EventBridge whose policies cannot check the source: it takes no Condition in the policy of a topic, and
sends no source account to the key of an encrypted one.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""


def test_topics_and_alarms_use_the_key_by_the_arn_of_their_source(resources: Resources) -> None:
    """SNS is documented to send aws:SourceArn to the key of a queue; a condition on the account might deny all."""
    [senders] = [each for each in every_statement(resources) if each.sid == "Senders"]
    assert set(senders.conditions) == {"ArnLike"}
    patterns = [text["Fn::Sub"] for text in senders.conditions["ArnLike"]["aws:SourceArn"]]
    account = "${AWS::Region}:${AWS::AccountId}"
    kinds = {"sns:" + account + ":*", "cloudwatch:" + account + ":alarm:*"}
    assert set(patterns) == {"arn:${AWS::Partition}:" + kind for kind in kinds}


def test_a_service_may_write_only_for_its_own_source(resources: Resources) -> None:
    """A queue, topic or key that trusts a whole service would trust every account that uses it."""
    for statement in every_statement(resources):
        services = [name for name in statement.principals if name.endswith(".amazonaws.com")]
        if services == ["events.amazonaws.com"] and statement.owner in UNCONDITIONAL:
            assert not statement.conditions, statement.owner
        elif services and statement.effect == "Allow":
            keys = {key for condition in statement.conditions.values() for key in condition}
            assert keys & {"aws:SourceArn", "aws:SourceAccount", "kms:EncryptionContext:aws:logs:arn"}, statement.owner
