"""AWS prices in US dollars (on demand, us-east-1, without free tiers or volume discounts), and the assumptions.

Prices of Step Functions, DynamoDB, Lambda, EventBridge and the HTTP API are from their pricing pages
(aws.amazon.com/<service>/pricing). Those of SNS, SQS, KMS, CloudWatch, Secrets Manager, EventBridge Scheduler, S3 and
X-Ray were not checked there. Months have thirty days.
"""

from __future__ import annotations

from dataclasses import dataclass

MILLION = 1e6

STATE_ENTRY = 25.00 / MILLION  # Step Functions Standard
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_S = 0.0000133334  # arm64
WRITE_UNIT = 0.625 / MILLION  # DynamoDB on demand; 1 KB
READ_UNIT = 0.125 / MILLION  # 4 KB, consistent
WRITE_UNIT_BYTES, READ_UNIT_BYTES = 1024, 4096
BUS_EVENT = 1.00 / MILLION  # EventBridge, custom events, per 64 KB
ARCHIVE_GB = 0.10  # EventBridge archive, processing
HTTP_REQUEST = 1.00 / MILLION  # API Gateway HTTP API
EGRESS_GB = 0.09  # data transfer out to the internet
SNS_PUBLISH = 0.50 / MILLION  # deliveries to SQS are free
SQS_REQUEST = 0.40 / MILLION
KMS_REQUEST = 0.03 / 10_000
LOG_GB = 0.50  # CloudWatch Logs, ingestion, standard class
TRACE = 5.00 / MILLION  # X-Ray, recorded
KEY_MONTH = 1.00  # KMS; each of the first two rotations adds as much
SECRET_MONTH = 0.40
SECRET_REQUEST = 0.05 / 10_000
ALARM_METRIC_MONTH = 0.10  # CloudWatch, of 60 s; each metric of an expression is one
DASHBOARD_MONTH = 3.00  # CloudWatch
CUSTOM_METRIC_MONTH = 0.30  # CloudWatch, first tier, for the hours in which it has values
SCHEDULE = 1.00 / MILLION  # EventBridge Scheduler
USER_MONTH = {"LITE": 0.0055, "ESSENTIALS": 0.015, "PLUS": 0.02}
"""Cognito, for each user who signs in in a month, by the pool's UserPoolTier: the price of the first paid users. Ten
thousand are free, but for PLUS."""
TABLE_GB_MONTH = 0.25
RECOVERY_GB_MONTH = 0.20  # point-in-time recovery
BUCKET_GB_MONTH = 0.023


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Numbers that cannot be measured on the embedded engine.

    ``dynamodb_s``: a request within the region; DynamoDB's page promises "consistent, single-digit millisecond"
    (aws.amazon.com/dynamodb); 4 ms is in the middle. ``machines_s``: StartExecution or SendTaskSuccess, tens of
    milliseconds; ``provider_s``: a provider over the internet; none publishes figures, and a third
    of a second is slow. ``lambda_share``: 512 MB of 1,769 MB is that part of one vCPU
    (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). ``traced``: X-Ray's default rule.
    """

    dynamodb_s: float = 0.004
    machines_s: float = 0.020
    kms_s: float = 0.005
    bus_s: float = 0.010
    provider_s: float = 0.300
    lambda_gb: float = 0.5
    lambda_share: float = 512 / 1769
    call_cpu_s: float = 0.001  # boto3's CPU a call on a whole core, see the append benchmark
    cold_share: float = 0.01  # of invocations; an environment serves for hours under load
    cold_s: float = 0.35  # of a whole core, see the cold start benchmark; billed since August 2025
    records_per_batch: float = 1.0  # of a stream mapping: the most expensive case; under load a batch has more
    messages_per_receive: float = 10.0  # SQS, long polling
    log_bytes_per_invocation: int = 0  # platform lines at WARN, see template.yaml; own lines only on errors
    log_bytes_per_request: int = 350  # an access log line
    request_bytes: int = 600  # of a webhook beside its event: request line and headers, TLS
    traced: float = 0.05
    key_in_cache: float = 0.0  # share of calls that find the customer's key cached: none, as customers order rarely
    watched_every_s: float = 60.0
    tier: str = "LITE"  # the default of UserPoolTier in stacks/state.yaml
    restaurant_orders: float = 600.0  # a month: twenty a day
    courier_orders: float = 300.0  # a month: two an hour in five hours of thirty days
    restaurant_tokens: float = 240.0  # a month: one an hour (AccessTokenValidity) in eight hours of thirty days
    courier_tokens: float = 150.0  # a month: likewise in five hours
    customer_orders: float = 4.0  # a month


ASSUMED = Assumptions()
