"""Errors that end a command: one line on stderr with what is wrong and what to do, and a stable exit code."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from domain.picklable import Picklable


class Exit(IntEnum):
    """Exit codes. Scripts rely on them: add, never renumber. ``main`` prints this table in its help."""

    OK = 0
    NO = 1  # refused, not finished, or problems were found
    USAGE = 2  # an option, a value, a file or a folder that cannot be used
    UNREACHABLE = 3  # no engine answers at the address
    ACCESS_DENIED = 4  # no token, an expired one, or one of another engine
    BUG = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130  # Ctrl-C, as shells count it


class CommandFailed(Picklable, Exception):
    """Ends a command. The message is for a person: what is wrong, then what to do next.

    Args:
        details: More facts for ``--json``, e.g. the name of the API's problem.
    """

    code = Exit.NO

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details or {}


class CommandRefused(CommandFailed):
    """The request was understood and refused, or its result is a failure."""


class InvalidInput(CommandFailed):
    """An option, a value, a file or a folder cannot be used."""

    code = Exit.USAGE


class Unreachable(CommandFailed):
    """No engine, or no AWS service, answers at the address."""

    code = Exit.UNREACHABLE


class AccessDenied(CommandFailed):
    """The engine or AWS does not accept the token or the credentials."""

    code = Exit.ACCESS_DENIED
