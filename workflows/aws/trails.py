"""Whether an account has a CloudTrail trail from which EventBridge gets the calls that the alarms about changes report.

EventBridge passes an API call on if a trail that is logging records it, of the services in ``REPORTED``:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

REPORTED = frozenset(f"{service}.amazonaws.com" for service in ("cognito-idp", "dynamodb", "kms", "lambda"))
"""Services whose calls the rules of stacks/watching.yaml report."""


def unrecorded(cloudtrail: Any) -> frozenset[str]:
    """Return those of ``REPORTED`` whose changing calls no trail records in the client's region.

    Args:
        cloudtrail: boto3's client of ``cloudtrail``.
    """
    recorded: set[str] = set()
    for trail in cloudtrail.describe_trails()["trailList"]:  # also those of other regions that record this one
        name = trail["TrailARN"]
        if cloudtrail.get_trail_status(Name=name).get("IsLogging"):
            recorded.update(*_recorded(cloudtrail.get_event_selectors(TrailName=name)))
    return REPORTED - recorded


def _recorded(selectors: Mapping[str, Any]) -> Iterator[frozenset[str]]:
    for selector in selectors.get("EventSelectors") or ():
        if selector.get("IncludeManagementEvents", True) and selector.get("ReadWriteType", "All") != "ReadOnly":
            yield REPORTED - set(selector.get("ExcludeManagementEventSources", ()))
    for selector in selectors.get("AdvancedEventSelectors") or ():
        fields = {field["Field"]: field for field in selector["FieldSelectors"]}
        is_of_changes = fields.get("readOnly", {}).get("Equals") != ["true"]
        if fields["eventCategory"].get("Equals") == ["Management"] and is_of_changes:
            sources = fields.get("eventSource", {})
            yield frozenset(sources.get("Equals", REPORTED)) & REPORTED - set(sources.get("NotEquals", ()))
