"""Verifying the log from the command line, while its engine runs, and on AWS."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.audit.verifier import VERIFIER
from workflows.aws.archive import S3Segments
from workflows.aws.event_log import DynamoDbEventLog
from workflows.cli.folder import open_reports
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.keyring import NoKeys
from workflows.event_store.segments import merged


@pytest.fixture
def folder(expediter: Any, running: Any, tmp_path: Path) -> Path:
    """A copy of a log with one order, including the commits in the WAL; no engine writes to it."""
    expediter("order", "place", "--example", "--data", running.data)
    copy = tmp_path / "copy"
    copy.mkdir()
    source = sqlite3.connect(f"file:{running.data}/expediter.sqlite?mode=ro", uri=True)
    target = sqlite3.connect(copy / "expediter.sqlite")
    source.backup(target)
    source.close()
    target.close()
    shutil.copy(running.data / "tokens.key", copy)
    return copy


def _change(folder: Path, sql: str) -> None:
    connection = sqlite3.connect(folder / "expediter.sqlite")
    connection.execute(sql)
    connection.commit()
    connection.close()


def _count(folder: Path, table: str) -> int:
    connection = sqlite3.connect(folder / "expediter.sqlite")
    [(number,)] = connection.execute(f"SELECT count(*) FROM {table}")
    connection.close()
    return int(number)


def test_a_log_is_verified_while_its_engine_runs(expediter: Any, running: Any) -> None:
    """Verification takes no lock."""
    expediter("order", "place", "--example", "--data", running.data)
    result = expediter("audit", "verify", "--data", running.data)
    assert result.code == 0
    assert result.err.startswith("intact: ")
    assert result.out == ""


def test_a_folder_of_an_earlier_release_is_verified_and_reported_without_an_engine(
    expediter: Any, folder: Path
) -> None:
    """It is only read, so the tables that it lacks are not added."""
    _change(folder, "DROP TABLE execution_versions")
    result = expediter("audit", "verify", "--data", str(folder))
    assert (result.code, result.err.startswith("intact: ")) == (0, True), result
    with open_reports(folder) as reports:
        assert len(reports.latest()) == _count(folder, "executions")  # other tests place orders on this engine, too


def test_an_engine_verifies_its_own_log_over_the_api(expediter: Any, running: Any, monkeypatch: Any) -> None:
    """For somebody without the folder. What needs the log itself is refused by name."""
    expediter("order", "place", "--example", "--data", running.data)
    monkeypatch.setenv(
        "EXPEDITER_TOKEN", expediter("token", "--role", "auditor", "--id", "otto", "--data", running.data).out.strip()
    )
    result = expediter("audit", "verify", "--url", running.url)
    assert (result.code, result.err.startswith("intact: ")) == (0, True), result.err
    report = expediter("audit", "verify", "--url", running.url, "--json").json
    assert report["intact"]
    assert report["events"] > 0
    assert expediter("audit", "verify", "--url", running.url, "--key", "k").code == 2


def test_an_edited_commit_is_named_by_stream_and_version(expediter: Any, folder: Path) -> None:
    """The exit code is 1, and the findings are on stdout."""
    _change(folder, "UPDATE events SET ev = replace(ev, '950', '050') WHERE sk = 1")
    result = expediter("audit", "verify", "--data", folder)
    assert result.code == 1
    assert "version 1: does not match its hash" in result.out
    report = expediter("audit", "verify", "--data", folder, "--json").json
    assert report["intact"] is False
    assert report["findings"][0]["stream"].startswith("order#ord_")
    assert report["findings"][0]["version"] == 1


@pytest.mark.parametrize("command", ["audit verify", "audit heads", "up --port 0"])
def test_a_truncated_file_is_reported_as_damaged(expediter: Any, folder: Path, command: str) -> None:
    """SQLite cannot read it, so no commit can be named. It is not a bug, and no engine may start on it."""
    database = folder / "expediter.sqlite"
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    result = expediter(*command.split(), "--data", folder)
    assert (result.code, result.out) == (1, "")
    assert f"{folder} is damaged: database disk image is malformed" in result.err
    assert result.err.count("\n") == 1


def test_a_truncated_stream_is_detected_by_published_heads(expediter: Any, folder: Path, tmp_path: Path) -> None:
    """The rest is a valid chain, so only a head that is stored elsewhere always reveals it."""
    heads = tmp_path / "heads.json"
    heads.write_text(expediter("audit", "heads", "--data", folder).out, encoding="utf-8")
    _change(folder, "DELETE FROM events WHERE (pk, sk) IN (SELECT pk, max(sk) FROM events GROUP BY pk)")
    cut = expediter("audit", "verify", "--data", folder, "--heads", heads)
    assert cut.code == 1
    assert "the tail is cut" in cut.out


def test_a_missing_key_is_reported(expediter: Any, folder: Path) -> None:
    """With ``--data`` the command also verifies the customers' keys in the folder."""
    _change(folder, "DELETE FROM data_keys")
    result = expediter("audit", "verify", "--data", folder)
    assert result.code == 1
    assert "of its personal fields is gone, and no erasure was recorded" in result.out


def test_heads_of_an_earlier_version_are_read(expediter: Any, folder: Path, tmp_path: Path) -> None:
    """They lack ``complete_at``, so an additional stream is not reported as inserted."""
    old = [
        {name: each[name] for name in ("stream", "version", "hash")}
        for each in expediter("audit", "heads", "--data", folder).json[:1]
    ]
    (tmp_path / "heads.json").write_text(json.dumps(old), encoding="utf-8")
    result = expediter("audit", "verify", "--data", folder, "--heads", tmp_path / "heads.json")
    assert (result.code, "compared with 1 published heads" in result.err) == (0, True)


def test_a_broken_chain_has_no_head(expediter: Any, folder: Path) -> None:
    """A published head of it would confirm the forgery."""
    _change(folder, "UPDATE events SET ev = replace(ev, '950', '050') WHERE sk = 1")
    result = expediter("audit", "heads", "--data", folder)
    assert (result.code, result.out) == (1, "")
    assert "a broken chain has no head" in result.err


# --- on AWS ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The same log in a DynamoDB table: items have the attributes of the rows."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # the default session keeps its first credentials
    with mock_aws():
        keys = {"pk": ("HASH", "S"), "sk": ("RANGE", "N")}
        events = boto3.resource("dynamodb", region_name="eu-west-1").create_table(
            TableName="events",
            KeySchema=[{"AttributeName": name, "KeyType": use} for name, (use, _) in keys.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, (_, kind) in keys.items()],
            BillingMode="PAY_PER_REQUEST",
        )
        rows = sqlite3.connect(folder / "expediter.sqlite")
        for pk, sk, k, ts, h, ev in rows.execute("SELECT pk, sk, k, ts, h, ev FROM events ORDER BY pk, sk"):
            events.put_item(Item={"pk": pk, "sk": sk, "k": k, "ts": ts, "h": h, "ev": ev})
        rows.close()
        yield events


TABLE = ("--table", "events", "--region", "eu-west-1")


def test_a_log_on_aws_is_verified_without_the_customers_keys(
    expediter: Any, table: Any, folder: Path, tmp_path: Path
) -> None:
    """Output, heads and exit codes are those of the embedded log; the only calls are reads of the table."""
    result = expediter("audit", "verify", *TABLE)
    assert (result.code, result.out) == (0, ""), result.err
    assert result.err == expediter("audit", "verify", "--data", folder).err
    heads = expediter("audit", "heads", *TABLE)
    here = expediter("audit", "heads", "--data", folder).json
    assert [each | {"complete_at": ""} for each in heads.json] == [each | {"complete_at": ""} for each in here]
    (tmp_path / "heads.json").write_text(heads.out, encoding="utf-8")
    compared = expediter("audit", "verify", *TABLE, "--heads", tmp_path / "heads.json")
    assert (compared.code, f"compared with {len(heads.json)} published heads" in compared.err) == (0, True)


def test_archived_orders_on_aws_are_verified_with_the_bucket_of_the_archive(
    expediter: Any, table: Any, folder: Path
) -> None:
    """A line in the bucket that was changed is found; without the bucket the command asks for it."""
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client = boto3.client("dynamodb", region_name="eu-west-1")
    log = DynamoDbEventLog(client, "events", Codec(NoKeys(), EVENT_TYPES), SystemClock(), S3Segments(s3, "archive"))
    commits = [commit for commit in log.scan() if commit.pk.startswith("order#")]
    content, archived = merged(1, commits, "")
    log.segments.write(1, content)
    log.point(archived)
    verified = expediter("audit", "verify", *TABLE, "--archive", "archive")
    assert (verified.code, verified.err) == (0, expediter("audit", "verify", "--data", folder).err)
    assert len(expediter("audit", "heads", *TABLE, "--archive", "archive").json) > 1
    without = expediter("audit", "verify", *TABLE)
    assert (without.code, "are archived: add --archive" in without.err) == (2, True), without.err
    [name] = [each["Key"] for each in s3.list_objects_v2(Bucket="archive")["Contents"]]
    s3.put_object(Bucket="archive", Key=name, Body=content.replace(b"Pizza", b"Pasta"))
    changed = expediter("audit", "verify", *TABLE, "--archive", "archive")
    assert (changed.code, "does not match its hash" in changed.out) == (1, True), changed


@pytest.mark.parametrize("command", ["verify", "heads"])
def test_an_invalid_endpoint_of_aws_is_reported_in_one_line(
    expediter: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """An environment variable is user input, so it must not cause a traceback."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "garbage")
    result = expediter("audit", command, *TABLE)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    assert "Invalid endpoint: garbage; see AWS_ENDPOINT_URL" in result.err


def test_an_edited_item_on_aws_is_named(expediter: Any, table: Any) -> None:
    """The finding has stream and version, as for an embedded log."""
    item = next(each for each in table.scan()["Items"] if each["pk"].startswith("order#") and each["sk"] == 1)
    table.put_item(Item=item | {"ev": item["ev"].replace("Pizza", "Pasta")})
    result = expediter("audit", "verify", *TABLE)
    assert (result.code, result.out.count("\n")) == (1, 1)
    assert result.out.startswith(f"{item['pk']} version 1: does not match its hash")
    assert expediter("audit", "verify", *TABLE, "--json").json["findings"][0]["version"] == 1
    head = expediter("audit", "heads", *TABLE)
    assert (head.code, "see expediter audit verify --table events" in head.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("", 2, "name the log: --data DIR"),
        ("--table events --data .", 2, "name the log: --data DIR"),
        ("--data . --archive archive", 2, "--archive is the archive of a --table"),
        ("--table nothing --region eu-west-1", 2, "the table nothing does not exist"),
        ("--table views --region eu-west-1", 2, "the table views is not an event log"),
    ],
)
def test_a_log_that_cannot_be_read_is_reported_in_one_line(
    expediter: Any, table: Any, arguments: str, code: int, words: str
) -> None:
    """The options or the name are wrong, or the table is not an event log."""
    views = boto3.resource("dynamodb", region_name="eu-west-1").create_table(
        TableName="views",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    views.put_item(Item={"pk": "open orders"})
    result = expediter("audit", "verify", *arguments.split())
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err


def test_an_unreachable_table_is_reported_in_one_line(expediter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 3: the caller may retry."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name, value in (("ENDPOINT_URL", "http://127.0.0.1:1"), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(f"AWS_{name}", value)
    result = expediter("audit", "verify", *TABLE)
    assert (result.code, result.out, result.err.count("\n")) == (3, "", 1), result
    assert "the table events does not answer" in result.err


# --- checkpoints and proofs -------------------------------------------------------------------------------------------


def test_an_order_is_proven_and_the_checkpoints_are_compared_with_the_log(
    expediter: Any, running: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the running engine to the file that an outside party checks."""
    order = expediter("order", "place", "--example", "--data", running.data, "--json").json["id"]
    file = tmp_path / "order.json"
    proven = expediter("audit", "prove", order, "-o", file, "--checkpoint", "--data", running.data)
    assert proven.code == 0, proven.err
    listed = expediter("audit", "checkpoints", "--data", running.data, "--json").json
    assert VERIFIER.verify(file.read_bytes(), listed["key"])["stream"] == f"order#{order}"
    verified = expediter("audit", "verify", "--data", running.data, "--key", listed["key"])
    assert (verified.code, verified.out) == (0, "")
    assert "checkpoints in" in verified.err
    table = expediter("audit", "checkpoints", "--data", running.data)
    assert str(listed["checkpoints"][0]["size"]) in table.out


def test_a_recomputed_order_contradicts_the_checkpoints_of_its_folder(expediter: Any, folder: Path) -> None:
    """Without naming them: they are where the engine publishes them. A copy is compared too."""
    made = expediter("audit", "checkpoint", "--data", folder, "--json")
    assert made.json[0]["size"] > 1
    again = expediter("audit", "checkpoint", "--data", folder)
    assert (again.code, "no stream changed" in again.err) == (0, True)
    _change(folder, "DELETE FROM events WHERE (pk, sk) IN (SELECT pk, max(sk) FROM events GROUP BY pk)")
    cut = expediter("audit", "verify", "--data", folder)
    assert (cut.code, "the tail is cut" in cut.out) == (1, True)
    shutil.copytree(folder / "checkpoints", folder / "copy")
    places = ("--checkpoints", folder / "checkpoints", "--checkpoints", folder / "copy")
    assert expediter("audit", "verify", "--data", folder, *places).out == cut.out
    (folder / "checkpoints" / "00000001.checkpoint").chmod(0o600)
    (folder / "checkpoints" / "00000001.checkpoint").write_text("x")
    broken = expediter("audit", "verify", "--data", folder, *places)
    assert "checkpoint 1" in broken.out


def test_checkpoints_go_on_in_the_folder_that_was_chosen_once(expediter: Any, folder: Path, tmp_path: Path) -> None:
    """A second place would fork them, so the folder remembers the first."""
    elsewhere = tmp_path / "auditor"
    assert expediter("audit", "checkpoint", "--data", folder, "--checkpoints", elsewhere).code == 0
    assert "no stream changed" in expediter("audit", "checkpoint", "--data", folder).err
    assert "published heads of 1 checkpoints" in expediter("audit", "verify", "--data", folder).err
    assert not (folder / "checkpoints").exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--checkpoints", "nowhere"), "nowhere holds no checkpoints"),
        (("--checkpoints", "checkpoints", "--key", "x"), "--key is not a verifier key"),
        (("--key", "x"), "--key needs checkpoints"),
    ],
)
def test_what_cannot_be_compared_is_named(
    expediter: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], problem: str
) -> None:
    """Comparing with nothing would always succeed."""
    monkeypatch.chdir(folder)
    if "checkpoints" in arguments:
        expediter("audit", "checkpoint", "--data", folder)
    result = expediter("audit", "verify", "--data", folder, *arguments)
    assert (result.code, result.out) == (2, "")
    assert problem in result.err
