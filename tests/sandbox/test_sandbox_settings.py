"""The sandbox reads its settings from environment variables; a wrong one is refused by name at the start."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.money import Money
from workflows.sandbox.settings import NetworkSettings, SandboxSettings, read_sandbox
from workflows.settings import SettingsRefused, read


def test_without_variables_it_works_at_once_and_never_fails():
    """The defaults are those of the dataclasses."""
    assert read({}, read_sandbox) == SandboxSettings()


def test_variables_without_the_prefix_are_ignored():
    """The environment has many others."""
    assert read({"PATH": "/bin", "SANDBOX_PAYMENT_LIMITS": "no"}, read_sandbox) == SandboxSettings()


def test_every_variable_names_its_unit():
    """Seconds and rates; amounts name their currency."""
    settings = read(
        {
            "EXPEDITER_SANDBOX_PAYMENT_LATENCY_MIN_S": "0.05",
            "EXPEDITER_SANDBOX_PAYMENT_LATENCY_MAX_S": "0.25",
            "EXPEDITER_SANDBOX_PAYMENT_LOST_BEFORE_RATE": "0.01",
            "EXPEDITER_SANDBOX_PAYMENT_LOST_AFTER_RATE": "0.02",
            "EXPEDITER_SANDBOX_PAYMENT_REMEMBERS_S": "1800",
            "EXPEDITER_SANDBOX_PAYMENT_HOLDS_S": "3600",
            "EXPEDITER_SANDBOX_PAYMENT_LIMITS": "50.00 EUR, 7000 JPY",
            "EXPEDITER_SANDBOX_KITCHEN_COOKED_AFTER_S": "1.5",
            "EXPEDITER_SANDBOX_COURIER_UNDER_WAY_AFTER_S": "2",
        },
        read_sandbox,
    )
    assert settings.payment.network == NetworkSettings(
        latency_min_s=0.05, latency_max_s=0.25, lost_before_rate=0.01, lost_after_rate=0.02
    )
    assert settings.payment.remembers == timedelta(minutes=30)
    assert settings.payment.holds == timedelta(hours=1)
    assert settings.payment.limits == {"EUR": Money(5000, "EUR"), "JPY": Money(7000, "JPY")}
    assert settings.kitchen.cooked_after == timedelta(seconds=1.5)
    assert settings.courier.under_way_after == timedelta(seconds=2)
    assert settings.kitchen.network == NetworkSettings()


def test_each_currency_has_a_limit():
    """Its own, also if that is zero; every other currency has the same number of minor units."""
    limits = read({"EXPEDITER_SANDBOX_PAYMENT_LIMITS": "0.00 EUR, 7000 JPY"}, read_sandbox).payment
    assert limits.limit("EUR") == Money(0, "EUR")
    assert limits.limit("JPY") == Money(7000, "JPY")
    assert limits.limit("VND") == Money(1_000_000_000, "VND")
    assert SandboxSettings().payment.limit("CHF") == Money(1_000_000_000, "CHF")


def test_the_shortest_latency_alone_is_the_latency():
    """One variable is enough for a fixed latency."""
    settings = read({"EXPEDITER_SANDBOX_COURIER_LATENCY_MIN_S": "0.2"}, read_sandbox)
    assert settings.courier.network.latency_max_s == 0.2


WRONG = [
    ("EXPEDITER_SANDBOX_PAYMENT_LOST_BEFORE_RATE", "1.5", "from 0 to 1"),
    ("EXPEDITER_SANDBOX_PAYMENT_LOST_AFTER_RATE", "-0.1", "from 0 to 1"),
    ("EXPEDITER_SANDBOX_PAYMENT_LOST_AFTER_RATE", "5%", "from 0 to 1"),
    ("EXPEDITER_SANDBOX_KITCHEN_LATENCY_MIN_S", "nan", "seconds"),
    ("EXPEDITER_SANDBOX_KITCHEN_LATENCY_MAX_S", "inf", "seconds"),
    ("EXPEDITER_SANDBOX_KITCHEN_COOKED_AFTER_S", "10m", "seconds"),
    ("EXPEDITER_SANDBOX_COURIER_UNDER_WAY_AFTER_S", "", "seconds"),
    ("EXPEDITER_SANDBOX_PAYMENT_REMEMBERS_S", "1e300", "at most a year"),
    ("EXPEDITER_SANDBOX_PAYMENT_LIMITS", "1000000", "one amount a currency"),
    ("EXPEDITER_SANDBOX_PAYMENT_LIMITS", "-1.00 EUR", "below zero"),
    ("EXPEDITER_SANDBOX_PAYMENT_LATENCY_S", "1", "is not a setting"),
]


@pytest.mark.parametrize(("name", "text", "words"), WRONG)
def test_a_wrong_variable_is_refused_by_name(name, text, words):
    """The message words what to write instead."""
    with pytest.raises(SettingsRefused, match=words) as refused:
        read({name: text}, read_sandbox)
    assert list(refused.value.wrong) == [name]
    assert str(refused.value).startswith(name)


def test_a_latency_that_ends_before_it_begins_is_refused():
    """The message names both variables."""
    with pytest.raises(SettingsRefused, match=r"LATENCY_MAX_S is 0\.1, less than .*PAYMENT_LATENCY_MIN_S: 0\.5"):
        read(
            {"EXPEDITER_SANDBOX_PAYMENT_LATENCY_MIN_S": "0.5", "EXPEDITER_SANDBOX_PAYMENT_LATENCY_MAX_S": "0.1"},
            read_sandbox,
        )
