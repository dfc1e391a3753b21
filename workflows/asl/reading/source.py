"""From text to plain JSON: read JSON or YAML strictly, and fill in ``${...}`` placeholders.

Refused are duplicate keys, anchors, tags, and values that JSON does not have (NaN, keys that are not strings).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from workflows.asl.signals import JSON

PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}")


class UnreadableSource(ValueError):
    """The text is neither JSON nor YAML, or holds a value that JSON does not have. The message says where."""


class MissingSubstitution(KeyError):
    """A placeholder ``${...}`` has no value."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.names,)

    def __str__(self) -> str:
        return f"no value for the placeholder{'s' if len(self.names) > 1 else ''} " + ", ".join(
            f"${{{name}}}" for name in self.names
        )


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Replace every ``${name}``, as CloudFormation's DefinitionSubstitutions do.

    Raises:
        MissingSubstitution: With the names of all placeholders that have no value.
    """
    missing = sorted({name for name in PLACEHOLDER.findall(text) if name not in values})
    if missing:
        raise MissingSubstitution(missing)
    return PLACEHOLDER.sub(lambda match: str(values[match[1]]), text)


def read(text: str) -> JSON:
    """Read JSON if the text starts like JSON, else YAML.

    Raises:
        UnreadableSource: The text is not valid.
    """
    try:
        if text.lstrip()[:1] in ("{", "["):
            return _read_json_or_flow_yaml(text)
        return _read_yaml(text)
    except RecursionError:
        raise UnreadableSource("nested too deeply") from None


def _read_json_or_flow_yaml(text: str) -> JSON:
    try:
        value: JSON = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        try:
            return _read_yaml(text)  # YAML's flow style starts like JSON too
        except UnreadableSource:
            raise UnreadableSource(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise UnreadableSource(f"the key '{key}' appears twice in one object")
        made[key] = value
    return made


def _refuse_constant(name: str) -> Any:
    raise UnreadableSource(f"{name} is not JSON")


def _read_yaml(text: str) -> JSON:
    import yaml

    try:
        node = _compose(text)
        if node is None:
            raise UnreadableSource("the text is empty")
        value: JSON = _from_node(node, _Reading(yaml, yaml.SafeLoader("")))
    except yaml.YAMLError as error:
        raise UnreadableSource(f"not YAML: {_yaml_problem(error)}") from None
    return value


def _yaml_problem(error: Any) -> str:
    """Return what is wrong and where. PyYAML quotes the text over several lines, for a terminal."""
    if getattr(error, "problem_mark", None) is None:
        return " ".join(str(error).split()).replace('"<unicode string>", ', "")
    begun = f", {error.context} from {_at(error.context_mark)}" if error.context and error.context_mark else ""
    return f"{error.problem} at {_at(error.problem_mark)}{begun}"


def _at(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _compose(text: str) -> Any:
    """Read YAML into nodes with libyaml, which takes a sixth of the time of PyYAML's own parser.

    A text that libyaml refuses is read again by PyYAML's own parser: its errors quote the place, and it accepts a few
    unusual texts that libyaml does not.
    """
    import yaml

    try:
        return yaml.compose(text, Loader=_libyaml_loader())
    except (yaml.YAMLError, UnicodeEncodeError):  # libyaml reads UTF-8, which has no lone surrogates
        return yaml.compose(text, Loader=yaml.SafeLoader)


@cache
def _libyaml_loader() -> Any:
    """Return a loader with libyaml's parser, or PyYAML's own one where libyaml is missing.

    The nodes are composed in Python, which raises RecursionError on a text that is nested too deeply. libyaml's own
    composer ends the process.
    """
    import yaml
    from yaml.composer import Composer

    if not hasattr(yaml, "CSafeLoader"):
        return yaml.SafeLoader

    class PythonComposer(Composer, yaml.CSafeLoader):
        def __init__(self, stream: Any) -> None:
            yaml.CSafeLoader.__init__(self, stream)
            Composer.__init__(self)

    return PythonComposer


class _Reading:
    """One YAML document being read: the library, its rules for scalars, and the nodes already read."""

    def __init__(self, yaml: Any, loader: Any) -> None:
        self.yaml = yaml
        self.loader = loader
        self.seen: set[int] = set()


def _from_node(node: Any, reading: _Reading) -> JSON:
    where = f"line {node.start_mark.line + 1}"
    if id(node) in reading.seen:
        raise UnreadableSource(f"the value at {where} is used by an alias; write it out, ASL has no anchors")
    reading.seen.add(id(node))
    if isinstance(node, reading.yaml.MappingNode):
        return _object([(_key(key), _from_node(value, reading)) for key, value in node.value])
    if isinstance(node, reading.yaml.SequenceNode):
        return [_from_node(item, reading) for item in node.value]
    return _scalar(node, reading.loader, where)


def _scalar(node: Any, loader: Any, where: str) -> JSON:
    if node.tag.endswith(":timestamp"):
        return str(node.value)  # JSON has no dates: keep the text
    value = loader.construct_object(node)
    if isinstance(value, float) and not math.isfinite(value):
        raise UnreadableSource(f"{node.value} at {where} is not JSON")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UnreadableSource(f"'{node.value}' at {where} is not a JSON value")


def _key(node: Any) -> str:
    where = f"line {node.start_mark.line + 1}"
    if not isinstance(node.value, str):
        raise UnreadableSource(f"a key at {where} is a list or an object; it must be a string")
    if not node.tag.endswith(":str"):
        raise UnreadableSource(f'the key {node.value} at {where} is not a string; quote it: "{node.value}"')
    return node.value
