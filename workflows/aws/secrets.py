"""The credentials of the providers: one secret in Secrets Manager, a JSON object from provider to token.

It is read once in five minutes, so a rotated secret is used after that at the latest; until then the old one must be
valid too, which is how rotation works there. Where there is no answer, what was read last is used on: an outage of
Secrets Manager must not become one of the payments.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workflows.aws.transient_errors import no_answer_as

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHED_S = 300.0

_log = logging.getLogger(__name__)


class CredentialsUnavailable(Exception):
    """No answer from Secrets Manager, and nothing was read before. Retryable: yes."""


class CredentialMissing(LookupError):
    """The secret has no token for a provider. Retryable: once somebody added it; it is read again in five minutes."""


class _Secret:
    """Threads may share it; one of them reads again, and the others wait for it."""

    def __init__(self, client: SecretsManagerClient, arn: str, now: Callable[[], float]) -> None:
        self._client = client
        self._arn = arn
        self._now = now
        self._kept: Mapping[str, str] | None = None
        self._read_at = 0.0
        self._gate = threading.Lock()

    def __call__(self, provider: str) -> str:
        """The token of a provider, by its name. Raises CredentialsUnavailable, CredentialMissing."""
        token = self._tokens().get(provider)
        if not isinstance(token, str) or not token:
            raise CredentialMissing(f"the secret {self._arn} has no token for {provider}")
        return token

    def _tokens(self) -> Mapping[str, str]:
        with self._gate:
            if self._kept is None or not 0 <= self._now() - self._read_at < CACHED_S:
                self._read()
            assert self._kept is not None  # else reading it raised
            return self._kept

    def _read(self) -> None:
        try:
            with no_answer_as(CredentialsUnavailable):
                text = self._client.get_secret_value(SecretId=self._arn)["SecretString"]
        except CredentialsUnavailable:
            if self._kept is None:
                raise
            _log.warning("no answer from Secrets Manager: going on with the credentials read before")
        else:
            self._kept = _object(text, self._arn)
        self._read_at = self._now()


def provider_credentials(
    client: SecretsManagerClient, secret_arn: str, now: Callable[[], float] = time.time
) -> Callable[[str], str]:
    """What to call with ``payments``, ``kitchen`` or ``couriers`` for the token. ``now`` counts seconds."""
    return _Secret(client, secret_arn, now)


def _object(text: str, arn: str) -> Mapping[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise CredentialMissing(f"the secret {arn} is no JSON object from provider to token")
    return found
