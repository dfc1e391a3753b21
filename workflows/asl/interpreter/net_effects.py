"""The effects of one signal without those that the same signal made pointless."""

from __future__ import annotations

from typing import assert_never

from workflows.asl.interpreter.execution import Execution
from workflows.asl.signals import (
    CancelTimer,
    Effect,
    EndExecution,
    ExecutionStatus,
    InvokeFunction,
    SetTimer,
    StartExecution,
    StopExecution,
)

_ENDING = {StopExecution, CancelTimer, EndExecution}


def net_effects(execution: Execution, effects: list[Effect]) -> list[Effect]:
    """Leave out calls and timers that the same signal began and gave up again."""
    if _ENDING.isdisjoint(map(type, effects)):
        return effects
    new_calls = {effect.task for effect in effects if isinstance(effect, InvokeFunction | StartExecution)}
    new_timers = {effect.timer for effect in effects if isinstance(effect, SetTimer)}
    return [effect for effect in effects if _is_needed(execution, effect, new_calls, new_timers)]


def _is_needed(execution: Execution, effect: Effect, new_calls: set[int], new_timers: set[int]) -> bool:
    match effect:
        case InvokeFunction(task=task) | StartExecution(task=task):
            return task in execution.calls
        case StopExecution(task=task):
            return task not in new_calls
        case SetTimer(timer=timer):
            return timer in execution.timers
        case CancelTimer(timer=timer):
            return timer not in new_timers and execution.status is ExecutionStatus.RUNNING
        case EndExecution():
            return True
        case _:
            assert_never(effect)
