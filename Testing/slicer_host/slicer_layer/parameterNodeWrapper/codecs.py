"""How values of each type are written into a parameter node and read back."""

import enum
import pathlib
import types
import typing

import slicer

from .annotations import IsInstance, NotNone, Validator, split
from .observed import ObservedDict, ObservedList

_PATHS = (pathlib.Path, pathlib.PosixPath, pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath)


class Codec:
    """Writes one value as one text; stands for Slicer's Serializer."""

    def __init__(self, default, to_text, from_text, validators=(), classes=None):
        self._default, self._to_text, self._from_text = default, to_text, from_text
        self.validators = list(validators)
        # The exact classes of the values, by which a union tells its alternatives apart.
        self.classes = classes

    def default(self):
        return self._default

    def validate(self, value) -> None:
        for validator in self.validators:
            validator.validate(value)

    def is_in(self, node, name: str) -> bool:
        return bool(node.HasParameter(name))

    def write(self, node, name: str, value) -> None:
        self.validate(value)
        node.SetParameter(name, self._to_text(value))

    def read(self, node, name: str):
        return self._from_text(node.GetParameter(name))

    def remove(self, node, name: str) -> None:
        node.UnsetParameter(name)


class NodeCodec(Codec):
    """A reference to a MRML node; the parameter of the same name only says that it was set."""

    def __init__(self, type_):
        super().__init__(None, str, str, [IsInstance(type_)])

    def write(self, node, name, value):
        self.validate(value)
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node, name):
        return node.GetNodeReference(name)

    def remove(self, node, name):
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class ListCodec(Codec):
    """``name.len`` and one entry for each element."""

    def __init__(self, element: Codec):
        super().__init__(None, str, int)
        self._element = element

    def default(self):
        return []

    def is_in(self, node, name):
        return super().is_in(node, f"{name}.len")

    def write(self, node, name, values):
        values = list(values)
        for value in values:
            self._element.validate(value)
        with slicer.util.NodeModify(node):
            for index in range(len(values), self._length(node, name)):
                self._element.remove(node, f"{name}.{index}")
            for index, value in enumerate(values):
                self._element.write(node, f"{name}.{index}", value)
            super().write(node, f"{name}.len", len(values))

    def _length(self, node, name) -> int:
        return super().read(node, f"{name}.len") if self.is_in(node, name) else 0

    def read(self, node, name):
        values = [self._element.read(node, f"{name}.{index}") for index in range(self._length(node, name))]
        return ObservedList(node, self, name, values)

    def remove(self, node, name):
        with slicer.util.NodeModify(node):
            for index in range(self._length(node, name)):
                self._element.remove(node, f"{name}.{index}")
            super().remove(node, f"{name}.len")


class TupleCodec(Codec):
    """``name.0``, ``name.1`` and so on."""

    def __init__(self, elements: list[Codec]):
        super().__init__(None, str, str)
        self._elements = elements

    def default(self):
        return tuple(codec.default() for codec in self._elements)

    def validate(self, value):
        if len(tuple(value)) != len(self._elements):
            raise ValueError("Unexpected number of tuple values")
        for codec, element in zip(self._elements, value, strict=True):
            codec.validate(element)

    def is_in(self, node, name):
        return self._elements[0].is_in(node, f"{name}.0")

    def write(self, node, name, value):
        self.validate(value)
        with slicer.util.NodeModify(node):
            for index, (codec, element) in enumerate(zip(self._elements, value, strict=True)):
                codec.write(node, f"{name}.{index}", element)

    def read(self, node, name):
        return tuple(codec.read(node, f"{name}.{index}") for index, codec in enumerate(self._elements))

    def remove(self, node, name):
        for index, codec in enumerate(self._elements):
            codec.remove(node, f"{name}.{index}")


class DictCodec(Codec):
    """A list of pairs."""

    def __init__(self, key: Codec, value: Codec):
        super().__init__(None, str, str)
        self._pairs = ListCodec(TupleCodec([key, value]))

    def default(self):
        return {}

    def is_in(self, node, name):
        return self._pairs.is_in(node, name)

    def write(self, node, name, value):
        self._pairs.write(node, name, value.items())

    def read(self, node, name):
        return ObservedDict(node, self, name, dict(self._pairs.read(node, name)))

    def remove(self, node, name):
        self._pairs.remove(node, name)


class UnionCodec(Codec):
    """The value stands under the index of the first alternative that takes it."""

    def __init__(self, alternatives: list[Codec], may_be_none: bool):
        super().__init__(None, str, str)
        self._alternatives = alternatives
        self._may_be_none = may_be_none

    def default(self):
        only_or_none = self._may_be_none and len(self._alternatives) == 2
        return None if only_or_none else self._alternatives[0].default()

    def validate(self, value):
        self._index_for(value)

    def _index_for(self, value) -> int:
        error = TypeError(f"Unable to write value '{value}' of type '{type(value)}'")
        for index, codec in enumerate(self._alternatives):
            if codec.classes is not None and type(value) not in codec.classes:
                continue
            if value is None and isinstance(codec, NodeCodec) and self._may_be_none:
                continue
            try:
                codec.validate(value)
                return index
            except (TypeError, ValueError) as refused:
                error = refused
        raise error

    def is_in(self, node, name):
        return any(codec.is_in(node, f"{name}.{i}") for i, codec in enumerate(self._alternatives))

    def write(self, node, name, value):
        index = self._index_for(value)
        with slicer.util.NodeModify(node):
            self.remove(node, name)
            self._alternatives[index].write(node, f"{name}.{index}", value)

    def read(self, node, name):
        for index, codec in enumerate(self._alternatives):
            if codec.is_in(node, f"{name}.{index}"):
                return codec.read(node, f"{name}.{index}")
        raise KeyError(name)

    def remove(self, node, name):
        for index, codec in enumerate(self._alternatives):
            codec.remove(node, f"{name}.{index}")


class _IsNone(Validator):
    def validate(self, value) -> None:
        if value is not None:
            raise ValueError("Value must be None")


def codec_for(annotated) -> Codec:
    """Return the codec of a type, with the validators of its annotations."""
    plain, annotations = split(annotated)
    codec = _plain_codec(plain)
    codec.validators += [a() if isinstance(a, type) else a for a in annotations if _is_validator(a)]
    return codec


def _is_validator(annotation) -> bool:
    return isinstance(annotation, Validator) or (
        isinstance(annotation, type) and issubclass(annotation, Validator)
    )


def _plain_codec(plain) -> Codec:
    if plain is type(None):
        return Codec(None, lambda _none: "True", lambda _text: None, [_IsNone()], (type(None),))
    origin, arguments = typing.get_origin(plain), typing.get_args(plain)
    if origin in (typing.Union, types.UnionType):
        return UnionCodec([codec_for(argument) for argument in arguments], type(None) in arguments)
    if origin is list:
        return ListCodec(codec_for(arguments[0]))
    if origin is dict:
        return DictCodec(*(codec_for(argument) for argument in arguments))
    if origin is tuple:
        return TupleCodec([codec_for(argument) for argument in arguments])
    return _class_codec(plain)


def _class_codec(cls: type) -> Codec:
    if hasattr(cls, "_make_codec"):
        return cls._make_codec()
    if issubclass(cls, slicer.vtkMRMLNode):
        return NodeCodec(cls)
    if issubclass(cls, enum.Enum):
        return Codec(next(iter(cls)), lambda value: value.name, lambda text: cls[text], [IsInstance(cls)])
    if cls is bool:
        to_text = {True: "True", False: "False"}.get
        return Codec(False, to_text, lambda text: text == "True", _exactly(bool), (bool,))
    if cls in (int, float):
        return Codec(0, str, cls, _exactly(cls if cls is int else (int, float)), (int, float))
    if cls is str:
        return Codec("", str, str, _exactly(str), (str,))
    if cls in _PATHS:
        return Codec(cls(), str, cls, _exactly(cls), _PATHS)
    raise TypeError(f"a parameter node of the host cannot keep values of {cls}")


def _exactly(type_) -> list[Validator]:
    return [NotNone(), IsInstance(type_)]
