"""Deploy the stacks to an emulator by ``make deploy``, with ``sam.py`` in place of the SAM CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import boto3
from botocore.config import Config

from tests.deployment.emulator import REGION, REPOSITORY

ARTIFACTS = "expediter-artifacts"
CODE = "code.zip"
BAD_CODE = "bad.zip"
"""As a bad commit would ship it: the API of restaurants raises an error at every call."""

BROKEN = "handlers/preparation_api"
"""The module that is broken in it. An unreadable bytecode has Python read the source."""

CODE_OF_DEPLOYMENT = "EXPEDITER_CODE"
"""The variable with the name of the code that is deployed."""
DELETED_WITHIN_S = 60
STEP_FUNCTIONS = "EXPEDITER_STEP_FUNCTIONS"
"""The variable with the URL of the engine that runs the machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Credentials at an AWS endpoint. The default keys are the emulator's root user."""

    url: str
    key: str = "test"
    secret: str = "test"
    token: str | None = None

    def client(self, service: str, config: Config | None = None) -> Any:
        """Make boto3's client of a service."""
        make: Any = boto3.client  # its type requires the service's name as a literal
        return make(
            service,
            config=config,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The deployed stacks as one: physical ids by logical id, and all outputs."""

    resources: Mapping[str, str]
    outputs: Mapping[str, str]


def upload(account: Account, code: bytes) -> None:
    """Store the functions' code and that of a bad commit, as the SAM CLI does before it deploys."""
    s3 = account.client("s3")
    s3.create_bucket(Bucket=ARTIFACTS)
    s3.put_object(Bucket=ARTIFACTS, Key=CODE, Body=code)
    bad = BytesIO(code)
    with ZipFile(bad, "a") as archive:  # a later entry of the same name replaces the earlier one
        directory, _, module = BROKEN.rpartition("/")
        archive.writestr(f"{directory}/__pycache__/{module}.{sys.implementation.cache_tag}.pyc", b"")
        archive.writestr(f"{BROKEN}.py", 'def handler(event, context):\n    raise RuntimeError("of a bad commit")\n')
    s3.put_object(Bucket=ARTIFACTS, Key=BAD_CODE, Body=bad.getvalue())


def make_deploy(
    account: Account, name: str, parameters: Mapping[str, str], *, step_functions: str, code: str = CODE
) -> Stack:
    """Run ``make deploy`` without its build, and read what it deployed.

    Raises:
        CalledProcessError: A stack was not deployed. Its output has the reason of each resource.
    """
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": account.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": account.key,
        "AWS_SECRET_ACCESS_KEY": account.secret,
        STEP_FUNCTIONS: step_functions,
        CODE_OF_DEPLOYMENT: code,
    }
    built = ("-o", "package", "-o", ".venv/installed")
    given = " ".join(f"{key}={value}" for key, value in parameters.items())
    deployed_by = f"DEPLOYED_BY={sys.executable} -m tests.deployment.sam"
    command = ["make", "--silent", *built, "deploy", f"STACK={name}", deployed_by, f"PARAMETERS={given}"]
    subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=sys.stderr, check=True)
    return _deployed(account, name)


def delete_engine(account: Account, name: str) -> None:
    """Delete what watches and the engine, as ``sam delete`` does, which cannot be run on the emulator."""
    formation = account.client("cloudformation")
    for stack in (f"{name}-watching", name):
        formation.delete_stack(StackName=stack)
        waiter = formation.get_waiter("stack_delete_complete")
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": DELETED_WITHIN_S})


def _deployed(account: Account, name: str) -> Stack:
    formation = account.client("cloudformation")
    resources: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for stack in (f"{name}-state", name, f"{name}-watching"):
        [described] = formation.describe_stacks(StackName=stack)["Stacks"]
        outputs.update({output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])})
        for resource in formation.describe_stack_resources(StackName=stack)["StackResources"]:
            resources[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    resources["Events"] = outputs["EventsTable"]  # the restored one, if there is one
    return Stack(resources=resources, outputs=outputs)
