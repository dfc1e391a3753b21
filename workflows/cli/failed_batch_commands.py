"""``expediter failed-batches``: what Lambda gave up on of the log's stream, and working on it again.

A batch is worked on again by invoking its function with it, as the stream did. What was done already is done again
without effect, so a batch may be redriven twice. It is deleted once the function says that no record of it failed.
"""

from __future__ import annotations

import json as json_
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.failures import CommandRefused, InvalidInput, Unreachable
from workflows.cli.terminal import print_json, printable, say, status_console
from workflows.clock import timestamp

if TYPE_CHECKING:
    from workflows.aws.failed_batches import FailedBatch, FailedBatches

app = typer.Typer(name="failed-batches", help="See and redrive what the log's stream gave up on.", no_args_is_help=True)

Bucket = Annotated[
    str, typer.Option(metavar="NAME", help="Where they are kept: the stack's output FailedBatchesBucket.")
]
Region = Annotated[
    str | None, typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="Where bucket and function are.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]

INVOKE_WITHIN_S = 900.0
"""The longest a function may take."""


@app.command("list")
def list_(
    *,
    bucket: Bucket,
    function: Annotated[str | None, typer.Option(metavar="NAME", help="Only those of this function.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many are read; each may have 6 MB.")] = 100,
    region: Region = None,
    json: Json = False,
) -> None:
    """List the batches that were given up: whose, when, why, and of which orders."""
    found: list[dict[str, Any]] = []
    with _opened(bucket, region) as batches, _counting("reading") as counted:
        keys = batches.list()
        for key, batch, problem in _read(batches, islice(keys, limit), counted):
            if batch is None:
                found.append({"key": key, "problem": problem})
            elif function is None or _name(batch.function) == _name(function):
                found.append(_described(batch))
        more = sum(1 for _ in keys)
    if json:
        print_json({"batches": found, "not_read": more})
    else:
        _show(found)
        say(f"{len(found)} batches" + (f"; {more} more were not read, see --limit" if more else ""))


@app.command()
def redrive(
    *,
    bucket: Bucket,
    function: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The function to work on them: the one that failed. Batches of another are left."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be invoked, and do nothing.")] = False,
    region: Region = None,
    json: Json = False,
) -> None:
    """Work on each batch again, and delete it once none of its records failed. Exit code 1 when some are left."""
    results: list[dict[str, Any]] = []
    others, invoke = 0, _invoking(function, region)
    with _opened(bucket, region) as batches, _counting("redriving") as counted:
        for key, batch, problem in _read(batches, list(batches.list()), counted):
            if batch is not None and _name(batch.function) != _name(function):
                others += 1
                continue
            result = {"key": key} if batch is None else _described(batch)
            wrong = problem if batch is None or dry_run else _worked_on(batch, batches, invoke)
            results.append(result | ({"problem": wrong} if wrong else {}))
            if not json:
                _show(results[-1:])
    _told(results, others, dry_run=dry_run, json=json)


def _told(results: list[dict[str, Any]], others: int, *, dry_run: bool, json: bool) -> None:
    failed = sum("problem" in result for result in results)
    done = len(results) - failed
    if json:
        print_json({"dry_run": dry_run, "redriven": done, "failed": failed, "of_others": others, "batches": results})
    else:
        left = f", {others} of other functions left" if others else ""
        say(f"{'would redrive' if dry_run else 'redriven'}: {done} batches, {failed} failed{left}")
    if failed:
        unread = sum("function" not in result for result in results)
        again = failed - unread
        why = [f"{again} batches failed and were kept; the function's log says why"] if again else []
        why += [f"{unread} batches could not be read and were kept; look at them in the bucket"] if unread else []
        raise CommandRefused(", and ".join(why))


def _worked_on(batch: FailedBatch, batches: FailedBatches, invoke: Callable[[FailedBatch], str]) -> str:
    """What is wrong after the function worked on it; empty when nothing is, and then it is deleted."""
    wrong = invoke(batch)
    if not wrong:
        batches.delete(batch.key)
    return wrong


def _invoking(function: str, region: str | None) -> Callable[[FailedBatch], str]:
    """Invokes the function with a batch and says what is wrong then. Raises CommandFailed."""
    from workflows.cli.aws import client, explained

    made = cache(lambda: client("lambda", region, read_timeout_s=INVOKE_WITHIN_S))

    def invoke(batch: FailedBatch) -> str:
        with explained(f"the function {function}"):
            answer = made().invoke(FunctionName=function, Payload=_payload(batch))
            payload = answer["Payload"].read()
        if "FunctionError" in answer:
            return f"the function failed: {payload[:200].decode(errors='replace')}"
        try:
            failures = json_.loads(payload)["batchItemFailures"]
        except (ValueError, TypeError, KeyError):
            raise InvalidInput(
                f"{function} does not answer as a function of the stream does; the batch was kept"
            ) from None
        return f"{len(failures)} of {len(batch.records)} records failed again" if failures else ""

    return invoke


def _read(
    batches: FailedBatches, keys: Iterable[str], counted: Callable[[int], None]
) -> Iterator[tuple[str, FailedBatch | None, str]]:
    """Each with its key, or what is wrong with it. One that somebody else dealt with meanwhile is left out."""
    from workflows.aws.failed_batches import BatchUnreadable, NoSuchBatch

    for number, key in enumerate(keys, start=1):
        counted(number)
        try:
            batch = batches.read(key)
        except BatchUnreadable as unreadable:
            yield key, None, str(unreadable)
        except (RecursionError, OverflowError):
            yield key, None, f"{key} is not an invocation record: it is nested too deeply, or counts beyond all bounds"
        except NoSuchBatch:
            continue
        else:
            named = isinstance(batch.function, str) and isinstance(batch.condition, str)
            if named and all(isinstance(record, dict) for record in batch.records):
                yield key, batch, ""
            else:
                yield key, None, f"{key} is not an invocation record: it names no function, or its records are none"


def _described(batch: FailedBatch) -> dict[str, Any]:
    streams = [_stream(record) for record in batch.records]
    return {
        "key": batch.key,
        "function": _name(batch.function),
        "failed_at": timestamp(batch.failed_at),
        "condition": batch.condition,
        "attempts": batch.attempts,
        "records": len(batch.records),
        "streams": list(dict.fromkeys(stream for stream in streams if stream)),
    }


def _stream(record: Mapping[str, Any]) -> str:
    """Empty where it is none of a table's, which the function will say."""
    found: Any = record
    for name in ("dynamodb", "Keys", "pk", "S"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _payload(batch: FailedBatch) -> bytes:
    """As small as the stream sent it: Lambda takes 6 MB, which a batch may have had."""
    try:
        return json_.dumps(batch.event, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair can only be escaped
        return json_.dumps(batch.event, separators=(",", ":")).encode()


def _show(found: list[dict[str, Any]]) -> None:
    for each in found:
        if "streams" in each:
            of = ", ".join(each["streams"][:3]) + (" ..." if len(each["streams"]) > 3 else "")
            what = f"{each['failed_at']}  {each['function']}  {each['condition']}  {each['records']} records  {of}"
        else:
            what = each["key"]
        print(printable(what + (f"  {each['problem']}" if "problem" in each else "")))


def _name(function: str) -> str:
    """``Feed`` of ``Feed``, ``Feed:live`` and ``arn:aws:lambda:eu-west-1:123456789012:function:Feed:live``."""
    return function.rpartition(":function:")[2].partition(":")[0]


@contextmanager
def _opened(bucket: str, region: str | None) -> Iterator[FailedBatches]:
    from workflows.aws.failed_batches import FailedBatches, FailedBatchesUnavailable
    from workflows.cli.aws import client, explained

    with explained(f"the bucket {bucket}"):
        try:
            yield FailedBatches(client("s3", region), bucket)
        except FailedBatchesUnavailable as unavailable:
            raise Unreachable(f"the bucket {bucket} does not answer: {unavailable}; ask again") from None


@contextmanager
def _counting(verb: str) -> Iterator[Callable[[int], None]]:
    """On a terminal, where somebody waits."""
    console = status_console()
    if not console.is_terminal:
        yield lambda _number: None
        return
    with console.status(f"{verb} ...") as status:
        yield lambda number: status.update(f"{verb} batch {number} ...")
