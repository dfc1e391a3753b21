"""Finds the callables that a person names for the functions of state machines."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Annotated, Any

import typer

from workflows.cli.failures import InvalidInput

FindService = Callable[[str], Callable[..., Any] | None]
Endpoint = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="An emulator of AWS for the Resources of services, e.g. arn:aws:states:::sqs:sendMessage.",
    ),
]


def callable_of(target: str, option: str) -> Callable[..., Any]:
    """Import ``package.module:name``; the current folder is searched too. Raises InvalidInput."""
    module_name, colon, name = target.partition(":")
    if not module_name or not colon or not name:
        raise InvalidInput(f"{option} {target!r} is not MODULE:CALLABLE, e.g. shop.payments:charge")
    found: Any = module_of(module_name, f"{option} {target}")
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise InvalidInput(f"{option} {target}: {module_name} has no callable {name}")
    return found  # type: ignore[no-any-return]  # getattr cannot know


def function_of(name: str, target: str) -> Callable[..., Any]:
    """Return a function for ``asl run``: a callable, or one behind an address. Raises InvalidInput."""
    if not is_url(target):
        return callable_of(target, "--function")
    from workflows.asl.answers import CallFailed
    from workflows.asl.reading.integrations import function_name, function_qualifier
    from workflows.embedded.lambda_.functions import FunctionFailed
    from workflows.embedded.lambda_.named_functions import HttpFunction

    function = HttpFunction(target, function_name(name), function_qualifier(name))

    def call(event: Any) -> Any:
        try:
            return function(event)
        except FunctionFailed as failed:
            raise CallFailed(failed.error, failed.cause) from failed

    return call


def module_of(name: str, where: str) -> ModuleType:
    """Import a module; the current folder is searched too. Raises InvalidInput."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # a module may be a script that ends itself
        raise InvalidInput(f"{where}: {name} cannot be imported: {error!r}") from None


def is_url(target: str) -> bool:
    """Whether a target is an HTTP address and not Python code."""
    return target.startswith(("http://", "https://"))


def services_of(endpoint: str | None) -> FindService:
    """Return what finds the callable for a service's Resource, at the endpoint of an emulator. Raises InvalidInput."""
    if endpoint is None:
        return lambda _: None
    if not is_url(endpoint):
        raise InvalidInput(f"--endpoint {endpoint!r} is not an HTTP address")
    from workflows.aws.service_calls import ServiceCalls

    return ServiceCalls(endpoint).find


def finder(named: Mapping[str, str], others: str | None, services: FindService) -> FindService:
    """Return what finds the callable for a function's name or ARN, or for a service's Resource; None if none is there.

    Args:
        named: ``MODULE:CALLABLE`` or an HTTP address, by name or Resource.
        others: A module or an HTTP address for the functions that are not in ``named``.
        services: Finds a callable for a Resource that is not in ``named``.

    Raises:
        InvalidInput: A target cannot be imported.
    """
    from workflows.asl.reading.integrations import function_name, function_qualifier
    from workflows.embedded.lambda_.named_functions import HttpFunction

    given = {
        function_name(name): target if is_url(target) else callable_of(target, "--function")
        for name, target in named.items()
    }
    module = module_of(others, f"--functions {others}") if others is not None and not is_url(others) else None

    def find(function: str) -> Callable[..., Any] | None:
        name = function_name(function)
        found = given.get(name)
        if found is not None:
            return HttpFunction(found, name, function_qualifier(function)) if isinstance(found, str) else found
        if name.startswith("arn:"):
            return services(name)
        if module is not None:
            found = getattr(module, name, None)
            return found if callable(found) and not name.startswith("_") else None
        return HttpFunction(others, name, function_qualifier(function)) if others is not None else None

    return find
