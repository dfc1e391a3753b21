"""Proving the log from the command line, beside the engine that writes it, and on AWS."""

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


@pytest.fixture
def folder(expediter: Any, running: Any, tmp_path: Path) -> Path:
    """A copy of the log with one order, which nobody writes to; commits in the WAL are taken along."""
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


def test_a_log_is_verified_while_its_engine_runs(expediter: Any, running: Any) -> None:
    """Reading takes no lock."""
    expediter("order", "place", "--example", "--data", running.data)
    result = expediter("audit", "verify", "--data", running.data)
    assert result.code == 0
    assert result.err.startswith("intact: ")
    assert result.out == ""


def test_an_edited_commit_is_named_by_stream_and_version(expediter: Any, folder: Path) -> None:
    """Exit code 1, and what is wrong is data."""
    _change(folder, "UPDATE events SET ev = replace(ev, '950', '050') WHERE sk = 1")
    result = expediter("audit", "verify", "--data", folder)
    assert result.code == 1
    assert "version 1: does not match its hash" in result.out
    found = expediter("audit", "verify", "--data", folder, "--json").json
    assert found["intact"] is False
    assert found["findings"][0]["stream"].startswith("order#ord_")
    assert found["findings"][0]["version"] == 1


@pytest.mark.parametrize("command", ["audit verify", "audit heads", "up --port 0"])
def test_a_file_that_was_cut_is_said_to_be_damaged(expediter: Any, folder: Path, command: str) -> None:
    """SQLite cannot read it, so no commit can be named; that is no bug, and no log to go on with either."""
    database = folder / "expediter.sqlite"
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    result = expediter(*command.split(), "--data", folder)
    assert (result.code, result.out) == (1, "")
    assert f"{folder} is damaged: database disk image is malformed" in result.err
    assert result.err.count("\n") == 1


def test_a_tail_that_was_cut_is_found_by_published_heads(expediter: Any, folder: Path, tmp_path: Path) -> None:
    """The rest is a valid chain; only a head that is kept elsewhere reveals it in any case."""
    heads = tmp_path / "heads.json"
    heads.write_text(expediter("audit", "heads", "--data", folder).out, encoding="utf-8")
    _change(folder, "DELETE FROM events WHERE (pk, sk) IN (SELECT pk, max(sk) FROM events GROUP BY pk)")
    cut = expediter("audit", "verify", "--data", folder, "--heads", heads)
    assert cut.code == 1
    assert "the tail is cut" in cut.out


def test_a_key_that_is_gone_is_named_by_the_command(expediter: Any, folder: Path) -> None:
    """With ``--data`` the command verifies what the folder holds beside the log."""
    _change(folder, "DELETE FROM data_keys")
    result = expediter("audit", "verify", "--data", folder)
    assert result.code == 1
    assert "of its personal fields is gone, and no erasure was recorded" in result.out


def test_heads_of_an_earlier_version_are_read(expediter: Any, folder: Path, tmp_path: Path) -> None:
    """They do not say until when they are complete, so no stream is said to be inserted."""
    old = [
        {name: each[name] for name in ("stream", "version", "hash")}
        for each in expediter("audit", "heads", "--data", folder).json[:1]
    ]
    (tmp_path / "heads.json").write_text(json.dumps(old), encoding="utf-8")
    result = expediter("audit", "verify", "--data", folder, "--heads", tmp_path / "heads.json")
    assert (result.code, "compared with 1 exported heads" in result.err) == (0, True)


def test_a_broken_chain_has_no_head(expediter: Any, folder: Path) -> None:
    """Publishing it would make the forgery official."""
    _change(folder, "UPDATE events SET ev = replace(ev, '950', '050') WHERE sk = 1")
    result = expediter("audit", "heads", "--data", folder)
    assert (result.code, result.out) == (1, "")
    assert "a broken chain has no head" in result.err


# --- on AWS ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The same log as an events table of DynamoDB: the items have the same attributes."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials it found first
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


def test_a_log_on_aws_is_verified_without_a_key_of_a_customer(
    expediter: Any, table: Any, folder: Path, tmp_path: Path
) -> None:
    """The same words, the same heads, the same exit codes; and no call but reads of this table."""
    result = expediter("audit", "verify", *TABLE)
    assert (result.code, result.out) == (0, ""), result.err
    assert result.err == expediter("audit", "verify", "--data", folder).err
    heads = expediter("audit", "heads", *TABLE)
    here = expediter("audit", "heads", "--data", folder).json
    assert [each | {"complete_at": ""} for each in heads.json] == [each | {"complete_at": ""} for each in here]
    (tmp_path / "heads.json").write_text(heads.out, encoding="utf-8")
    held = expediter("audit", "verify", *TABLE, "--heads", tmp_path / "heads.json")
    assert (held.code, f"compared with {len(heads.json)} exported heads" in held.err) == (0, True)


@pytest.mark.parametrize("command", ["verify", "heads"])
def test_an_address_of_aws_that_is_none_is_no_bug(
    expediter: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The environment is input as well."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "garbage")
    result = expediter("audit", command, *TABLE)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    assert "Invalid endpoint: garbage; see AWS_ENDPOINT_URL" in result.err


def test_an_item_that_was_edited_on_aws_is_named(expediter: Any, table: Any) -> None:
    """By stream and version, as anywhere."""
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
        ("--table nothing --region eu-west-1", 2, "the table nothing does not exist"),
        ("--table views --region eu-west-1", 2, "the table views is not an event log"),
    ],
)
def test_a_log_that_cannot_be_read_is_said_in_one_line(
    expediter: Any, table: Any, arguments: str, code: int, words: str
) -> None:
    """Wrong flags, wrong name, another table."""
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


def test_a_table_that_does_not_answer_is_said_so(expediter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3: ask again."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name, value in (("ENDPOINT_URL", "http://127.0.0.1:1"), ("ACCESS_KEY_ID", "x"), ("SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(f"AWS_{name}", value)
    result = expediter("audit", "verify", *TABLE)
    assert (result.code, result.out, result.err.count("\n")) == (3, "", 1), result
    assert "the table events does not answer" in result.err
