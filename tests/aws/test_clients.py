"""The AWS clients of a process: one a service, created on first use, with timeouts."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from workflows.aws import clients

MAKERS = {
    "dynamodb": clients.dynamodb,
    "kms": clients.kms,
    "stepfunctions": clients.step_functions,
    "events": clients.event_bridge,
    "s3": clients.s3,
    "secretsmanager": clients.secrets_manager,
    "lambda": clients.lambda_,
}


@pytest.mark.parametrize("service", sorted(MAKERS))
def test_there_is_one_client_a_service(aws, service: str):
    """Threads that use it at the same time share it, and it has the timeouts of its service."""
    start, made = threading.Barrier(4), []

    def ask() -> None:
        start.wait(10)
        made.append(MAKERS[service]())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len({id(client) for client in made}) == 1
    config = made[0].meta.config
    assert made[0].meta.service_model.service_name == service
    assert config.read_timeout == clients.CONFIGS[service].read_timeout
    assert (config.connect_timeout, config.tcp_keepalive) == (1, True)
    assert config.retries == {"mode": "standard", "total_max_attempts": clients.ATTEMPTS}


def test_every_service_has_its_timeouts():
    """No client has botocore's default timeout of sixty seconds."""
    assert set(MAKERS) == set(clients.CONFIGS)


def test_no_client_is_created_before_its_first_use():
    """Creating one takes a tenth of a second on a small function, so the import creates none and loads no service."""
    code = "import workflows.aws.clients as c, sys; assert c._made == {}; assert 'boto3.dynamodb' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
