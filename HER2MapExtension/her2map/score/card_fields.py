"""Data classes from JSON: every value of the kind that its field says, nothing converted in silence."""

import types
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import InputError

T = TypeVar("T")
LARGEST = 1e100
"""Of a number. Products of a few such are still numbers."""
LARGEST_WHOLE = 2**53
LONGEST_SHOWN = 40
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def read(kind: type[T], content: Any, where: str) -> T:
    """An object of the data class `kind` from a JSON object with the same names.

    Raises:
        InputError: a field is missing, unknown, or of another kind; `where` and the field are named.
    """
    if not isinstance(content, dict):
        raise InputError(f"{where} must be an object.")
    own = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for problem, names in (("lacks", own - content.keys()), ("has the unknown field", content.keys() - own)):
        if names:
            raise InputError(f"{where} {problem} {shown(min(names))}.")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], content[name], name) for name in own})


def _value(kind: Any, content: Any, where: str) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        (wanted,) = (one for one in get_args(kind) if one is not type(None))
        return None if content is None else _value(wanted, content, where)
    if is_dataclass(kind):
        return read(kind, content, where)  # type: ignore[arg-type]
    if origin is tuple:
        if not isinstance(content, list):
            raise InputError(f"{where} must be a list.")
        return tuple(_value(get_args(kind)[0], one, where) for one in content)
    if origin is dict:
        if not isinstance(content, dict):
            raise InputError(f"{where} must be an object.")
        wanted = get_args(kind)[1]
        return {
            _plain(str, name, f"a name in {where}"): _value(wanted, one, f"{where}, {shown(name)},")
            for name, one in content.items()
        }
    return _plain(kind, content, where)


def _plain(kind: Any, content: Any, where: str) -> Any:
    if kind is float and type(content) in (int, float) and abs(content) <= LARGEST:
        return float(content)
    whole = kind is int and abs(content) <= LARGEST_WHOLE if type(content) is int else True
    if kind is not float and type(content) is kind and whole and not _unwritable(content):
        return content
    raise InputError(f"{where} must be {_WORDS[kind]}.")


def _unwritable(content: Any) -> bool:
    """Half of a surrogate pair is no character."""
    return isinstance(content, str) and any("\ud800" <= one <= "\udfff" for one in content)


def shown(content: Any) -> str:
    """A foreign word or number in a sentence: on one line, and not all of a long one."""
    if isinstance(content, (list, dict)):
        return "of another kind"
    text = content if isinstance(content, str) else str(content)[: 2 * LONGEST_SHOWN]
    text = "".join(one if one.isprintable() else "?" for one in text[: LONGEST_SHOWN + 1])
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
