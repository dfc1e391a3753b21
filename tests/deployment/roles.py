"""The deployed roles, assumed by the tests to find out what they allow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.config import Config

from tests.deployment.deployer import Account
from tests.deployment.deployment import Deployment

NO_KEY = {"pk": {"S": "missing"}}
NO_COMMIT = {**NO_KEY, "sk": {"N": "1"}}
NO_DOCUMENT = {**NO_KEY, "sk": {"S": "nothing"}}
NO_KEYS_BLOB = b"no key wrapped this"

Client = Any
Call = Callable[[Client, str], object]


def key_in(table: str) -> Mapping[str, Any]:
    """Build the key of an item that does not exist."""
    return NO_COMMIT if "-Events-" in table else NO_DOCUMENT if "-Documents-" in table else NO_KEY


def never(**call: Any) -> dict[str, Any]:
    """Build a write whose condition does not hold: it is allowed and changes nothing."""
    return {**call, "ConditionExpression": "attribute_exists(pk)"}


NO_JSON = "{"
"""An input that no execution can begin with. MiniStack notices when it has begun, AWS before."""

CALLS: Mapping[str, Call] = {
    "dynamodb:GetItem": lambda dynamodb, table: dynamodb.get_item(TableName=table, Key=key_in(table)),
    "dynamodb:Query": lambda dynamodb, table: dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": NO_KEY["pk"]},
    ),
    "dynamodb:Scan": lambda dynamodb, table: dynamodb.scan(TableName=table, Limit=1),
    "dynamodb:PutItem": lambda dynamodb, table: dynamodb.put_item(**never(TableName=table, Item=key_in(table))),
    "dynamodb:UpdateItem": lambda dynamodb, table: dynamodb.update_item(**never(TableName=table, Key=key_in(table))),
    "dynamodb:DeleteItem": lambda dynamodb, table: dynamodb.delete_item(**never(TableName=table, Key=key_in(table))),
    "dynamodb:BatchWriteItem": lambda dynamodb, table: dynamodb.batch_write_item(
        RequestItems={table: [{"DeleteRequest": {"Key": key_in(table)}}]}
    ),
    "dynamodb:DeleteTable": lambda dynamodb, table: dynamodb.delete_table(TableName=table),
    "kms:GenerateDataKey": lambda kms, key: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
    "kms:Decrypt": lambda kms, key: kms.decrypt(KeyId=key, CiphertextBlob=NO_KEYS_BLOB),
    "kms:Encrypt": lambda kms, key: kms.encrypt(KeyId=key, Plaintext=b"anything"),
    "kms:ScheduleKeyDeletion": lambda kms, key: kms.schedule_key_deletion(KeyId=key),
    "secretsmanager:GetSecretValue": lambda secrets, secret: secrets.get_secret_value(SecretId=secret),
    "secretsmanager:PutSecretValue": lambda secrets, secret: secrets.put_secret_value(
        SecretId=secret, SecretString="{}"
    ),
    "sqs:SendMessage": lambda sqs, queue: sqs.send_message(QueueUrl=queue, MessageBody="{}"),
    "sqs:ReceiveMessage": lambda sqs, queue: sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0),
    "sqs:DeleteMessage": lambda sqs, queue: sqs.delete_message(QueueUrl=queue, ReceiptHandle="of no message"),
    "sqs:GetQueueAttributes": lambda sqs, queue: sqs.get_queue_attributes(QueueUrl=queue),
    "sqs:PurgeQueue": lambda sqs, queue: sqs.purge_queue(QueueUrl=queue),
    "sns:Publish": lambda sns, topic: sns.publish(TopicArn=topic, Message="{}"),
    "events:PutEvents": lambda events, bus: events.put_events(
        Entries=[{"EventBusName": bus, "Source": "no.listener", "DetailType": "nothing", "Detail": "{}"}]
    ),
    "s3:PutObject": lambda s3, bucket: s3.put_object(Bucket=bucket, Key="a-test", Body=b""),
    "s3:GetObject": lambda s3, bucket: s3.get_object(Bucket=bucket, Key="a-test"),
    "states:StartExecution": lambda states, machine: states.start_execution(stateMachineArn=machine, input=NO_JSON),
    "states:StartSyncExecution": lambda states, machine: states.start_sync_execution(
        stateMachineArn=machine, input=NO_JSON
    ),
    "states:StopExecution": lambda states, machine: states.stop_execution(executionArn=execution_of(machine)),
    "states:DescribeExecution": lambda states, machine: states.describe_execution(executionArn=execution_of(machine)),
    "states:GetExecutionHistory": lambda states, machine: states.get_execution_history(
        executionArn=execution_of(machine)
    ),
    "states:DescribeStateMachine": lambda states, machine: states.describe_state_machine(stateMachineArn=machine),
    "lambda:InvokeFunction": lambda functions, name: functions.invoke(
        FunctionName=f"{name}:live", InvocationType="DryRun"
    ),
    "lambda:UpdateFunctionCode": lambda functions, name: functions.update_function_code(
        FunctionName=name, ZipFile=b"nothing", DryRun=True
    ),
    "cognito-idp:AdminGetUser": lambda cognito, pool: cognito.admin_get_user(UserPoolId=pool, Username="nobody"),
    "cognito-idp:AdminAddUserToGroup": lambda cognito, pool: cognito.admin_add_user_to_group(
        UserPoolId=pool, Username="nobody", GroupName="support"
    ),
    "cognito-idp:AdminSetUserMFAPreference": lambda cognito, pool: cognito.admin_set_user_mfa_preference(
        UserPoolId=pool, Username="nobody", SoftwareTokenMfaSettings={"Enabled": False}
    ),
}
"""A call of each operation on a resource. None of them changes anything, whether it is allowed or not."""


def execution_of(machine: str) -> str:
    """Build the ARN of an execution that was never started."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:missing"


class Roles:
    """Makes calls as the deployed roles."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._accounts: dict[str, Account] = {}
        self._clients: dict[tuple[str, str], Client] = {}

    def call(self, role: str, operation: str, resource: str) -> object:
        """Make a call as a role. ``role`` and ``resource`` are logical ids.

        Raises:
            ClientError: The service refused the call.
        """
        service = operation.partition(":")[0]
        if (role, service) not in self._clients:
            name = {"states": "stepfunctions"}.get(service, service)
            no_prefix = Config(inject_host_prefix=False)  # no prefix "sync-" before the host for startSyncExecution
            self._clients[role, service] = self._account(role).client(name, no_prefix)
        return CALLS[operation](self._clients[role, service], self._deployment.resources[resource])

    def would_allow(self, role: str, operation: str, resource_arn: str) -> bool:
        """Ask IAM's policy simulator, for calls that MiniStack does not check against their resource."""
        iam = self._deployment.root.client("iam")
        arn = iam.get_role(RoleName=self._deployment.resources[role])["Role"]["Arn"]
        [result] = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[operation], ResourceArns=[resource_arn]
        )["EvaluationResults"]
        return bool(result["EvalDecision"] == "allowed")

    def _account(self, role: str) -> Account:
        if role not in self._accounts:
            self._accounts[role] = self._assumed(self._deployment.resources[role])
        return self._accounts[role]

    def _assumed(self, name: str) -> Account:
        """Assume a role. Roles trust only their service, so the tests are added to its trust policy.

        The permissions of the role stay unchanged.
        """
        root = self._deployment.root
        iam, sts = root.client("iam"), root.client("sts")
        role = iam.get_role(RoleName=name)["Role"]
        trust = role["AssumeRolePolicyDocument"]
        tester = {"Effect": "Allow", "Principal": {"AWS": sts.get_caller_identity()["Arn"]}, "Action": "sts:AssumeRole"}
        trust = {**trust, "Statement": [*trust["Statement"], tester]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        taken = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="tests")["Credentials"]
        return Account(
            url=root.url, key=taken["AccessKeyId"], secret=taken["SecretAccessKey"], token=taken["SessionToken"]
        )
