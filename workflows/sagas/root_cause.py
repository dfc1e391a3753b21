"""The error that a failed task or execution began with."""

from __future__ import annotations

import json


def root_cause(error: str, cause: str) -> tuple[str, str]:
    """Return the error that a fault began with, and its message.

    The cause of a failed child execution is JSON with the child's error and cause; that of a function is its exception.
    """
    try:
        inner = json.loads(cause)
    except ValueError:
        return error, cause
    if not isinstance(inner, dict):
        return error, cause
    if "errorType" in inner:
        return str(inner["errorType"]), str(inner.get("errorMessage", ""))
    return root_cause(str(inner["Error"]), str(inner.get("Cause", ""))) if "Error" in inner else (error, cause)
