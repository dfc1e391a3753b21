"""Read a whole log: every stream decoded and verified, on as many cores as there are.

``histories`` reads in this process. ``converted`` divides the log into shares, and processes of its own convert each
history where it was decoded, because sending a history to another process costs more than decoding it: what
``convert`` returns should be small.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias, TypeVar

from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import ChainBroken, History
from workflows.event_store.event_log import EventLog, Place, Share, place_after
from workflows.event_store.worker_processes import worker_pool

R = TypeVar("R")

_SHARES_A_CORE = 4  # so that all cores have work until the end, although shares differ in size
_STREAMS_AT_ONCE = 200  # histories that a process converts before it sends the results


@dataclass(frozen=True, slots=True)
class BrokenStream:
    """A stream that cannot be verified or decoded; ``audit verify`` explains it."""

    stream: str
    error: ChainBroken | Undecodable


Replayed: TypeAlias = History | BrokenStream
OpenLog: TypeAlias = Callable[[], AbstractContextManager[EventLog]]


def histories(log: EventLog, after: Place | None = None, share: Share | None = None) -> Iterator[Replayed]:
    """Yield every stream of the log, or of a share of it, verified and decoded. Raises StreamUnavailable."""
    for stream, commits in groupby(log.scan(after, share), key=lambda commit: commit.pk):
        try:
            yield log.replay(stream, commits)
        except (ChainBroken, Undecodable):
            yield _read_again(log, stream)


def converted(open_log: OpenLog, convert: Callable[[Replayed], R], *, cores: int | None = None) -> Iterator[R]:
    """Yield ``convert(history)`` of every stream, in any order, in memory that does not grow with the log.

    With one core everything runs in this process. Otherwise ``open_log``, ``convert`` and its results are pickled, so
    both are functions of a module, or a ``partial`` of one.

    Args:
        open_log: Opens the log for reading. Each process opens it once.
        cores: Processes to run; None: one for each core that this process may use.

    Raises:
        StreamUnavailable: The log could not be read.
        BrokenProcessPool: A process ended.
    """
    cores = cores or len(os.sched_getaffinity(0))
    if cores == 1:
        with open_log() as log:
            yield from map(convert, histories(log))
        return
    with open_log() as log:
        shares = log.shares(cores * _SHARES_A_CORE)
    pool = worker_pool(cores, _open, open_log)
    try:
        pending = {pool.submit(_convert, convert, share, None): share for share in shares}
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                share = pending.pop(future)
                results, last = future.result()
                if last is not None:
                    pending[pool.submit(_convert, convert, share, last)] = share
                yield from results
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _read_again(log: EventLog, stream: str) -> Replayed:
    """Read one stream consistently: a scan may lag behind the log, or may have read the stream while it grew."""
    try:
        return log.load(stream)
    except (ChainBroken, Undecodable) as error:
        return BrokenStream(stream, error)


# --- in a process of the pool ----------------------------------------------------------------------------------------

_opened: list[EventLog] = []
_until_exit = ExitStack()


def _open(open_log: OpenLog) -> None:
    _opened.append(_until_exit.enter_context(open_log()))


def _convert(convert: Callable[[Replayed], R], share: Share, after: Place | None) -> tuple[list[R], Place | None]:
    """Convert the next streams of a share. Returns the results, and the last place read unless the share ended."""
    results: list[R] = []
    for replayed in histories(_opened[0], after, share):
        results.append(convert(replayed))
        if len(results) == _STREAMS_AT_ONCE:
            return results, place_after(replayed.stream)
    return results, None
