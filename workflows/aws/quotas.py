"""The quotas of an AWS account and region, compared with what a load of orders needs.

Step Functions' quotas are matched by their names in Service Quotas: those that AWS applies to the account, and else its
defaults. Lambda's concurrency is read from the account itself, because new accounts have less than Service Quotas shows
as the default. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

STARTS = "StartExecution throttle token refill rate per second"
TRANSITIONS = "StateTransition throttle token refill rate per second"
TOKENS = "SendTaskSuccess throttle token refill rate per second"
CONCURRENCY = "Concurrent executions"

PER_ORDER: Mapping[str, float] = {STARTS: 1, TRANSITIONS: 8, TOKENS: 5}
"""Calls and transitions of a happy order, which ``tests/test_budgets.py`` counts: one run, and five answered waits."""

FUNCTIONS_PER_ORDER_A_SECOND = 3.0
"""Functions that run at once for each order a second, see docs/costs.md."""

FUNCTIONS_ALWAYS = 10
"""Functions that run without orders: the rounds of the timer, the webhooks and the projector, and people who look."""

HEADROOM = 2.0
"""Retries after a pause come on top of the new orders."""

CONCURRENCY_CODE = "L-B99A9384"
"""The quota code of Lambda's concurrent executions, which is the same in every account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A quota and what is needed of it. ``available`` is None if AWS does not list it; ``code`` is empty then."""

    service: str
    name: str
    code: str
    needed: int
    available: float | None

    @property
    def is_enough(self) -> bool:
        """Whether nothing has to be requested; False if the quota is unknown."""
        return self.available is not None and self.available >= self.needed

    @property
    def request(self) -> str:
        """The command that requests an increase; empty if none is needed or possible."""
        if self.is_enough or not self.code:
            return ""
        return (
            "aws service-quotas request-service-quota-increase"
            f" --service-code {self.service} --quota-code {self.code} --desired-value {self.needed}"
        )


def read_quotas(quotas: Any, functions: Any, *, orders_per_second: float) -> Iterator[Quota]:
    """Read the quotas that orders use up first.

    Args:
        quotas: boto3's client of ``service-quotas``.
        functions: boto3's client of ``lambda``.
        orders_per_second: New orders at the peak.
    """
    concurrency = functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    yield Quota(
        service="lambda",
        name=CONCURRENCY,
        code=CONCURRENCY_CODE,
        needed=FUNCTIONS_ALWAYS + math.ceil(FUNCTIONS_PER_ORDER_A_SECOND * HEADROOM * orders_per_second),
        available=concurrency,
    )
    listed = _listed(quotas, "states")
    for name, each in PER_ORDER.items():
        quota = listed.get(name, {})
        yield Quota(
            service="states",
            name=name,
            code=quota.get("QuotaCode", ""),
            needed=math.ceil(each * HEADROOM * orders_per_second),
            available=quota.get("Value"),
        )


def _listed(quotas: Any, service: str) -> dict[str, Any]:
    """List a service's quotas by name: AWS's defaults, and over them the account's own."""
    listed: dict[str, Any] = {}
    for operation in ("list_aws_default_service_quotas", "list_service_quotas"):
        for page in quotas.get_paginator(operation).paginate(ServiceCode=service):
            listed.update({quota["QuotaName"]: quota for quota in page["Quotas"]})
    return listed
