"""AWS from the command line: clients with a person's patience, and what to say when AWS refuses or is not there."""

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
    """With the caller's credentials. A person waits, from anywhere in the world; a function would not."""
    from botocore.config import Config

    patience = Config(
        connect_timeout=5, read_timeout=read_timeout_s, retries={"mode": "standard", "total_max_attempts": 5}
    )
    return made(service, region, patience)


def made(service: str, region: str | None, config: Config) -> Any:
    """A client of boto3. Raises InvalidInput for an address that is none, which is no error of AWS's."""
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        return boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]  # any service
    except BotoCoreError:
        raise
    except ValueError as error:
        raise InvalidInput(f"AWS cannot be asked: {error}; see AWS_ENDPOINT_URL") from None


@contextmanager
def explained(what: str) -> Iterator[None]:
    """What boto3 raises about ``what``, as CommandFailed with a way out."""
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
        raise AccessDenied(
            f"no AWS credentials to ask for {what}: set AWS_PROFILE, or log in with aws sso login"
        ) from None
    except NoRegionError:
        raise InvalidInput(f"say where {what} is: set AWS_REGION") from None
    except (HTTPClientError, ConnectionError) as error:
        raise Unreachable(f"AWS does not answer for {what}: {error}") from None
    except ResponseParserError:
        raise Unreachable(f"somebody answers for {what}, but not as AWS does; see AWS_ENDPOINT_URL") from None
    except ClientError as error:
        code, said = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if code in _ACCESS_DENIED:
            raise AccessDenied(f"AWS does not let you at {what}: {said or code}") from None
        if code in _NOT_THERE:
            raise InvalidInput(f"{what} is not there: {said or code}; is it another region or account?") from None
        raise CommandRefused(f"AWS refuses {what}: {said or code}") from None
    except BotoCoreError as error:
        raise InvalidInput(f"{what} cannot be asked for: {error}") from None
