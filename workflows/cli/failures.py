"""How the command line says no: one line on stderr that names what is wrong and what to do, and a stable exit code."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. Scripts rely on them: add, never renumber. ``main`` prints this table in its help."""

    OK = 0
    NO = 1  # the answer is no: problems were found, or the engine refused
    USAGE = 2  # a flag, a value, a file or a folder that cannot be used
    UNREACHABLE = 3  # no engine answers there
    ACCESS_DENIED = 4  # no token, one that has expired, or one of another engine
    INTERRUPTED = 130  # Ctrl-C, as shells count it


class CommandFailed(Exception):
    """Ends a command. The message is for a person: what is wrong, then what to do next."""

    code = Exit.NO


class CommandRefused(CommandFailed):
    """Expediter understood, and the answer is no."""


class InvalidInput(CommandFailed):
    """What was given cannot be used."""

    code = Exit.USAGE


class Unreachable(CommandFailed):
    """Nobody answers at the engine's address."""

    code = Exit.UNREACHABLE


class AccessDenied(CommandFailed):
    """The engine does not take the token."""

    code = Exit.ACCESS_DENIED
