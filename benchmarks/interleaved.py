"""Measure several contenders in alternation, so that a busy moment of the machine affects all of them.

A contender makes a block of ``count`` calls and returns the time of the median call and the CPU time of the block.
Ratios are taken within a round, and their median is reported; it is not the ratio of two medians.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from statistics import median

from benchmarks.peers.answering import measured


@dataclass(frozen=True, slots=True)
class Block:
    """Wall time of the median call and CPU time of the mean call of this process, in microseconds."""

    wall_us: float
    cpu_us: float


Contender = Callable[[int], Block]

WARM_CALLS = 10


@dataclass(slots=True)
class Timing:
    """The blocks of one contender, one a round."""

    blocks: list[Block] = field(default_factory=list)

    @property
    def wall_us(self) -> float:
        return median(block.wall_us for block in self.blocks)

    @property
    def cpu_us(self) -> float:
        return median(block.cpu_us for block in self.blocks)

    def wall_ratio(self, to: Timing) -> float:
        return median(ours.wall_us / theirs.wall_us for ours, theirs in zip(self.blocks, to.blocks, strict=True))

    def cpu_ratio(self, to: Timing) -> float:
        return median(ours.cpu_us / theirs.cpu_us for ours, theirs in zip(self.blocks, to.blocks, strict=True))


def interleaved(contenders: Mapping[str, Contender], *, rounds: int, calls: int) -> dict[str, Timing]:
    """Measure each contender once a round, in random order, after one round that does not count."""
    timings = {name: Timing() for name in contenders}
    names, random = list(contenders), Random(1)
    for number in range(-1, rounds):
        random.shuffle(names)
        for name in names:
            block = contenders[name](calls)
            if number >= 0:
                timings[name].blocks.append(block)
    return timings


def block(prepare: Callable[[], Callable[[], object]], count: int) -> Block:
    """Measure a block of calls. ``prepare`` builds each call; neither it nor the first ten calls are measured."""
    for _ in range(WARM_CALLS):
        prepare()()
    return Block(**measured([prepare() for _ in range(count)]))
