"""Stored data: encryption, retention, and what survives the deletion of the stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.template.conftest import Resources
from tests.template.policies import named
from tests.template.translated import STACKS
from workflows.audit.exports import LINK_S
from workflows.aws.documents import DynamoDbDocuments
from workflows.event_store.documents import Document

OfType = Callable[[str], Resources]


def encrypted_with(kind: str, properties: dict[str, Any]) -> str:
    """Return the key that encrypts a resource of this type."""
    match kind:
        case "DynamoDB::Table":
            assert properties["SSESpecification"]["SSEEnabled"] is True
            return named(properties["SSESpecification"]["KMSMasterKeyId"])
        case "SQS::Queue" | "SNS::Topic":
            return named(properties["KmsMasterKeyId"])
        case "S3::Bucket":
            (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
            return named(rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"])
        case _:
            return named(properties["KmsKeyId"])


@pytest.mark.parametrize(
    "kind", ["DynamoDB::Table", "SQS::Queue", "SNS::Topic", "S3::Bucket", "Logs::LogGroup", "SecretsManager::Secret"]
)
def test_all_stored_data_is_encrypted_with_the_stack_s_key(of_type: OfType, kind: str) -> None:
    """A customer-managed key can be audited and disabled; one of AWS cannot."""
    assert of_type(kind)
    for name, properties in of_type(kind).items():
        assert encrypted_with(kind, properties).removesuffix(".Arn") == "TableKey", name


def test_keys_are_rotated_every_year(of_type: OfType) -> None:
    """Both that encrypt: data encrypted before stays readable. KMS does not rotate the one that signs."""
    keys = of_type("KMS::Key")
    assert {name for name, key in keys.items() if key.get("EnableKeyRotation") is True} == {"TableKey", "CustomerKey"}
    assert {name for name, key in keys.items() if key.get("KeyUsage") == "SIGN_VERIFY"} == {"CheckpointKey"}
    assert len(keys) == 3


def test_only_the_state_has_what_must_never_be_lost(state: dict[str, Any], plain: dict[str, Any]) -> None:
    """Deleting the engine loses no order, no key, no caller's name, no picture that the log names and no checkpoint."""
    kept = {name for name, item in state["Resources"].items() if item.get("UpdateReplacePolicy") == "Retain"}
    data = {"Events", "DataKeys", "TableKey", "CustomerKey", "Callers", "Pictures", "Archive"}
    assert kept == data | {"PublishedCheckpoints", "CheckpointKey", "ApiLogs"}
    policies = {name: state["Resources"][name]["DeletionPolicy"] for name in kept}
    # A failed first deployment removes what it made, except for what is protected from deletion by itself.
    protected = {"Events", "DataKeys", "Callers"}
    assert {name for name, policy in policies.items() if policy == "Retain"} == protected
    assert {policies[name] for name in kept - protected} == {"RetainExceptOnCreate"}
    assert {item.get("DeletionPolicy", "Delete") for item in plain["Resources"].values()} == {"Delete"}


def test_no_update_may_replace_or_delete_a_resource_of_the_state() -> None:
    """CloudFormation would make a new, empty table, and point everything at it: deletion protection does not help."""
    modify, protect = json.loads((STACKS / "state-policy.json").read_text())["Statement"]
    assert (modify["Effect"], modify["Action"], modify["Resource"]) == ("Allow", "Update:Modify", "*")
    assert (protect["Effect"], set(protect["Action"])) == ("Deny", {"Update:Replace", "Update:Delete"})
    assert protect["Resource"] == "*"


@pytest.mark.parametrize("name", ["PublishedCheckpoints", "Archive"])
def test_a_checkpoint_and_an_archived_order_cannot_be_changed_by_anybody(of_type: OfType, name: str) -> None:
    """Object Lock in compliance mode: neither by the function that wrote it nor by an administrator."""
    bucket = of_type("S3::Bucket")[name]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"] == {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 10}}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


class _Table:
    """A client of DynamoDB that keeps the item of the last put."""

    def __init__(self) -> None:
        self.item: dict[str, Any] = {}

    def put_item(self, **call: Any) -> None:
        self.item = call["Item"]


def test_documents_expire_by_the_attribute_that_the_store_writes(of_type: OfType) -> None:
    """Otherwise tickets and positions of couriers would be kept for ever."""
    table: Any = _Table()
    DynamoDbDocuments(table, "documents").put(Document("a", "b", {}, expires_s=1_800_000_000), None)
    expiry = of_type("DynamoDB::Table")["Documents"]["TimeToLiveSpecification"]
    assert expiry["Enabled"] is True
    assert table.item[expiry["AttributeName"]] == {"N": "1800000000"}


def test_the_log_has_backups_deletion_protection_and_a_stream(of_type: OfType) -> None:
    """The stream has the old images, so that an overwrite is visible."""
    events = of_type("DynamoDB::Table")["Events"]
    assert events["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert events["DeletionProtectionEnabled"] is True
    assert events["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_data_keys_have_no_backups(of_type: OfType) -> None:
    """A backup could restore a destroyed key, and with it erased data. A stream would be a copy too."""
    keys = of_type("DynamoDB::Table")["DataKeys"]
    assert not {"PointInTimeRecoverySpecification", "StreamSpecification"} & set(keys)
    assert keys["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize("table", ["Events", "Documents", "DataKeys"])
def test_tables_are_paid_by_the_request(of_type: OfType, table: str) -> None:
    """Orders come at noon and in the evening, which fixed capacity does not fit."""
    assert of_type("DynamoDB::Table")[table]["BillingMode"] == "PAY_PER_REQUEST"


def test_buckets_are_private(of_type: OfType) -> None:
    """And they require TLS. Pictures are public through the API alone."""
    for bucket in of_type("S3::Bucket").values():
        assert all(bucket["PublicAccessBlockConfiguration"].values())
    policies = of_type("S3::BucketPolicy").values()
    assert {named(policy["Bucket"]) for policy in policies} == set(of_type("S3::Bucket"))
    for policy in policies:
        refused = policy["PolicyDocument"]["Statement"]
        assert {statement["Effect"] for statement in refused} == {"Deny"}
        assert refused[0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_exports_are_kept_for_a_day_and_their_links_for_minutes(of_type: OfType) -> None:
    """Whatever a presigned address says, the bucket refuses a signature that is older than a link may be."""
    [rule] = of_type("S3::Bucket")["Exports"]["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["ExpirationInDays"]) == ("Enabled", 1)
    _, refused = of_type("S3::BucketPolicy")["ExportsPolicy"]["PolicyDocument"]["Statement"]
    assert refused["Condition"] == {"NumericGreaterThan": {"s3:signatureAge": LINK_S * 1000}}
    assert refused["Resource"] == {"Fn::Sub": "${Exports.Arn}/*"}


# --- log lines --------------------------------------------------------------------------------------------------------


def test_log_lines_are_kept_for_as_long_as_the_parameter_says(of_type: OfType) -> None:
    """Log groups that the services create themselves would keep log lines for ever."""
    assert {named(group["RetentionInDays"]) for group in of_type("Logs::LogGroup").values()} == {"LogRetentionDays"}


def test_every_function_machine_and_api_writes_to_a_group_of_the_stack(of_type: OfType) -> None:
    """Functions write JSON, whose fields the metric filters read."""
    groups = {
        **{name: function["LoggingConfig"]["LogGroup"] for name, function in of_type("Lambda::Function").items()},
        **{name: _destination(machine) for name, machine in of_type("StepFunctions::StateMachine").items()},
        **{name: api["AccessLogSettings"]["DestinationArn"] for name, api in of_type("ApiGatewayV2::Stage").items()},
    }
    assert {named(group).removesuffix(".Arn") for group in groups.values()} == set(of_type("Logs::LogGroup"))
    formats = {function["LoggingConfig"]["LogFormat"] for function in of_type("Lambda::Function").values()}
    assert formats == {"JSON"}


def test_task_tokens_are_not_logged(of_type: OfType) -> None:
    """With a token from a log, a reader could answer for a restaurant."""
    for machine in of_type("StepFunctions::StateMachine").values():
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_every_function_and_machine_is_traced(of_type: OfType) -> None:
    """From the request to the machine and its steps. The stream carries no trace, so its two functions have no
    segments: they take the trace from the order's commits.
    """
    modes = {name: function["TracingConfig"]["Mode"] for name, function in of_type("Lambda::Function").items()}
    on_stream = {mapping["FunctionName"]["Ref"] for mapping in _mappings_of_streams(of_type)}
    assert {name for name, mode in modes.items() if mode == "PassThrough"} == {"Feed", "Publisher"}
    assert {f"{name}Aliaslive" for name in ("Feed", "Publisher")} == on_stream
    assert set(modes.values()) == {"Active", "PassThrough"}
    machines = of_type("StepFunctions::StateMachine").values()
    assert all(machine["TracingConfiguration"] == {"Enabled": True} for machine in machines)


def _mappings_of_streams(of_type: OfType) -> list[dict[str, Any]]:
    return [mapping for mapping in of_type("Lambda::EventSourceMapping").values() if "StartingPosition" in mapping]


def _destination(machine: dict[str, Any]) -> Any:
    (destination,) = machine["LoggingConfiguration"]["Destinations"]
    return destination["CloudWatchLogsLogGroup"]["LogGroupArn"]
