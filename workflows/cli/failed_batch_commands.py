"""``expediter failed-batches``: batches of the log's stream that Lambda gave up on, and redriving them.

Redriving invokes the batch's function with the batch, as the stream did. Processing a record twice has no effect, so a
batch may be redriven twice. It is deleted once the function reports that none of its records failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.failures import CommandRefused, InvalidInput, Unreachable
from workflows.cli.options import DryRun, JsonObject, Region
from workflows.cli.terminal import counting, print_json, printable, say
from workflows.clock import timestamp

if TYPE_CHECKING:
    from workflows.aws.failed_batches import FailedBatch, FailedBatches

app = typer.Typer(
    name="failed-batches", help="Show and redrive batches that the log's stream gave up on.", no_args_is_help=True
)

Bucket = Annotated[
    str, typer.Option(metavar="NAME", help="The bucket of the batches: the stack's output FailedBatchesBucket.")
]

INVOKE_WITHIN_S = 900.0
"""The longest run of a Lambda function."""


@app.command("list")
def list_(
    *,
    bucket: Bucket,
    function: Annotated[str | None, typer.Option(metavar="NAME", help="Only those of this function.")] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Read at most this many; each may have 6 MB.")] = 100,
    region: Region = None,
    json: JsonObject = False,
) -> None:
    """List the batches: their function, when and why it failed, and their orders."""
    found: list[dict[str, Any]] = []
    with _opened(bucket, region) as batches, counting("reading batch {} ...") as counted:
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
        typer.Option(metavar="NAME", help="The function that failed. Batches of other functions are left alone."),
    ],
    dry_run: DryRun = False,
    region: Region = None,
    json: JsonObject = False,
) -> None:
    """Process each batch again, and delete it if none of its records failed. Exit code 1 if some are left."""
    results: list[dict[str, Any]] = []
    others, invoke = 0, _invoking(function, region)
    with _opened(bucket, region) as batches, counting("redriving batch {} ...") as counted:
        for key, batch, problem in _read(batches, list(batches.list()), counted):
            if batch is not None and _name(batch.function) != _name(function):
                others += 1
                continue
            result = {"key": key} if batch is None else _described(batch)
            wrong = problem if batch is None or dry_run else _redriven(batch, batches, invoke)
            results.append(result | ({"problem": wrong} if wrong else {}))
            if not json:
                _show(results[-1:])
    _show_summary(results, others, dry_run=dry_run, json=json)


def _show_summary(results: list[dict[str, Any]], others: int, *, dry_run: bool, json: bool) -> None:
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
        why = [f"{again} batches failed and were kept; see the function's log"] if again else []
        why += [f"{unread} batches could not be read and were kept; look at them in the bucket"] if unread else []
        raise CommandRefused(", and ".join(why))


def _redriven(batch: FailedBatch, batches: FailedBatches, invoke: Callable[[FailedBatch], str]) -> str:
    """Invoke the function with the batch and delete it on success. Returns the problem, empty if there is none."""
    wrong = invoke(batch)
    if not wrong:
        batches.delete(batch.key)
    return wrong


def _invoking(function: str, region: str | None) -> Callable[[FailedBatch], str]:
    """Return a function that invokes the Lambda function with a batch and returns the problem. Raises CommandFailed."""
    from workflows.aws.redriving import NotOfTheStream, invoke_again
    from workflows.cli.aws import client, explained

    made = cache(lambda: client("lambda", region, read_timeout_s=INVOKE_WITHIN_S))

    def invoke(batch: FailedBatch) -> str:
        with explained(f"the function {function}"):
            try:
                return invoke_again(made(), function, batch)
            except NotOfTheStream:
                raise InvalidInput(
                    f"{function} does not answer like a function of the stream; the batch was kept"
                ) from None

    return invoke


def _read(
    batches: FailedBatches, keys: Iterable[str], counted: Callable[[int], None]
) -> Iterator[tuple[str, FailedBatch | None, str]]:
    """Read each batch, or why it cannot be read. A batch that another person deleted meanwhile is left out."""
    from workflows.aws.failed_batches import BatchUnreadable, NoSuchBatch

    for number, key in enumerate(keys, start=1):
        counted(number)
        try:
            batch = batches.read(key)
        except BatchUnreadable as unreadable:
            yield key, None, str(unreadable)
        except NoSuchBatch:
            continue
        else:
            yield key, batch, ""


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
    """Return the stream of a table's record; empty for another record, which the function will report."""
    found: Any = record
    for name in ("dynamodb", "Keys", "pk", "S"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def _show(found: list[dict[str, Any]]) -> None:
    for each in found:
        if "streams" in each:
            of = ", ".join(each["streams"][:3]) + (" ..." if len(each["streams"]) > 3 else "")
            what = f"{each['failed_at']}  {each['function']}  {each['condition']}  {each['records']} records  {of}"
        else:
            what = each["key"]
        print(printable(what + (f"  {each['problem']}" if "problem" in each else "")))


def _name(function: str) -> str:
    """Return ``Feed`` for ``Feed``, ``Feed:live`` and ``arn:aws:lambda:eu-west-1:123456789012:function:Feed:live``."""
    return function.rpartition(":function:")[2].partition(":")[0]


@contextmanager
def _opened(bucket: str, region: str | None) -> Iterator[FailedBatches]:
    from workflows.aws.failed_batches import FailedBatches
    from workflows.cli.aws import client, explained
    from workflows.event_store.failed_batches import FailedBatchesUnavailable

    with explained(f"the bucket {bucket}"):
        try:
            yield FailedBatches(client("s3", region), bucket)
        except FailedBatchesUnavailable as unavailable:
            raise Unreachable(f"the bucket {bucket} does not answer: {unavailable}; try again") from None
