"""Pickling of exceptions that make their message from facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Picklable(BaseException):
    """Base of exceptions whose constructor takes facts instead of a message.

    Python restores an exception by calling its class with the message, which such a constructor misunderstands. Here
    message and attributes are restored without it, so that a worker process can raise the exception in its parent.
    """

    def __reduce__(self) -> tuple[Callable[..., BaseException], tuple[Any, ...], dict[str, Any]]:
        return _restored, (type(self), self.args), self.__dict__


def _restored(cls: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    exception = cls.__new__(cls)
    exception.args = args
    return exception
