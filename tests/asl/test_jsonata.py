"""Expressions: JSONata as Step Functions evaluates it, deterministic, bounded and thread-safe."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.asl.jsonata import evaluation
from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import UNDEFINED, Names
from workflows.asl.jsonata.expressions import compile_expression
from workflows.asl.jsonata.limits import EvaluationFailed, InvalidExpression

AT = datetime(2026, 3, 14, 15, 9, 26, 535000, tzinfo=UTC)
INPUT: dict[str, Any] = {
    "id": "o-1",
    "none": None,
    "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}, {"sku": "c", "n": 3}],
    "one": [7],
    "nested": {"list": [[1, 2], [3]], "price": 12.5},
    "text": '{"a":[1,null,2.5],"b":"x"}',
    "big": 9007199254740993,
    "large": "x" * 200_000,
}
DOUBLED = "($a0 := {'a': 1}; " + "".join(f"$a{n + 1} := {{'a': $a{n}, 'b': $a{n}}}; " for n in range(40)) + "?)"


def evaluate(source: str, variables: dict[str, Any] | None = None, seed: str = "s", **states: Any) -> Any:
    names = Names(variables or {}, {"input": INPUT, "context": {}, **states}, AT, Dice(seed))
    return compile_expression(source).evaluate(names)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("$states.input.id", "o-1"),
        ("$states.input.none", None),
        ("$states.input.nested.price", 12.5),
        ("$states.input.items.sku", ["a", "b", "c"]),
        ("$states.input.items[sku = 'b'].n", 2),  # a sequence of one is the value itself
        ("$states.input.items[n > 1].n", [2, 3]),
        ("$states.input.items[n > 1][].n", [2, 3]),
        ("$states.input.one", [7]),  # an array in the data stays an array
        ("$states.input.items[n > 2].n[]", [3]),  # [] keeps the array
        ("$states.input.nested.list", [[1, 2], [3]]),
        ("$sum($states.input.items.n)", 6),
        ("$states.input.big", 9007199254740993),
        ("1.5 * 2", 3),  # a whole number is an int
        ("10 / 4", 2.5),
        ("7 % 4", 3),
        ("5.5 % 2", 1.5),
        ("$string(0.1 + 0.2)", "0.3"),
        ("'id-' & 123456789012345", "id-123456789012345"),
        ("$string(2e20)", "200000000000000000000"),
        ("$replace('abc', /(b)(c)/, function($m) { $m.groups[0] & $m.groups[1] })", "abc"),
        ("$sort($states.input.items, function($l, $r) { false }).sku", ["a", "b", "c"]),
        ("$number('0b101')", 5),
        ("$toMillis('2024-02')", 1_706_745_600_000),
        ("$formatNumber(2.5, '0')", "2"),
        ("$contains('p{L}', /\\p{L}/)", True),  # without the flag u, \\p is a letter p
        ("$match('2020', /(?<y>\\d+)/).groups", ["2020"]),
        ("$contains('\u0663', /\\d/)", False),
        ("1 / 0", "Infinity"),  # as AWS writes the numbers that JSON lacks
        ("$count($distinct([1..100000]))", 100_000),
        ("$length($replace($states.input.large, 'x', 'yy'))", 400_000),
        ("'a' & 1 & true & null", "a1truenull"),
        ("$string({'order': 7, 'x': [1, 2]})", '{"order":7,"x":[1,2]}'),
        ("$exists($states.input.none)", True),
        ("$exists($states.input.nothing)", False),
        ("$count([1, null, 3])", 3),
        ("[$states.input.none]", [None]),
        ("{'a': $states.input.none, 'b': $states.input.nothing}", {"a": None}),  # undefined fields are left out
        ("$merge([{'a': 1}, {'b': 2}])", {"a": 1, "b": 2}),
        ("$states.input.id = 'o-1' and $not(false)", True),
        ("$map([1, 2], function($v) { $v * $factor })", [10, 20]),
        ("($total := 4; $total + 1)", 5),
        ("$now()", "2026-03-14T15:09:26.535Z"),
        ("$millis()", 1773500966535),
        ("$fromMillis(0)", "1970-01-01T00:00:00.000Z"),
        ("$lookup($states.input, 'id')", "o-1"),
        ("[]", []),
        ("$match('ab-12', /([a-z]+)-(\\d+)/).groups", ["ab", "12"]),
        ("$replace('abc', /(b)/, '[$1$2$12$99$$]')", "a[bb29$]c"),
        ("$replace('aXbx', /x/i, '-', 1)", "a-bx"),
        ("$replace('aXbX', 'X', '-', 1)", "a-bX"),
        ("$split('a, b', ', ')", ["a", "b"]),
        ("$join(['a', 'b'], '-')", "a-b"),
        ("$distinct(['a', 'b', 'a'])", ["a", "b"]),
        ("$count([1..873782])", 873_782),  # the longest list on AWS
        ("$split('a1b22c', /[0-9]+/)", ["a", "b", "c"]),
        ("$contains('caf\u00e9', /\\u00e9$/)", True),
        ("$contains('a\nb', /^b/m)", True),
        ("$contains('a\n', /a$/)", False),  # as in JavaScript, and unlike Python
    ],
)
def test_expressions_give_json(source: str, value: Any) -> None:
    """JSONata 2.0 semantics, with the time of the signal."""
    result = evaluate(source, {"factor": 10})
    assert result == value
    assert type(result) is type(value)
    json.dumps(result)


def test_nulls_are_values_at_every_depth() -> None:
    """A list or an object of the input may hold null, which is not undefined."""
    value = {"list": [1, None], "object": {"a": None}}
    assert evaluate("$map($v.list, function($x) { $x = null })", {"v": value}) == [False, True]
    assert evaluate("$v.list.{'x': $}", {"v": value}) == [{"x": 1}, {"x": None}]
    assert evaluate("$v.object.a", {"v": value}) is None
    assert evaluate("$v.list.($)", {"v": value}) == [1, None]
    assert evaluate("$v.list.($ = null ? 'none' : $)", {"v": value}) == [1, "none"]
    assert evaluate("$v.**[$ = null]", {"v": value}) == [None, None]


@pytest.mark.parametrize(("source", "place"), [("$x ?? 1", 5), ("$x ?: 1", 5)])
def test_operators_of_later_versions_are_refused_with_their_place(source: str, place: int) -> None:
    """Step Functions has JSONata 2.0.6, and would refuse the definition."""
    with pytest.raises(InvalidExpression, match=f"S0211: .* cannot be used as a unary operator, at character {place}"):
        compile_expression(source)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("1 + 'a'", 'T2002: The right side of the "+" operator must evaluate to a number'),
        ("$sum(['a'])", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("{1: 2}", "T1003: Key in object structure must evaluate to a string; got: 1"),
        ("$number('+5')", 'D3030: Unable to cast value to a number: "+5"'),
        ("$toMillis('2018-02-03 11:15:33')", "D3110: The argument of the toMillis function must be an ISO 8601 "
         'formatted timestamp. Given "2018-02-03 11:15:33"'),
        ("$error('no stock')", "D3137: no stock"),
    ],
)  # fmt: skip
def test_an_error_has_jsonatas_code_and_sentence(source: str, sentence: str) -> None:
    """As the cause of States.QueryEvaluationError, in which people look for it."""
    with pytest.raises(EvaluationFailed) as raised:
        evaluate(source)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("$partition([1,2,3,4,5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([1,2,3], 2.9)", [[1, 2], [3]]),  # rounds towards zero
        ("$partition([], 2)", UNDEFINED),
        ("$partition([1], 0)", UNDEFINED),
        ("$range(0, 10, 5)", [0, 5, 10]),
        ("$range(3, 1, -1)", [3, 2, 1]),
        ("$range(-1.7, 2, 1)", [-1, 0, 1, 2]),
        ("$range(4, 4, 1)", 4),  # one element is that number
        ("$range(1, 3)", UNDEFINED),
        ("$range(1, 3, 0)", UNDEFINED),
        ("$range(1, 3, -1)", UNDEFINED),
        ("$hash('a', 'MD5')", hashlib.md5(b"a").hexdigest()),
        ("$hash('ä', 'SHA-256')", hashlib.sha256("ä".encode()).hexdigest()),
        ("$hash('a', 'SHA-1')", hashlib.sha1(b"a").hexdigest()),
        ("$hash('a', 'SHA-384')", hashlib.sha384(b"a").hexdigest()),
        ("$hash('a', 'SHA-512')", hashlib.sha512(b"a").hexdigest()),
        ("$hash('a')", UNDEFINED),
        ("$parse($states.input.text)", {"a": [1, None, 2.5], "b": "x"}),
        ("$parse('null')", None),
        ("$parse('9223372036854775808')", 9.223372036854775808e18),  # beyond a long it is a double
        ("$random(5) = $random(5)", True),
        ("$random() != $random()", True),
        ("$uuid() != $uuid()", True),
        ("$match($uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/).index", 0),
    ],
)
def test_the_functions_step_functions_adds(source: str, value: Any) -> None:
    """AWS docs, Transforming data with JSONata; the edge cases as measured on AWS."""
    assert evaluate(source) == value


def test_the_same_seed_gives_the_same_draws() -> None:
    """Replaying a journal gives the same results; another seed gives other results."""
    source = "[$random(), $uuid(), $shuffle([1..20])]"
    assert evaluate(source, seed="tuesday") == evaluate(source, seed="tuesday")
    assert evaluate(source, seed="tuesday") != evaluate(source, seed="wednesday")


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("'a' + 1", "T2001"),
        ("$sum('x')", "T0412"),
        ("$hash('a', 'CRC')", "unsupported hash"),
        ("$parse('{')", "not JSON"),
        ("function($x) { $x }", "function, not JSON"),
        ("[$sum]", "function, not JSON"),
        ("{'f': $sum}", "function, not JSON"),
        ("1 + 1 / 0", "D1001"),
        ("/b/('ab')", "function, not JSON"),
        ("$states.input.id('x')", "T1006"),
        ("$error('mine')", "mine"),
        ("$assert(false, 'said so')", "said so"),
        ("($f := function($x) { $f($x + 1) }; $f(1))", "infinite loop"),
        ("($f := function($x) { 1 + $f($x) }; $f(1))", "Stack overflow"),
        ("[1..900000]", "memory limit"),
        ("$range(1, 400000, 1)", "memory limit"),
        ("$pad('x', 1e9)", "memory limit"),
        ("$reduce([1..40], function($text, $i) { $text & $text }, 'xxxxxxxxxx')", "memory limit"),
        ("[1..800000].[1..800000]", "memory limit"),
        ("$map([1..400000], function($i) { [1..100] })", "memory limit"),
        ("[1..30].$pad('x', 6000000)", "memory limit"),
        ("$join([1..100].$states.input.large)", "memory limit"),
        ("$string([1..100].$states.input.large)", "memory limit"),
        ("$split($pad('x', 1000000), '')", "memory limit"),
        ("$replace($states.input.large, /x/, $states.input.large)", "memory limit"),
        ("$replace($states.input.large, 'x', $states.input.large)", "memory limit"),
        ("$match($states.input.large, /x/)", "too much text"),
        ("($list := [1..300000]; $filter([1..100000], function($x) { 0 in $list }))", "infinite loop"),
        (DOUBLED.replace("?", "$a40"), "memory limit"),
        (DOUBLED.replace("?", "$string($a40)"), "memory limit"),
        (DOUBLED.replace("?", "$a40 = $a39"), "memory limit"),
    ],
)
def test_every_error_is_one_kind_of_failure(source: str, part: str) -> None:
    """The state sees States.QueryEvaluationError; no expression hangs or fills the memory."""
    with pytest.raises(EvaluationFailed, match=re.escape(part)):
        evaluate(source)


@pytest.mark.parametrize("source", ["$match($t, /(a+)+$/)", "$contains($t, /(a|a)*$/)", "$split($t, /(a*)*b/)"])
def test_a_regular_expression_takes_time_in_proportion_to_the_text(source: str) -> None:
    """In an engine that backtracks each of these runs without end on 40 letters."""
    evaluate(source, {"t": "a" * 40_000 + "!"})


def test_a_regular_expression_that_reads_too_much_text_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each match of this one reads to the end of the text, so the time is quadratic."""
    monkeypatch.setattr(evaluation, "SCANNED_MAX", 10_000_000)
    with pytest.raises(EvaluationFailed, match="reads too much text"):
        evaluate("$count($match($text, /a(?:.*b)?/))", {"text": "a" * 20_000})


def test_the_picture_of_a_time_that_reads_too_much_text_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is a regular expression with a group for each part, and each group costs another scan."""
    monkeypatch.setattr(evaluation, "SCANNED_MAX", 1_000_000)
    with pytest.raises(EvaluationFailed, match="reads too much text"):
        evaluate("$map([1..20], function($i) { $toMillis($text, '[Y].[M].[D]') })", {"text": "1" * 20_000})


@pytest.mark.parametrize("source", ["/a(?=b)/", "/(?<!a)b/", "/(a)\\1/"])
def test_lookaround_and_backreferences_are_refused(source: str) -> None:
    """They cannot be matched in linear time, so a definition that uses them is not accepted."""
    with pytest.raises(InvalidExpression, match="lookaround and backreferences are not supported"):
        compile_expression(f"$contains('ab', {source})")


BACKTRACKING = {
    "a literal in the picture of a time": "$toMillis('" + "a" * 40 + "!', '(a+)+x[Y]')",
    "names in the picture of a time": "$toMillis('" + "a" * 60 + "!', '" + "[MNn]" * 25 + "[Y]')",
    "digits in the picture of a time": "$toMillis('" + "1" * 60 + "x', '" + "[D]" * 40 + "')",
    "repeated parameters": f"(function($x)<{'s+' * 12}n:x>{{1}})({','.join(['1'] + ['$t'] * 40)})",
    "optional parameters": f"(function($x)<{'s?' * 40}n:x>{{1}})({','.join(['$t'] * 30)})",
}


@pytest.mark.parametrize("source", BACKTRACKING.values(), ids=BACKTRACKING)
def test_pictures_and_signatures_take_linear_time(source: str) -> None:
    """They become regular expressions. With a backtracking engine each of these runs without end."""
    with suppress(EvaluationFailed):
        assert evaluate(source, {"t": "a"}) is UNDEFINED


def test_literals_in_the_picture_of_a_time_mean_themselves() -> None:
    """A dot is a dot, and parentheses are parentheses."""
    assert evaluate("$toMillis('(2020.5)', '([Y].[M])')") == 1_588_291_200_000
    assert evaluate("$toMillis('(2020x5)', '([Y].[M])')") is UNDEFINED


def test_a_time_without_a_day_is_completed_from_the_time_of_the_signal() -> None:
    """Not from the clock: folding a journal on another day must give the same result."""
    assert evaluate("$fromMillis($toMillis('10:30', '[H01]:[m01]'))") == "2026-03-14T10:30:00.000Z"


UNCOUNTED = {
    "in the last call of a function": ("$map([1..1000], function($i) { $range(1, 300000, 1) })", "memory limit"),
    "passed to a function": ("($l := [[1..300000]]; $map([1..1000], function($i) { $map($l, $shuffle) }))", "limit"),
    "partially applied": ("$map([1..1000], $range(?, 300000, 1))", "memory limit"),
    "a picture": ("$map([1..9000], function($i) { $fromMillis(0, $pad('', 9000, '[Y]')) })", "infinite loop"),
    "a width": ("$fromMillis(0, '[M01,1000000000]')", "width"),
    "a power of ten": ("$fromMillis(0, '[Y,1_000_000_0-1 000 000 000]')", "width"),
    "a group": ("[1..100000]{'a': $}", "infinite loop"),
    "a wildcard": ("($o := $merge([1..9999].{$string($): [1..99]}); [1..99].($o.*))", "infinite loop"),
    "a copy": ("($o := {'a': [1..9999]}; $map([1..2000].$o, |b|{'c': 1}|))", "memory limit"),
}


@pytest.mark.parametrize(("source", "part"), UNCOUNTED.values(), ids=UNCOUNTED)
def test_work_is_counted_wherever_it_is_done(source: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these took gigabytes or minutes, because it is done without evaluating a node."""
    monkeypatch.setattr(evaluation, "STEPS_MAX", 50_000)  # a tenth, so that the test takes a tenth of the time
    began_s = time.process_time()
    with pytest.raises(EvaluationFailed, match=part):
        evaluate(source)
    assert time.process_time() - began_s < 30  # some 0.5 s; the attack took minutes


def test_an_own_function_can_be_applied_partially() -> None:
    """As the functions of JSONata itself."""
    assert evaluate("$map(['a', 'b'], $pad(?, 3, '-'))") == ["a--", "b--"]


def test_an_expression_is_not_longer_than_its_parser_can_bear() -> None:
    """A limit of the engine: Step Functions limits the whole definition to a megabyte."""
    assert evaluate("'" + "x" * 60_000 + "'") == "x" * 60_000
    with pytest.raises(InvalidExpression, match="the maximum is 65536"):
        compile_expression("'" + "x" * 65_536 + "'")


def test_an_expression_may_nest_a_hundred_levels() -> None:
    """Measured on AWS: 1+1+...+1 with 100 terms passes, 101 do not."""
    assert evaluate("+".join("1" * 100)) == 100
    with pytest.raises(EvaluationFailed, match="Depth=101 max=100"):
        evaluate("+".join("1" * 101))


def test_a_broken_expression_is_found_when_it_is_compiled() -> None:
    """Not only when an order reaches the state."""
    with pytest.raises(InvalidExpression):
        compile_expression("$states.input[")


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_evaluating_does_not_change_the_input(value: Any) -> None:
    """States share documents without copying them, so an evaluation must not write to its input."""
    names = {"input": {"v": value, "list": [value, value]}, "context": {}}
    before = copy.deepcopy(names)
    for source in (
        "$states.input.v",
        "$append($states.input.list, $states.input.v)",
        "$reverse($states.input.list)",
        "[$states.input.list, 1]",
        "$merge([$states.input, {'v': 2}])",
        "$states.input ~> |$|{'v': 3}|",
        "$sift($states.input, function($v, $k) { $k = 'v' })",
        "$each($states.input, function($v, $k) { $v })",
    ):
        try:
            compile_expression(source).evaluate(Names({}, names, AT, Dice("s")))
        except EvaluationFailed:
            continue
    assert names == before


def test_many_threads_evaluate_one_expression_at_once() -> None:
    """Threads share the compiled expression; each evaluation has its own state."""
    source = "($f := function($n) { $n <= 1 ? 1 : $n * $f($n - 1) }; $f($n) + $count($states.input.items) * 0)"

    def work(n: int) -> Any:
        return [evaluate(source, {"n": n}), evaluate("$uuid()", seed=str(n)), evaluate("$n & '-' & $now()", {"n": n})]

    alone = [work(n % 9) for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(work, [n % 9 for n in range(200)]))
    assert together == alone
