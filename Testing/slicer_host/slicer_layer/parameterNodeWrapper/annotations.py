"""What may stand in ``Annotated[type, ...]``."""

import dataclasses
import typing

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Exclude",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "RangeBounds",
    "SingleStep",
    "Validator",
    "WithinRange",
    "unannotatedType",
]


class Default:
    """The value of a parameter that was never set; a generator makes a new one each time."""

    def __init__(self, value=None, *, generator=None):
        self._value = value
        self._generator = generator

    @property
    def value(self):
        return self._generator() if self._generator else self._value

    def __eq__(self, other):
        return isinstance(other, Default) and vars(self) == vars(other)

    __hash__ = None


@dataclasses.dataclass
class Decimals:
    """How many decimals a widget shows."""

    value: int


@dataclasses.dataclass
class SingleStep:
    """A widget's step."""

    value: float


class Validator:
    """Refuses a value by raising an error."""

    def validate(self, value) -> None:
        raise NotImplementedError


class NotNone(Validator):
    def validate(self, value) -> None:
        if value is None:
            raise ValueError("Value must not be None")


@dataclasses.dataclass(eq=False)
class IsInstance(Validator):
    classtype: type

    def validate(self, value) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type '{self.classtype}', is '{value}'")


@dataclasses.dataclass(eq=False)
class WithinRange(Validator):
    minimum: float
    maximum: float

    def validate(self, value) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


@dataclasses.dataclass(eq=False)
class Minimum(Validator):
    minimum: float

    def validate(self, value) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, is {value}")


@dataclasses.dataclass(eq=False)
class Maximum(Validator):
    maximum: float

    def validate(self, value) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, is {value}")


@dataclasses.dataclass(eq=False)
class Choice(Validator):
    choices: typing.Sequence

    def validate(self, value) -> None:
        if value not in self.choices:
            raise ValueError(f"Value is {value}, but must be one of {self.choices}")


@dataclasses.dataclass(eq=False)
class Exclude(Validator):
    excludedValues: typing.Sequence

    def validate(self, value) -> None:
        if value in self.excludedValues:
            raise ValueError(f"Value must not be {value}")


@dataclasses.dataclass(eq=False)
class RangeBounds(Validator):
    minimum: float
    maximum: float

    def validate(self, value) -> None:
        if not (self.minimum <= value.minimum and value.maximum <= self.maximum):
            raise ValueError(f"Range must be within [{self.minimum}, {self.maximum}], is {value}")


def split(annotated) -> tuple[typing.Any, tuple]:
    """Return the plain type and its annotations."""
    if typing.get_origin(annotated) is typing.Annotated:
        plain, *annotations = typing.get_args(annotated)
        return plain, tuple(annotations)
    return annotated, ()


def unannotatedType(possiblyAnnotatedType):
    return split(possiblyAnnotatedType)[0]


def first(annotations, kind: type):
    """Return the first annotation of a kind, or None."""
    return next((annotation for annotation in annotations if isinstance(annotation, kind)), None)


def split_name(name: str) -> tuple[str, str | None]:
    """Split ``a.b.c`` into ``a`` and ``b.c``."""
    top, _, rest = name.partition(".")
    return top, rest or None
