"""The clients of a process: one a service, made when it is first asked for, and with limits."""

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
    "sqs": clients.sqs,
    "s3": clients.s3,
    "secretsmanager": clients.secrets_manager,
}


@pytest.mark.parametrize("service", sorted(MAKERS))
def test_there_is_one_client_a_service(aws, service: str):
    """However many threads ask at once; each with the limits of its service."""
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


def test_every_service_has_its_limits():
    """No client has botocore's default timeout of sixty seconds."""
    assert set(MAKERS) == set(clients.CONFIGS)


def test_no_client_is_made_before_it_is_asked_for():
    """Each takes a tenth of a second on a small function; importing the module makes none and loads no service."""
    code = "import workflows.aws.clients as c, sys; assert c._made == {}; assert 'boto3.dynamodb' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
