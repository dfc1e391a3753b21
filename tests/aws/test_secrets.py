"""The providers' credentials: read once in five minutes, renewed after a rotation, kept in an outage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from workflows.aws import clients
from workflows.aws.secrets import CACHED_S, CredentialMissing, CredentialsUnavailable, secret_values


class Seconds:
    def __init__(self) -> None:
        self.passed = 1_000_000.0

    def __call__(self) -> float:
        return self.passed


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def secret(moto) -> str:
    text = json.dumps({"payments": "p-1", "kitchen": "k-1"})
    return clients.secrets_manager().create_secret(Name="providers", SecretString=text)["ARN"]


@pytest.fixture
def calls(secret) -> list[str]:
    """Return a list to which every call to Secrets Manager is added."""
    seen: list[str] = []
    clients.secrets_manager().meta.events.register("provide-client-params", lambda model, **_: seen.append(model.name))
    return seen


def test_each_provider_has_its_own_token_and_the_secret_is_read_once(secret, calls, seconds):
    """One read serves many orders."""
    credential = secret_values(clients.secrets_manager(), secret, seconds)
    assert calls == []
    assert [credential("payments"), credential("kitchen"), credential("payments")] == ["p-1", "k-1", "p-1"]
    assert calls == ["GetSecretValue"]


def test_a_rotated_secret_is_used_after_five_minutes(secret, seconds):
    """Until then the old token is used, which stays valid during a rotation."""
    credential = secret_values(clients.secrets_manager(), secret, seconds)
    assert credential("payments") == "p-1"
    clients.secrets_manager().put_secret_value(SecretId=secret, SecretString=json.dumps({"payments": "p-2"}))
    seconds.passed += CACHED_S - 1
    assert credential("payments") == "p-1"
    seconds.passed += 1
    assert credential("payments") == "p-2"
    assert CACHED_S == 300


def silent(**_: Any) -> Any:
    raise ReadTimeoutError(endpoint_url="injected")


def test_an_outage_of_secrets_manager_does_not_stop_payments(secret, calls, seconds, next_time, caplog):
    """The credentials read last stay in use, and the next read is tried five minutes later."""
    credential = secret_values(clients.secrets_manager(), secret, seconds)
    credential("payments")
    seconds.passed += CACHED_S
    next_time(clients.secrets_manager(), "before-call.secretsmanager.GetSecretValue", silent)
    assert credential("payments") == credential("payments") == "p-1"
    assert "the credentials read before stay in use" in caplog.text
    seconds.passed += CACHED_S
    assert credential("payments") == "p-1"
    assert len(calls) == 3


def test_without_any_answer_so_far_there_is_no_token(secret, seconds, next_time):
    """The failure is retryable and not cached."""
    credential = secret_values(clients.secrets_manager(), secret, seconds)
    next_time(clients.secrets_manager(), "before-call.secretsmanager.GetSecretValue", silent)
    with pytest.raises(CredentialsUnavailable):
        credential("payments")
    assert credential("payments") == "p-1"


@pytest.mark.parametrize("text", ["p-1", '["p-1"]', '{"payments": ""}', '{"payments": {"token": "p-1"}}', "{}"])
def test_a_secret_without_a_token_is_refused_with_the_name_of_the_provider(secret, seconds, text: str):
    """The error never contains the content of the secret."""
    clients.secrets_manager().put_secret_value(SecretId=secret, SecretString=text)
    credential = secret_values(clients.secrets_manager(), secret, seconds)
    with pytest.raises(CredentialMissing) as refusal:
        credential("payments")
    assert "p-1" not in str(refusal.value)


def test_a_missing_secret_is_a_permanent_error(secret, seconds):
    """A retry does not help."""
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        secret_values(clients.secrets_manager(), "no-such-secret", seconds)("payments")
