"""Bad input, in a table: each case gives one clear line and its exit code, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_NO, _USAGE, _UNREACHABLE, _ACCESS_DENIED = 1, 2, 3, 4
_ORDER = "ord_" + "a" * 26

# The arguments ({tmp} is an empty folder), the exit code, and words that the line must contain.
_COMMANDS = {
    "an unknown command": ("serve", _USAGE, "No such command 'serve'"),
    "an unknown flag": ("up --date x", _USAGE, "No such option: --date"),
    "a missing value": ("up --data", _USAGE, "--data"),
    "a missing flag": ("up", _USAGE, "Missing option '--data'"),
    "a port that is not a number": ("up --data {tmp} --port http", _USAGE, "'--port'"),
    "a port out of range": ("up --data {tmp} --port 99999", _USAGE, "'--port'"),
    "a parameter without a value": ("up --data {tmp} --parameter CourierAnswerSeconds", _USAGE, "is not NAME=VALUE"),
    "a parameter given twice": ("up --data {tmp} --parameter A=1 --parameter A=2", _USAGE, "A is given twice"),
    "an unknown parameter": ("up --data {tmp} --parameter Speed=9", _USAGE, "has no parameter Speed"),
    "a parameter that is not a number": ("up --data {tmp} --parameter CourierAnswerSeconds=soon", _USAGE, "not 'soon'"),
    "a file as the folder": ("up --data {file}", _USAGE, "cannot hold an engine's data"),
    "a file as the folder of machines": ("asl serve --data {file}", _USAGE, "cannot hold machines and executions"),
    "a token for no role": ("token --role cook --id c1 --data {engine}", _USAGE, "there is no role 'cook'"),
    "a token for a bad id": ("token --role customer --id a/b --data {engine}", _USAGE, "'a/b' is not a customer id"),
    "a token that never lives": (
        "token --role customer --id c1 --ttl 0 --data {engine}",
        _USAGE,
        "not in the range 1<=x",
    ),
    "a token with a truncated secret": (
        "token --role customer --id c1 --data {half}",
        _USAGE,
        "holds no secret; delete it",
    ),
    "an engine with a truncated secret": ("up --port 0 --data {half}", _USAGE, "holds no secret; delete it"),
    "a token for a folder without an engine": (
        "token --role customer --id c1 --data {tmp}",
        _USAGE,
        "is not the folder of an engine",
    ),
    "a token for a missing folder": ("token --role customer --id c1 --data {tmp}/x", _USAGE, "there is no folder"),
    "an order without a file": ("order place --data {engine}", _USAGE, "give a FILE, - for stdin, or --example"),
    "an order file that is missing": ("order place {tmp}/none.json --data {engine}", _USAGE, "there is no file"),
    "an order file that is a folder": ("order place {tmp} --data {engine}", _USAGE, "Is a directory"),
    "an order that is not JSON": (
        "order place {file} --data {engine}",
        _USAGE,
        "is not JSON: Expecting value at line 1",
    ),
    "an order that is not an object": ("order place {list} --data {engine}", _USAGE, "an order is a JSON object"),
    "an invalid order id": (
        "order show nonsense --data {engine}",
        _NO,
        "expediter order list --id-prefix or --id-suffix",
    ),
    "no token": (f"order show {_ORDER}", _ACCESS_DENIED, "no token: set EXPEDITER_TOKEN"),
    "no such role": (f"order show {_ORDER} --data {{engine}} --as cook", _USAGE, "--as 'cook' is not ROLE:ID"),
    "no engine": (f"order show {_ORDER} --data {{engine}} --url http://127.0.0.1:1", _UNREACHABLE, "no engine answers"),
    "no address": (
        f"order show {_ORDER} --data {{engine}} --url nonsense",
        _UNREACHABLE,
        "is not the address of an engine",
    ),
    "another scheme": (f"order show {_ORDER} --data {{engine}} --url ftp://127.0.0.1", _UNREACHABLE, "not the address"),
    "a cancellation without a reason": (
        f"order cancel {_ORDER} --data {{engine}}",
        _USAGE,
        "Missing option '--reason'",
    ),
    "a failed delivery without its reason and fault": (
        f"order pass-on {_ORDER} failed --said-by Luigi --reason phoned --data {{engine}}",
        _USAGE,
        "give --party-reason and --fault with failed",
    ),
    "a missing item without its numbers": (
        f"order pass-on {_ORDER} item_unavailable --said-by Rosa --reason phoned --line 1 --data {{engine}}",
        _USAGE,
        "give --available with item_unavailable",
    ),
    "a replay without a time": (f"order replay {_ORDER} --data {{engine}}", _USAGE, "Missing option '--at'"),
    "an audit of a missing folder": ("audit verify --data {tmp}/x", _USAGE, "there is no folder"),
    "an audit of a file": ("audit verify --data {file}", _USAGE, "is not a folder"),
    "an audit of a folder without an engine": ("audit verify --data {tmp}", _USAGE, "is not the folder of an engine"),
    "an audit of a damaged database": ("audit verify --data {broken}", _USAGE, "is not the folder of an engine"),
    "heads of another shape": ("audit verify --data {engine} --heads {list}", _USAGE, "holds no heads"),
    "an empty list of heads": ("audit verify --data {engine} --heads {none}", _USAGE, "holds no heads"),
    "a sandbox without a folder name": ("sandbox --data=", _USAGE, "--data names no folder"),
    "an engine without a folder name": ("up --data=", _USAGE, "--data names no folder"),
    "heads of a folder without an engine": ("audit heads --data {tmp}", _USAGE, "is not the folder of an engine"),
    "a definition that is missing": ("asl check {tmp}/none.yaml", _USAGE, "there is no file"),
    "a definition in another encoding": ("asl check {bytes}", _USAGE, "is not text in UTF-8"),
    "no definition": ("asl check", _USAGE, "Missing argument 'FILE...'"),
    "an input that is not JSON": ("asl run {pass} --input {{x}}", _USAGE, "--input is not JSON"),
    "an input of too many digits": (f"asl run {{pass}} --input {'9' * 5000}", _USAGE, "has a number of 5000 digits"),
    "an endpoint that is no address": ("asl run {pass} --endpoint here", _USAGE, "'here' is not an HTTP address"),
    "an input that is not a number": ("asl run {pass} --input NaN", _USAGE, "NaN is not JSON"),
    "an input with an infinite number": ("asl run {pass} --input 1e999", _USAGE, "has a number that is too large"),
    "an input with half a character": ('asl run {pass} --input "\\ud800"', _USAGE, "has half of a surrogate pair"),
    "an input file that is missing": ("asl run {pass} --input @{tmp}/none.json", _USAGE, "there is no file"),
    "a function without a module": ("asl run {pass} --function F=f", _USAGE, "is not MODULE:CALLABLE"),
    "a function of a missing module": ("asl run {pass} --function F=no.such:f", _USAGE, "cannot be imported"),
    "a function of a module that ends itself": (
        "asl run {pass} --function F=ends_itself:f",
        _USAGE,
        "cannot be imported: SystemExit(0)",
    ),
    "a function that is missing": ("asl run {pass} --function F=json:nothing", _USAGE, "json has no callable nothing"),
    "a placeholder without a value": ("asl run {open}", _USAGE, "no value for the placeholder ${Wait}"),
    "a demo without orders": ("demo --orders 0", _USAGE, "'--orders'"),
    "an option without its value": ("demo --data", _USAGE, "requires an argument; see expediter demo --help\n"),
    "an option of a group's command without its value": (
        "order list --status",
        _USAGE,
        "requires an argument; see expediter order list --help\n",
    ),
    "a word in place of a number": ("demo --orders x", _USAGE, "'--orders': 'x' is not a whole number;"),
    "a command in a wrong group": (
        "order stats",
        _USAGE,
        "'stats'. Did you mean 'expediter stats'? See expediter order",
    ),
    "a command without its group": ("verify", _USAGE, "Did you mean 'expediter audit verify'? See expediter --help"),
    "a mistyped command without its group": ("verfy", _USAGE, "Did you mean 'expediter audit verify'?"),
    "a group with another name": ("incident list", _USAGE, "Did you mean 'incidents'? See expediter --help"),
    "a command of several groups": (
        "list",
        _USAGE,
        "Did you mean 'expediter order list', 'expediter restaurant list', ",
    ),
    "a command that is like no other": ("xyzzy", _USAGE, "No such command 'xyzzy'; see expediter --help\n"),
    "a demo with too many orders": ("demo --orders 1000000", _USAGE, "'--orders'"),
}

_FILES = {
    "list": "[1, 2]",
    "none": "[]",
    "file": "not JSON",
    "pass": '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}',
    "open": '{"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": "${Wait}", '
    '"End": true}}}',
}


@pytest.fixture
def places(tmp_path: Path, running: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Values of the table's placeholders; ``ends_itself`` is an importable module."""
    (tmp_path / "ends_itself.py").write_text("raise SystemExit(0)", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    files = {name: tmp_path / name for name in _FILES}
    for name, path in files.items():
        path.write_text(_FILES[name], encoding="utf-8")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    broken, empty, half = tmp_path / "broken", tmp_path / "empty", tmp_path / "half"
    for folder in (broken, empty, half):
        folder.mkdir()
    (broken / "expediter.sqlite").write_text("this is no database, " * 100, encoding="utf-8")
    (half / "tokens.key").write_text("abcd", encoding="ascii")
    named = {name: str(path) for name, path in files.items()}
    folders = {"tmp": str(empty), "broken": str(broken), "half": str(half), "engine": running.data}
    return {**named, **folders, "bytes": str(tmp_path / "bytes")}


@pytest.mark.parametrize("case", _COMMANDS)
def test_bad_input_is_refused_in_one_clear_line(case: str, expediter: Any, places: dict[str, str]) -> None:
    """One line on stderr names the mistake; stdout is empty; the exit code is stable."""
    template, code, words = _COMMANDS[case]
    result = expediter(*[argument.format(**places) for argument in template.split()])
    assert words in result.err
    assert result.code == code
    assert result.out == ""
    assert result.err.startswith("expediter: ")
    assert result.err.count("\n") == 1


_DEFINITIONS = {
    "empty": ("", "the text is empty"),
    "no object": ("[]", "must be an object with StartAt and States"),
    "no JSON and no YAML": ("a: [", "not YAML"),
    "another language": (
        '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}',
        "QueryLanguage: is JSONPath",
    ),
    "no states": ("QueryLanguage: JSONata\nStartAt: A\nStates: {}", "the machine: States: must be an object"),
    "a start that is not there": (
        "QueryLanguage: JSONata\nStartAt: B\nStates: {A: {Type: Pass, End: true}}",
        "the machine: StartAt",
    ),
    "a way to nowhere": (
        "QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Pass, Next: Nowhere}}",
        "state 'A': Next",
    ),
    "an unknown type": ("QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Sleep, End: true}}", "state 'A': Type"),
    "an unknown field": (
        "QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Pass, End: true, ResultPath: $.x}}",
        "state 'A': ResultPath",
    ),
    "a broken expression": (
        'QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Pass, End: true, Output: "{% 1 + %}"}}',
        "state 'A': Output",
    ),
    "a placeholder": (
        'QueryLanguage: JSONata\nStartAt: A\nStates: {A: {Type: Pass, End: true, Output: "${Total}"}}',
        "${Total} has no value",
    ),
    "a key given twice": ('{"StartAt": "A", "StartAt": "B"}', "the key 'StartAt' appears twice"),
    "an alias": ("a: &x {}\nb: *x", "used by an alias"),
}


_NO_DEFINITIONS = {"empty", "no object", "no JSON and no YAML", "a key given twice", "an alias"}
"""The text as a whole is refused, so that no machine is named besides the file."""


@pytest.mark.parametrize("case", _DEFINITIONS)
def test_a_problem_of_a_definition_is_listed_with_machine_state_and_field(
    case: str, expediter: Any, written: Callable[[str, str], str]
) -> None:
    """Problems are the data of ``asl check``, so they are on stdout; the exit code is 1 if there are any."""
    text, words = _DEFINITIONS[case]
    result = expediter("asl", "check", written("shop.asl.yaml", text))
    assert words in result.out
    assert (": shop: " in result.out) == (case not in _NO_DEFINITIONS)
    assert result.code == _NO
    assert result.err == ""


def test_a_refusal_of_the_engine_is_printed_in_its_own_words(expediter: Any, running: Any) -> None:
    """The engine's sentence explains the reason best."""
    result = expediter("order", "show", _ORDER, "--data", running.data)
    assert (result.code, result.err) == (_NO, f"expediter: Order {_ORDER} does not exist.\n")


@pytest.mark.parametrize(
    "at",
    ["yesterday", "2026-02-30", "2026-03-01T18:30:00", "0001-01-01T00:00:00+14:00", "9" * 5000, "-1", "1.5", ""],
    ids=lambda at: at[:30],
)
def test_an_invalid_time_is_refused_with_an_example(at: str, expediter: Any, running: Any) -> None:
    """A time without an offset is ambiguous."""
    result = expediter("order", "replay", _ORDER, "--at", at, "--data", running.data)
    assert result.code == _USAGE
    assert "neither a version, e.g. 7, nor a time: use 2026-03-01T18:30:00Z" in result.err


def test_an_order_with_a_wrong_field_is_refused_by_field(
    expediter: Any, running: Any, written: Callable[[str, str], str]
) -> None:
    """Nothing is placed, and the field is named."""
    result = expediter(
        "order", "place", written("order.json", '{"restaurant": "r", "lines": []}'), "--data", running.data
    )
    assert result.code == _NO
    assert "lines" in result.err


def test_the_error_for_an_expired_token_shows_how_to_get_a_new_one(
    expediter: Any, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 4, so that a script can mint one and go on."""
    from workflows.embedded.http.tokens import AccessTokens

    monkeypatch.setenv("EXPEDITER_TOKEN", AccessTokens.of(running.data).mint("support", "ida", ttl_s=-60))
    result = expediter("order", "show", _ORDER, "--url", running.url)
    assert result.code == _ACCESS_DENIED
    assert "expired; expediter token --role ROLE --id ID prints a new one" in result.err


def test_a_server_that_is_not_an_engine_is_recognised(expediter: Any, running: Any) -> None:
    """Its answers are not parsed as an engine's."""
    result = expediter("order", "show", _ORDER, "--data", running.data, "--url", running.url + "/elsewhere")
    assert result.code in {_NO, _UNREACHABLE}
    assert result.err.count("\n") == 1


def test_a_port_in_use_and_a_locked_folder_are_named(expediter: Any, running: Any, tmp_path: Path) -> None:
    """Both are common, and both errors show what to do."""
    port = running.url.rpartition(":")[2]
    taken = expediter("up", "--data", tmp_path / "other", "--port", port)
    assert taken.code == _USAGE
    assert "--port 0" in taken.err
    locked = expediter("up", "--data", running.data, "--port", "0")
    assert locked.code == _USAGE
    assert "is in use by process" in locked.err
