"""Several values under one name."""

import typing

import slicer

from .annotations import Default, IsInstance, NotNone, first, split, split_name, unannotatedType
from .codecs import Codec, codec_for

__all__ = ["FloatRange", "isParameterPack", "nestedParameterNames", "parameterPack"]


class _PackCodec(Codec):
    """``name.member`` for each member."""

    def __init__(self, pack):
        super().__init__(None, str, str, [NotNone(), IsInstance(pack)])
        self._pack = pack

    def default(self):
        return self._pack()

    def _members(self, name):
        return ((member, f"{name}.{member}", codec) for member, codec in self._pack._codecs.items())

    def is_in(self, node, name):
        _member, full, codec = next(iter(self._members(name)))
        return codec.is_in(node, full)

    def write(self, node, name, value):
        self.validate(value)
        with slicer.util.NodeModify(node):
            for member, full, codec in self._members(name):
                codec.write(node, full, getattr(value, member))

    def read(self, node, name):
        values = {member: codec.read(node, full) for member, full, codec in self._members(name)}
        value = self._pack.__new__(self._pack)
        value.__dict__["_values"] = values
        value.__dict__["_save"] = lambda: self.write(node, name, value)
        return value

    def remove(self, node, name):
        for _member, full, codec in self._members(name):
            codec.remove(node, full)


def _property(name: str):
    def write(self, value):
        type(self)._codecs[name].validate(value)
        self._values[name] = value
        self._save()

    return property(lambda self: self._values[name], write)


def _default(cls, name: str, hint):
    if name in vars(cls):
        return vars(cls)[name]
    annotated = first(split(hint)[1], Default)
    return annotated.value if annotated else codec_for(hint).default()


def parameterPack(classtype=None):
    """Class decorator: the annotated members become parameters."""
    return _make_pack if classtype is None else _make_pack(classtype)


def _make_pack(cls):
    hints = typing.get_type_hints(cls, include_extras=True)
    if not hints:
        raise ValueError("Unable to find any members in parameterPack")
    cls._codecs = {name: codec_for(hint) for name, hint in hints.items()}
    cls._hints = hints
    defaults = {name: _default(cls, name, hint) for name, hint in hints.items()}
    for name, value in defaults.items():
        cls._codecs[name].validate(value)
        setattr(cls, name, _property(name))
    own_init = vars(cls).get("__init__")

    def init(self, *args, **kwargs):
        self.__dict__["_save"] = lambda: None
        self.__dict__["_values"] = dict(defaults)
        given = {} if own_init else dict(zip(hints, args, strict=False)) | kwargs
        for name, value in given.items():
            if name not in hints:
                raise TypeError(f"__init__() got an unexpected keyword argument '{name}'")
            setattr(self, name, value)
        if own_init:
            own_init(self, *args, **kwargs)

    cls.__init__ = init
    cls._make_codec = classmethod(_PackCodec)
    cls._is_parameterPack = True
    cls.getValue, cls.setValue = _get_value, _set_value
    cls.dataType = classmethod(_data_type)
    if "__eq__" not in vars(cls):
        cls.__eq__ = lambda self, other: type(self) is type(other) and self._values == other._values
        cls.__hash__ = None
    if "__repr__" not in vars(cls):
        cls.__repr__ = _repr
    return cls


def _repr(self) -> str:
    return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._values.items())})"


def _get_value(self, membername):
    top, rest = split_name(membername)
    _check(self, top)
    value = getattr(self, top)
    return value if rest is None else value.getValue(rest)


def _check(self, top):
    if not hasattr(self, top):
        raise ValueError(f"{self} has no member '{top}'")


def _set_value(self, membername, value):
    top, rest = split_name(membername)
    _check(self, top)
    if rest is None:
        setattr(self, top, value)
    else:
        inner = getattr(self, top)
        inner.setValue(rest, value)
        setattr(self, top, inner)


def _data_type(cls, membername):
    top, rest = split_name(membername)
    if top not in cls._hints:
        raise ValueError(f"{cls} has no member '{top}'")
    hint = cls._hints[top]
    return hint if rest is None else unannotatedType(hint).dataType(rest)


def isParameterPack(obj) -> bool:
    return getattr(obj, "_is_parameterPack", False)


def nestedParameterNames(parameterPackClassOrInstance) -> list[str]:
    names = []
    for name, hint in parameterPackClassOrInstance._hints.items():
        plain = unannotatedType(hint)
        inner = nestedParameterNames(plain) if isParameterPack(plain) else [""]
        names += [f"{name}.{part}" if part else name for part in inner]
    return names


@parameterPack
class FloatRange:
    """Stands for FloatRange: a minimum and a maximum."""

    minimum: float
    maximum: float
