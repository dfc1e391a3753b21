"""Mutants of ``workflows/aws/``: what is checked of an account before the first deployment."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

DOCTOR = "cli/test_doctor.py"
TRAILS = f"{DOCTOR}::test_an_account_without_a_trail_of_the_reported_calls_is_not_ready"

MUTANTS = (
    Mutant(
        name="trail that is switched off",
        breaks="Alarms about changes by hand need a trail that logs.",
        file="workflows/aws/trails.py",
        old='        if cloudtrail.get_trail_status(Name=name).get("IsLogging"):\n',
        new="        if name:\n",
        caught_by=tests(TRAILS),
    ),
    Mutant(
        name="trail without the calls of KMS",
        breaks="A trail that leaves out KMS makes the alarms about keys silent, and the doctor says so.",
        file="workflows/aws/trails.py",
        old='            yield REPORTED - set(selector.get("ExcludeManagementEventSources", ()))\n',
        new="            yield REPORTED\n",
        caught_by=tests(TRAILS),
    ),
    Mutant(
        name="unknown quota that is enough",
        breaks="A quota that AWS does not list must not look like an account that is ready.",
        file="workflows/aws/quotas.py",
        old="        return self.available is not None and self.available >= self.needed\n",
        new="        return self.available is None or self.available >= self.needed\n",
        caught_by=tests(f"{DOCTOR}::test_a_quota_that_aws_does_not_list_is_unknown_and_not_enough"),
    ),
    Mutant(
        name="default quota instead of the account's own",
        breaks="The account's own quotas stand over AWS's defaults: new accounts have less.",
        file="workflows/aws/quotas.py",
        old='("list_aws_default_service_quotas", "list_service_quotas")',
        new='("list_service_quotas", "list_aws_default_service_quotas")',
        caught_by=tests(f"{DOCTOR}::test_a_new_account_gets_the_requests_to_make"),
    ),
)
