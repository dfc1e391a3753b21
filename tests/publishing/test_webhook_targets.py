"""Webhooks go to public addresses alone: a service chooses the URL, and this program calls it from inside."""

from __future__ import annotations

import pytest

from workflows.publishing.webhooks.targets import (
    AddressRefused,
    TargetRefused,
    Targets,
    check_target,
    is_public,
    permitted,
    target,
)

PRIVATE = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",  # Alibaba's metadata
    "169.254.169.254",  # the metadata of AWS, Google and Azure
    "169.254.170.2",  # credentials of ECS
    "168.63.129.16",  # Azure's host
    "192.0.0.192",  # Oracle's metadata
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "3fff::1",
    "5f00::1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",  # the metadata of AWS over IPv6
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "not an address",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    """Also where it stands inside an IPv6 address."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_called(address: str) -> None:
    """Of both families."""
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://example.com/hooks", "https://"),
        ("ftp://example.com/", "must be a URL"),
        ("https:///hooks", "must be a URL"),
        ("//example.com", "must be a URL"),
        ("https://[::1", "must be a URL"),
        ("https://example.com:99999/", "must be a URL"),
        ("https://user:password@example.com/", "user name"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com/a b", "ASCII"),
        ("https://ex\u00e4mple.com/", "ASCII"),
        ("https://example.com/\r\nHost: other", "ASCII"),
        ("https://example.com/" + "a" * 2048, "2048"),
    ],
)
def test_a_url_that_cannot_be_an_endpoint_is_refused_with_the_reason(url: str, problem: str) -> None:
    """The reason names what to send instead."""
    with pytest.raises(TargetRefused, match=problem):
        target(url, Targets.PUBLIC)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "localhost"])
def test_a_host_is_judged_by_its_addresses_and_not_by_its_text(host: str) -> None:
    """The system reads all of these as this machine."""
    with pytest.raises(TargetRefused, match="not public"):
        check_target(f"https://{host}/", Targets.PUBLIC, lambda *_: ["127.0.0.1"])


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    """The connection could go to any of them."""
    with pytest.raises(TargetRefused, match="not public"):
        check_target("https://example.com/", Targets.PUBLIC, lambda *_: ["93.184.215.14", "10.0.0.1"])


def test_a_host_without_an_address_is_refused_at_registration() -> None:
    """A typing error shows at once."""

    def unknown(*_: object) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(TargetRefused, match="has no address"):
        check_target("https://exmaple.com/", Targets.PUBLIC, unknown)


def test_a_name_that_points_inside_later_is_refused_at_the_attempt() -> None:
    """DNS rebinding: the name was public when it was registered."""
    answers = iter([["93.184.215.14"], ["169.254.169.254"]])
    look_up = permitted(lambda *_: next(answers), Targets.PUBLIC)
    assert look_up("example.com", 443) == ["93.184.215.14"]
    with pytest.raises(AddressRefused):
        look_up("example.com", 443)


def test_the_setting_allows_private_targets_and_http() -> None:
    """For tests, and for receivers in one's own network."""
    check_target("http://localhost:9000/hooks", Targets.ANY, lambda *_: ["127.0.0.1"])
