"""A secret in Secrets Manager that is a JSON object: the tokens of the providers, or the database of the views.

The secret is read once in five minutes, so a rotated secret is used within five minutes; the old one must be valid
until then, as is usual with Secrets Manager. While Secrets Manager does not respond, the last secret stays in use: its
outage must not stop payments.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from workflows.aws.transient_errors import transient_as

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CACHED_S = 300.0

_log = logging.getLogger(__name__)


class CredentialsUnavailable(Exception):
    """Secrets Manager did not respond, and no secret was read before. Retryable: yes."""


class CredentialMissing(LookupError):
    """The secret has no text under a name. Retryable: yes, five minutes after it was added."""


class _Secret:
    """The secret, cached. Threads may share it: one reads it again, and the others wait."""

    def __init__(self, client: SecretsManagerClient, arn: str, now: Callable[[], float]) -> None:
        self._client = client
        self._arn = arn
        self._now = now
        self._kept: Mapping[str, str] | None = None
        self._read_at = 0.0
        self._gate = threading.Lock()

    def __call__(self, name: str) -> str:
        """Return the text under a name. Raises CredentialsUnavailable, CredentialMissing."""
        text = self._values().get(name)
        if not isinstance(text, str) or not text:
            raise CredentialMissing(f"the secret {self._arn} has no {name}")
        return text

    def _values(self) -> Mapping[str, str]:
        with self._gate:
            if self._kept is None or not 0 <= self._now() - self._read_at < CACHED_S:
                self._read()
            assert self._kept is not None  # otherwise _read has raised
            return self._kept

    def _read(self) -> None:
        try:
            with transient_as(CredentialsUnavailable):
                text = self._client.get_secret_value(SecretId=self._arn)["SecretString"]
        except CredentialsUnavailable:
            if self._kept is None:
                raise
            _log.warning("Secrets Manager did not respond; the credentials read before stay in use")
        else:
            self._kept = _object(text, self._arn)
        self._read_at = self._now()


def secret_values(
    client: SecretsManagerClient, secret_arn: str, now: Callable[[], float] = time.time
) -> Callable[[str], str]:
    """Return a function from a name in the secret, e.g. ``payments``, to its text. ``now`` returns seconds."""
    return _Secret(client, secret_arn, now)


def _object(text: str, arn: str) -> Mapping[str, str]:
    try:
        tokens = json.loads(text)
    except ValueError:
        tokens = None
    if not isinstance(tokens, dict):
        raise CredentialMissing(f"the secret {arn} is not a JSON object from names to texts")
    return tokens
