"""Expressions for the differential test: strategies of Hypothesis for all operators, paths and functions."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

TEXTS = st.sampled_from(
    ["", "a", "b", "ab", "A-b", "x1y22", " a  b ", "12", "-1.5e2", "0x1f", "h\u00e9llo", "\U0001f600b", "\ufffd", "%41",
     "https://a.b/c?d=e f", "2024-02-29T10:00:00Z", "2024-02", "MCMXC", "twenty-one", "YWI=", "null"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [0, 1, 2, 3, -1, -2, 10, 0.5, 1.5, 2.5, -2.5, 3.14159, 0.1, 1e-7, 1e15, 123456789012345678, 2**53, 2**53 + 1, 1e21,
     1e300, 1520000000000, 255]
)  # fmt: skip
NAMES = st.sampled_from(["a", "b", "c"])
SCALARS: st.SearchStrategy[Any] = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
REGEXES = st.sampled_from(
    ["/a/", "/(a)|b/", "/[a-z]+/i", r"/\\d+/", r"/\\s/", "/(x)?(y)?./", "/^./m", "/b$/", r"/[^\\w\\s]/", "/(?<n>l+)/",
     r"/\\u00e9/", "/x*/", r"/\\p{L}/", "/[[]|b/"]
)  # fmt: skip
PICTURES = st.sampled_from(
    ["0", "#,##0.00", "00.0#", "0%", "#.#e0", "0;(0)", "0.0;-0.00", "1;o", "w", "W", "Ww;o", "i", "I", "a", "A",
     "[Y0001]-[M01]-[D01]", "[H01]:[m01]:[s01].[f001][Z]", "[FNn], [D1o] [MNn,3-3] [Y,2-2]", "[W] [w] [X] [x] [d]",
     "#,##0", "[h]:[m] [P]", "[z] [Z0000] [Z01:01t]", "#'0", ""]
)  # fmt: skip
LITERALS = (
    NUMBERS.map(json.dumps)
    | TEXTS.map(json.dumps)
    | st.sampled_from(["true", "false", "null", "[]", "{}", "[1, 2, 3]", '[{"a": 1}, {"a": null}]', "$nope"])
)
ROOTS = st.sampled_from(["$x", "$y", "$states.input", "$"])
STEPS = st.sampled_from(
    [".a", ".b", ".c", ".*", ".**", "[0]", "[-1]", "[]", "[$ > 1]", "[a = 1]", ".$", "[[0..1]]", "^(a)", "^(>b, a)",
     "{$string(a): b}", "#$i[$i < 2]", "@$v.{'v': $v}", ".[a, b]", ".(a & b)", ".{'k': $}", "[$exists(a)]", ".a.%"]
)  # fmt: skip
PATHS = st.builds(lambda root, steps: root + "".join(steps), ROOTS, st.lists(STEPS, max_size=3))
LAMBDAS = st.sampled_from(
    ["function($v){$v}", "function($v, $i){$i}", "function($v, $i, $l){$count($l)}", "function($l, $r){$l > $r}",
     "function($l, $r){$string($l) & $r}", "function($m){$m.groups[0] & '!'}", "function($v){$v = null}", "$string",
     "$boolean", "$append", "$pad(?, 3)", "$uppercase ~> $length", "$type", "function(){1}"]
)  # fmt: skip
ONE = st.sampled_from(
    ["string", "length", "uppercase", "lowercase", "trim", "number", "abs", "floor", "ceil", "round", "sqrt", "sum",
     "max", "min", "average", "count", "boolean", "not", "exists", "type", "keys", "spread", "merge", "reverse",
     "distinct", "sort", "join", "base64encode", "base64decode", "encodeUrl", "encodeUrlComponent", "decodeUrl",
     "decodeUrlComponent", "fromMillis", "toMillis", "formatBase", "clone", "zip", "single", "assert", "error"]
)  # fmt: skip
TWO = st.sampled_from(
    ["append", "lookup", "power", "round", "formatBase", "substringBefore", "substringAfter", "substring", "pad",
     "contains", "split", "join", "zip", "string", "number"]
)  # fmt: skip
WITH_PICTURE = st.sampled_from(["formatNumber", "formatInteger", "parseInteger", "fromMillis", "toMillis"])
WITH_FUNCTION = st.sampled_from(["map", "filter", "single", "reduce", "sort", "sift", "each"])
WITH_REGEX = st.sampled_from(["match", "contains", "split"])
OPERATORS = st.sampled_from(
    ["+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "&", "and", "or", "in", "~>"]
)  # fmt: skip


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return expressions that are made of others."""
    items = st.lists(inner, max_size=3).map(", ".join)
    return (
        st.builds("({} {} {})".format, inner, OPERATORS, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
        | st.builds("${}({})".format, ONE, inner)
        | st.builds("${}({}, {})".format, TWO, inner, inner)
        | st.builds("$substring({}, {}, {})".format, inner, inner, inner)
        | st.builds("$pad({}, {}, {})".format, inner, inner, inner)
        | st.builds("${}({}, {})".format, WITH_PICTURE, inner, PICTURES.map(json.dumps))
        | st.builds("${}({}, {})".format, WITH_FUNCTION, inner, LAMBDAS)
        | st.builds("${}({}, {})".format, WITH_REGEX, inner, REGEXES)
        | st.builds("$replace({}, {}, {})".format, inner, REGEXES, inner | LAMBDAS)
        | st.builds("$replace({}, {}, {})".format, inner, inner, inner)
        | st.builds("[{}]".format, items)
        | st.builds("{{'a': {}, 'b': {}}}".format, inner, inner)
        | st.builds("({}){}".format, inner, STEPS)
        | st.builds("({}).({})".format, inner, inner)
        | st.builds("(-{})".format, inner)
        | st.builds("({{'z': {{'a': {}}}}} ~> |z|{{'c': {}}}, 'a'|)".format, inner, inner)
        | st.builds("($t := {}; $t & {})".format, inner, inner)
    )


EXPRESSIONS = st.recursive(PATHS | LITERALS, combined, max_leaves=6)
