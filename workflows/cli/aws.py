"""AWS from the command line: clients with long timeouts, and error messages that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from workflows.cli.failures import AccessDenied, CommandRefused, InvalidInput, Unreachable

if TYPE_CHECKING:
    from botocore.config import Config

_NOT_THERE = {"ResourceNotFoundException", "NoSuchBucket", "ValidationError"}
_ACCESS_DENIED = {
    "AccessDenied", "AccessDeniedException", "AccessDeniedError", "ExpiredToken", "ExpiredTokenException",
    "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId",
}  # fmt: skip


def client(service: str, region: str | None = None, *, read_timeout_s: float = 60) -> Any:
    """Return a client with the caller's credentials and timeouts for a person on a slow connection."""
    from botocore.config import Config

    patience = Config(
        connect_timeout=5, read_timeout=read_timeout_s, retries={"mode": "standard", "total_max_attempts": 5}
    )
    return made(service, region, patience)


def made(service: str, region: str | None, config: Config) -> Any:
    """Return a client of boto3. Raises InvalidInput for an invalid endpoint, which boto3 reports as ValueError."""
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]  # any service
    except BotoCoreError:
        raise
    except ValueError as error:
        raise InvalidInput(f"AWS cannot be called: {error}; see AWS_ENDPOINT_URL") from None


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn errors of boto3 about ``what`` into CommandFailed with a message that says what to do."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 - botocore's name; the builtin is not used here
        HTTPClientError,
        NoCredentialsError,
        NoRegionError,
    )
    from botocore.parsers import ResponseParserError

    try:
        yield
    except NoCredentialsError:
        raise AccessDenied(f"no AWS credentials for {what}: set AWS_PROFILE, or log in with aws sso login") from None
    except NoRegionError:
        raise InvalidInput(f"no AWS region for {what}: set AWS_REGION") from None
    except (HTTPClientError, ConnectionError) as error:
        raise Unreachable(f"AWS does not answer for {what}: {error}") from None
    except ResponseParserError:
        raise Unreachable(f"the server that answers for {what} is not AWS; see AWS_ENDPOINT_URL") from None
    except ClientError as error:
        code, said = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if code in _ACCESS_DENIED:
            raise AccessDenied(f"AWS denies you access to {what}: {said or code}") from None
        if code in _NOT_THERE:
            raise InvalidInput(f"{what} does not exist: {said or code}; is it in another region or account?") from None
        raise CommandRefused(f"AWS refuses {what}: {said or code}") from None
    except BotoCoreError as error:
        raise InvalidInput(f"{what} cannot be read: {error}") from None
