"""Data classes from JSON: every value of the kind that its field says, nothing converted in silence."""

import math
import sys
import types
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ..errors import InputError

T = TypeVar("T")
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
            raise InputError(f"{where} {problem} {min(names)}.")
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
        return {name: _value(get_args(kind)[1], one, f"{where}, {name},") for name, one in content.items()}
    return _plain(kind, content, where)


def _plain(kind: Any, content: Any, where: str) -> Any:
    if kind is float and type(content) in (int, float):
        number = float(content) if abs(content) <= sys.float_info.max else math.inf
        if math.isfinite(number):
            return number
    elif type(content) is kind:
        return content
    raise InputError(f"{where} must be {_WORDS[kind]}.")
