"""The PostgreSQL server of the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.sql.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
HOLD = """
from tests.sql.postgres import postgres_server
with postgres_server() as server:
    print(server.socket_folder, flush=True)
    input()
"""


def test_the_server_of_a_killed_test_process_is_stopped_and_its_folder_removed(postgres: PostgresServer) -> None:
    """Otherwise each killed run would leave a server and its files in memory until the machine restarts."""
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        data = Path(process.stdout.readline().strip())
        server = int((data / "postmaster.pid").read_text().split()[0])
        process.kill()
        process.stdout.read()  # until the guard has ended
    assert not data.parent.exists()
    assert not Path(f"/proc/{server}").exists()
    assert postgres.new_database()  # the server of this process runs on
