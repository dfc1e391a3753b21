"""The settings of a breaker and the environment variables that change them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from workflows.breakers.dependencies import Dependency
from workflows.breakers.settings import DEFAULTS, read_breakers
from workflows.sagas.steps.payment import TIMEOUT_S
from workflows.settings import SettingsRefused, read

MACHINES = Path(__file__).parents[2] / "statemachines"


def test_a_variable_changes_one_number_of_one_circuit():
    """All other settings keep their defaults, and unrelated variables are ignored."""
    settings = read(
        {"EXPEDITER_BREAKER_PAYMENTS_WINDOW_S": "90", "EXPEDITER_BREAKER_KITCHEN_FAILURE_RATE": "0.25", "PATH": "/bin"},
        read_breakers,
    )
    assert settings[Dependency.PAYMENTS].window_s == 90
    assert settings[Dependency.KITCHEN].failure_rate == 0.25
    assert settings[Dependency.COURIERS] == DEFAULTS[Dependency.COURIERS]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("PAYMENTS_WINDOW_S", "0", "is '0': give a whole number above zero"),
        ("PAYMENTS_WINDOW_S", "1.5", "is '1.5': give a whole number above zero"),
        ("PAYMENTS_FAILURES_MIN", "many", "is 'many': give a whole number above zero"),
        ("PAYMENTS_FAILURE_RATE", "1.5", "is 1.5: a share of calls is at most 1"),
        ("COURIERS_PROBE_INTERVAL_S", "-1", "is '-1': give a number above zero"),
        ("COURIERS_RELEASE_PER_S", "inf", "is 'inf': give a number above zero"),
        ("COURIERS_SLOW_S", "nan", "is 'nan': give a number above zero"),
        ("COURIERS_SLOW_SECONDS", "1", "is not a setting"),
        ("BANK_SLOW_S", "1", "is not a setting"),
    ],
)
def test_an_invalid_setting_is_refused_with_the_name_of_its_variable(name: str, text: str, problem: str):
    """A wrong value that is silently ignored would be noticed only in an outage."""
    variable = f"EXPEDITER_BREAKER_{name}"
    with pytest.raises(SettingsRefused, match=f"^{variable} {problem}"):
        read({variable: text}, read_breakers)


def test_a_probe_lease_is_longer_than_the_longest_call():
    """Otherwise a second probe could start while the first is still running."""
    for settings in DEFAULTS.values():
        assert settings.probe_lease_s > TIMEOUT_S > settings.slow_s


@pytest.mark.parametrize(
    ("dependency", "machine", "error"),
    [
        (Dependency.PAYMENTS, "payment", "PaymentsUnavailable"),
        (Dependency.KITCHEN, "preparation", "KitchenUnavailable"),
        (Dependency.COURIERS, "delivery", "CouriersUnavailable"),
    ],
)
def test_a_lone_order_opens_the_circuit_before_its_machine_gives_up(dependency: Dependency, machine: str, error: str):
    """It meets the open circuit on its last attempt at the latest, and waits instead of being parked."""
    text = (MACHINES / f"{machine}.asl.yaml").read_text()
    attempts = [1 + int(retries) for retries in re.findall(rf"ErrorEquals: \[.*{error}.*MaxAttempts: (\d+)", text)]
    assert attempts
    assert DEFAULTS[dependency].failures_min < min(attempts)
