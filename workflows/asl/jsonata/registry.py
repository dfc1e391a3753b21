"""The functions that every expression can call, by name, with their signatures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from workflows.asl.jsonata import date_reading, date_writing, integer_pictures, number_pictures
from workflows.asl.jsonata import functions as added
from workflows.asl.jsonata import list_functions as lists
from workflows.asl.jsonata import number_functions as numbers
from workflows.asl.jsonata import text_functions as texts
from workflows.asl.jsonata.evaluation import UNDEFINED, current
from workflows.asl.jsonata.limits import check_size
from workflows.asl.jsonata.signatures import Signature
from workflows.asl.jsonata.values import FunctionValue


class BuiltIn(FunctionValue):
    """A function that is written in Python.

    The arguments and the result are counted, because the function works on them in one step of the evaluation.
    """

    __slots__ = ("_arity", "_implementation", "_sees_undefined", "_signature", "_text", "name")

    def __init__(self, name: str, implementation: Callable[..., Any], signature: str) -> None:
        self.name = name
        self._implementation = implementation
        self._text = signature
        self._signature: Signature | None = None
        self._sees_undefined = name in _SEES_UNDEFINED
        code = implementation.__code__
        self._arity = code.co_argcount - len(implementation.__defaults__ or ())

    @property
    def arity(self) -> int:
        """The number of its parameters, without those that have a default."""
        return self._arity

    def apply(self, arguments: list[Any]) -> Any:
        """Call it without a context item."""
        return self.call(arguments, None)

    def call(self, arguments: list[Any], item: Any) -> Any:
        """Call it.

        Args:
            arguments: Arguments as they are written.
            item: The context item, which some functions take in the place of a missing argument.

        Raises:
            JSONataError: An argument has another type than the signature says, or an error of the function.
            EvaluationFailed: The evaluation exceeds a bound.
        """
        if self._signature is None:
            self._signature = Signature(self._text)
        validated = self._signature.validate(arguments, item)
        if not self._sees_undefined and validated[0] is UNDEFINED:
            return UNDEFINED
        evaluation = current()
        for argument in validated:
            evaluation.count_work(argument)
        result = self._implementation(*validated)
        if isinstance(result, str | list | dict):
            check_size(result, len(result))
            evaluation.count_made(result)
        return result


_SEES_UNDEFINED: Final = frozenset(
    {"count", "exists", "keys", "append", "zip", "error", "assert", "now", "millis", "random", "uuid"}
)  # for all others, an undefined first argument makes the result undefined
_FUNCTIONS: Final[tuple[tuple[str, Callable[..., Any], str], ...]] = (
    ("sum", lists.total, "<a<n>:n>"),
    ("count", lists.count, "<a:n>"),
    ("max", lists.maximum, "<a<n>:n>"),
    ("min", lists.minimum, "<a<n>:n>"),
    ("average", lists.average, "<a<n>:n>"),
    ("string", texts.string, "<x-b?:s>"),
    ("substring", texts.substring, "<s-nn?:s>"),
    ("substringBefore", texts.substring_before, "<s-s:s>"),
    ("substringAfter", texts.substring_after, "<s-s:s>"),
    ("lowercase", texts.lowercase, "<s-:s>"),
    ("uppercase", texts.uppercase, "<s-:s>"),
    ("length", texts.length, "<s-:n>"),
    ("trim", texts.trim, "<s-:s>"),
    ("pad", texts.pad, "<s-ns?:s>"),
    ("match", texts.match, "<s-f<s:o>n?:a<o>>"),
    ("contains", texts.contains, "<s-(sf):b>"),
    ("replace", texts.replace, "<s-(sf)(sf)n?:s>"),
    ("split", texts.split, "<s-(sf)n?:a<s>>"),
    ("join", texts.join, "<a<s>s?:s>"),
    ("base64encode", texts.base64encode, "<s-:s>"),
    ("base64decode", texts.base64decode, "<s-:s>"),
    ("encodeUrlComponent", texts.encode_url_component, "<s-:s>"),
    ("encodeUrl", texts.encode_url, "<s-:s>"),
    ("decodeUrlComponent", texts.decode_url_component, "<s-:s>"),
    ("decodeUrl", texts.decode_url, "<s-:s>"),
    ("formatNumber", number_pictures.format_number, "<n-so?:s>"),
    ("formatBase", numbers.format_base, "<n-n?:s>"),
    ("formatInteger", integer_pictures.format_integer, "<n-s:s>"),
    ("parseInteger", integer_pictures.parse_integer, "<s-s:n>"),
    ("number", numbers.number, "<(nsb)-:n>"),
    ("floor", numbers.floor, "<n-:n>"),
    ("ceil", numbers.ceil, "<n-:n>"),
    ("round", numbers.round_half_even, "<n-n?:n>"),
    ("abs", numbers.absolute, "<n-:n>"),
    ("sqrt", numbers.square_root, "<n-:n>"),
    ("power", numbers.power, "<n-n:n>"),
    ("boolean", lists.boolean, "<x-:b>"),
    ("not", lists.negation, "<x-:b>"),
    ("map", lists.mapped, "<af>"),
    ("zip", lists.zipped, "<a+>"),
    ("filter", lists.filtered, "<af>"),
    ("single", lists.single, "<af?>"),
    ("reduce", lists.reduced, "<afj?:j>"),
    ("sift", lists.sifted, "<o-f?:o>"),
    ("keys", lists.keys, "<x-:a<s>>"),
    ("lookup", lists.lookup, "<x-s:x>"),
    ("append", lists.appended, "<xx:a>"),
    ("exists", lists.exists, "<x:b>"),
    ("spread", lists.spread, "<x-:a<o>>"),
    ("merge", lists.merged, "<a<o>:o>"),
    ("reverse", lists.reverse, "<a:a>"),
    ("each", lists.each_field, "<o-f:a>"),
    ("error", lists.fail, "<s?:x>"),
    ("assert", lists.assert_that, "<bs?:x>"),
    ("type", lists.type_name, "<x:s>"),
    ("sort", lists.sort, "<af?:a>"),
    ("shuffle", lists.shuffle, "<a:a>"),
    ("distinct", lists.distinct, "<x:x>"),
    ("clone", lists.clone, "<(oa)-:o>"),
    ("toMillis", date_reading.to_millis, "<s-s?:n>"),
    ("fromMillis", date_writing.from_millis, "<n-s?s?:s>"),
    ("now", date_writing.now, "<s?s?:s>"),
    ("millis", date_writing.millis, "<:n>"),
    # Of Step Functions: https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
    ("partition", added.partition, "<a-n?:a>"),
    ("range", added.number_range, "<n-n?n?:a>"),
    ("hash", added.hash_of, "<s-s?:s>"),
    ("random", added.random_number, "<n?:n>"),
    ("uuid", added.uuid4, "<:s>"),
    ("parse", added.parse_json, "<s-:x>"),
)
BUILT_INS: Final = {name: BuiltIn(name, implementation, signature) for name, implementation, signature in _FUNCTIONS}
