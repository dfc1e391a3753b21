"""Check the text of a query, and put the relations that it names in front of it.

This is the first of two walls, and gives the understandable errors: the database itself admits no other table, column
or function either. What the reader below does not know is refused, so that both databases and it agree on what a text
means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from workflows.queries.refusals import QueryRefused
from workflows.queries.relations import RELATIONS, Relation

Dialect = Literal["sqlite", "postgresql"]

SQL_MAX: Final = 10_000
"""Characters of a query."""

_TOKENS_MAX, _DEPTH_MAX = 1500, 50


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FUNCTIONS = _words(
    "count sum avg min max abs round coalesce nullif length lower upper substr trim ltrim rtrim row_number rank "
    "dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value"
)
FUNCTIONS: Final = {
    "sqlite": _FUNCTIONS
    | _words(
        "total ifnull iif instr like glob replace date time datetime julianday unixepoch strftime json_extract "
        "json_array_length json_type json_valid"
    ),
    # none that makes a text longer than its input: PostgreSQL has no limit on that
    "postgresql": _FUNCTIONS
    | _words(
        "greatest least strpos starts_with date_trunc date_part to_timestamp extract bool_and bool_or stddev variance "
        "json_extract_path_text json_array_length json_typeof percentile_cont percentile_disc"
    ),
}
"""The functions that may be called."""

_BEFORE_PAREN = _words(
    "all and any as between by case cast distinct else except exists filter from group having in intersect is join "
    "lateral like limit materialized not offset on or order over partition select some then union using values when "
    "where with within varchar char decimal numeric"
)
"""Words that stand before a parenthesis without being called."""

_NOT_NAMES = _words(
    "recursive into main temp temporary public information_schema pragma attach detach vacuum analyze explain copy "
    "tablesample for share update insert delete alter create drop grant revoke set reset call do listen notify "
    "load_extension rowid _rowid_ oid ctid xmin xmax tableoid"
)

_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)
    |(?P<text>'(?:[^'\\\x00]|'')*')
    |(?P<quoted>"[A-Za-z][A-Za-z0-9_ ]{0,62}")
    |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)
    |(?P<operator>->>|->|::|<=|>=|<>|!=|\|\||[-+*/%=<>,.()])""",
    re.VERBOSE,
)


def _bracketed(body: str, tokens: list[_Token]) -> str:
    """Write names in quotes with brackets: SQLite takes a name in quotes that no column has for a text."""
    for token in tokens:
        if token.kind == "quoted":
            end = token.at + len(token.text)
            body = f"{body[: token.at]}[{token.text[1:-1]}]{body[end:]}"
    return body


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


def prepared(sql: str, dialect: Dialect, as_of: str | None = None) -> str:
    """Return the statement to run: the query with its relations in front.

    Args:
        as_of: Leave out what was recorded after this time, as in the log.

    Raises:
        QueryRefused: The text is not one query over the relations, or it uses something that may not be used.
    """
    body = sql.strip().removesuffix(";")
    if len(sql) > SQL_MAX:
        raise QueryRefused(f"The query has more than {SQL_MAX:,} characters.")
    tokens = list(_tokens(body))
    if not tokens or tokens[0].text.lower() not in ("select", "with"):
        raise QueryRefused("A query begins with SELECT or WITH.")
    if len(tokens) > _TOKENS_MAX:
        raise QueryRefused("The query has too many parts.")
    _check(tokens, dialect)
    if dialect == "sqlite":
        body = _bracketed(body, tokens)
    words = {token.text.lower() for token in tokens if token.kind == "word"}
    used = [relation for name, relation in RELATIONS.items() if name in words]
    if as_of is not None:
        for relation in used:
            if relation.recorded_at is None:
                raise QueryRefused(f"{relation.name} has the state now, so it cannot be read as of an earlier time.")
    definitions = ", ".join(_definition(relation, dialect, as_of) for relation in used)
    if not definitions:
        return body
    rest = f", {body[4:]}" if tokens[0].text.lower() == "with" else f" {body}"
    return f"WITH {definitions}{rest}"


def _tokens(sql: str) -> Iterator[_Token]:
    at = 0
    before = ""
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        kind = match.lastgroup if match else None
        if (
            match is None
            or kind is None
            or (kind in ("text", "quoted", "word") and before in ("word", "number", "text", "quoted"))
        ):
            raise QueryRefused(f"The query cannot be read at character {at + 1}: {sql[at : at + 20]!r}.")
        if sql.startswith(("--", "/*"), at):
            raise QueryRefused("A query has no comments.")
        if kind != "space":
            yield _Token(kind, match[0], at)
        before, at = kind, match.end()


def _check(tokens: list[_Token], dialect: Dialect) -> None:
    depth = 0
    for number, token in enumerate(tokens):
        following = tokens[number + 1].text if number + 1 < len(tokens) else ""
        word = token.text.strip('"').lower() if token.kind in ("word", "quoted") else ""
        if word in _NOT_NAMES or word.startswith(("pg_", "sqlite_")):
            raise QueryRefused(f"{token.text} may not be used in a query.")
        if word and following == "(" and (token.kind == "quoted" or word not in FUNCTIONS[dialect] | _BEFORE_PAREN):
            raise QueryRefused(f"The function {token.text} may not be used in a query.")
        if token.text == "||" and dialect == "postgresql":
            raise QueryRefused("|| may not be used in a query on PostgreSQL.")
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if not 0 <= depth <= _DEPTH_MAX:
            break
    if depth != 0:
        raise QueryRefused(f"The query's parentheses do not fit, or are deeper than {_DEPTH_MAX}.")


def _definition(relation: Relation, dialect: Dialect, as_of: str | None) -> str:
    def column(name: str) -> str:
        is_json = dialect == "postgresql" and name in relation.json
        return f'CAST("{name}" AS json) AS "{name}"' if is_json else f'"{name}"'

    schema = "main." if dialect == "sqlite" else ""
    columns = ", ".join(map(column, relation.columns))
    where = "" if as_of is None else f" WHERE \"{relation.recorded_at}\" <= '{as_of}'"
    return f'{relation.name} AS NOT MATERIALIZED (SELECT {columns} FROM {schema}"{relation.table}"{where})'
