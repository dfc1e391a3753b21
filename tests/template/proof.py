"""What proved each type of resource: the table of docs/deploying.md. ``python -m tests.template.proof`` writes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from tests.template.translated import REPOSITORY, STATE, TEMPLATE, WATCHING, translated

DOCUMENT = REPOSITORY / "docs" / "deploying.md"

_PLACE = re.compile(r"(<!-- proof -->\n\n).*?(\n\n<!-- end -->)", re.S)


class Proof(Enum):
    """From the strongest to the weakest. Nothing here was deployed to AWS itself."""

    REAL = "deployed to the emulator, and real software here"
    EMULATOR = "deployed to the emulator"
    LINTERS = "linters and tests of the template only"


class Proved(NamedTuple):
    """``shown`` says by what and how far."""

    by: Proof
    shown: str


PROVED: Mapping[str, Proved] = {
    "AWS::ApiGatewayV2::Api": Proved(
        Proof.EMULATOR,
        "routes, tokens and integrations; the emulator ignores `Body` and CORS, so its routes are made from it",
    ),
    "AWS::ApiGatewayV2::Stage": Proved(Proof.EMULATOR, "answers; limits of routes and the access log are not emulated"),
    "AWS::CloudWatch::Alarm": Proved(
        Proof.EMULATOR,
        "created, if on one metric; none changes its state there, and those on several metrics are left out",
    ),
    "AWS::CloudWatch::Dashboard": Proved(Proof.EMULATOR, "created; a test compares its metrics with AWS's lists"),
    "AWS::CodeDeploy::Application": Proved(Proof.LINTERS, "the emulator refuses templates with it"),
    "AWS::CodeDeploy::DeploymentGroup": Proved(
        Proof.LINTERS, "the emulator refuses templates with it, and moves aliases at once"
    ),
    "AWS::Cognito::UserPool": Proved(
        Proof.EMULATOR,
        "users, groups, passwords and tokens; the second factor rules ID tokens there, on AWS access tokens too",
    ),
    "AWS::Cognito::UserPoolClient": Proved(Proof.EMULATOR, "logins and refreshed tokens"),
    "AWS::Cognito::UserPoolGroup": Proved(Proof.EMULATOR, "the role in a token"),
    "AWS::DynamoDB::Table": Proved(
        Proof.REAL,
        "conditions, transactions and sizes on AWS's DynamoDB Local; streams, restore and permissions in the emulator",
    ),
    "AWS::Events::Archive": Proved(Proof.LINTERS, "the emulator refuses templates with it"),
    "AWS::Events::EventBus": Proved(Proof.EMULATOR, "events of orders arrive"),
    "AWS::Events::Rule": Proved(
        Proof.EMULATOR,
        "patterns, messages and targets; calls by hand come from CloudTrail, whose records the drill makes itself",
    ),
    "AWS::IAM::ManagedPolicy": Proved(
        Proof.EMULATOR, "each allowed and forbidden call of each role, see tests/deployment/test_roles.py"
    ),
    "AWS::IAM::Role": Proved(Proof.EMULATOR, "likewise"),
    "AWS::KMS::Key": Proved(Proof.EMULATOR, "data keys and signatures; that services ask its policy is not emulated"),
    "AWS::Lambda::Alias": Proved(Proof.EMULATOR, "all calls go through them, and a rollback moves them back"),
    "AWS::Lambda::EventInvokeConfig": Proved(Proof.EMULATOR, "created"),
    "AWS::Lambda::EventSourceMapping": Proved(
        Proof.EMULATOR,
        "batches of streams and queues; failing batches by a model of what AWS documents (tests/handlers)",
    ),
    "AWS::Lambda::Function": Proved(
        Proof.REAL,
        "the shipped code under CPython here, with its variables and role; not arm64, memory and cold starts",
    ),
    "AWS::Lambda::Permission": Proved(Proof.EMULATOR, "created"),
    "AWS::Lambda::Version": Proved(
        Proof.EMULATOR, "one of each function a release, and those of the former code after a rollback"
    ),
    "AWS::Logs::LogGroup": Proved(Proof.EMULATOR, "created"),
    "AWS::Logs::MetricFilter": Proved(
        Proof.EMULATOR, "created; it counts nothing there, and a test compares its pattern with the code's lines"
    ),
    "AWS::S3::Bucket": Proved(
        Proof.EMULATOR, "objects and permissions; Object Lock that a template sets is ignored there"
    ),
    "AWS::S3::BucketPolicy": Proved(Proof.LINTERS, "it demands TLS, which the emulator does not have"),
    "AWS::SNS::Subscription": Proved(Proof.EMULATOR, "deliveries; with mail addresses or a database by linters"),
    "AWS::SNS::Topic": Proved(Proof.EMULATOR, "deliveries"),
    "AWS::SNS::TopicPolicy": Proved(Proof.EMULATOR, "created; that it is asked is not emulated"),
    "AWS::SQS::Queue": Proved(Proof.EMULATOR, "messages, and dead letters after five receives"),
    "AWS::SQS::QueuePolicy": Proved(Proof.EMULATOR, "created; that it is asked is not emulated"),
    "AWS::Scheduler::Schedule": Proved(Proof.EMULATOR, "created; its functions are invoked by tests"),
    "AWS::SecretsManager::Secret": Proved(Proof.EMULATOR, "credentials of providers, and the address of the database"),
    "AWS::StepFunctions::StateMachine": Proved(
        Proof.EMULATOR,
        "starts and permissions; definitions run on our own interpreter, held by AWS's recorded behaviour",
    ),
}


def table(types: Iterable[str]) -> str:
    """Make the table of the document from the type of each resource."""
    counted = sorted(Counter(types).items())
    rows = [f"| `{name}` | {number} | {PROVED[name].by.value} | {PROVED[name].shown} |" for name, number in counted]
    return "\n".join(
        ["| type | resources | proved by | what was shown, and what was not |", "|---|---:|---|---|", *rows]
    )


def with_table(text: str, types: Iterable[str]) -> str:
    """Return the document with its table made again."""
    made = table(types)
    return _PLACE.sub(lambda place: place[1] + made + place[2], text)


if __name__ == "__main__":
    deployed = [each["Type"] for file in (STATE, TEMPLATE, WATCHING) for each in translated(file)["Resources"].values()]
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), deployed))
