"""The header fields that the library uses, of one image, as plain Python values by DICOM keyword."""

import math
import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

from .tags import GROUPS, NESTED, PRIVATE, PRIVATE_ITEMS, SEQUENCES, STANDARD

Header = dict[str, Any]
"""Keyword to str, int, float or a tuple of these; what is absent, empty or malformed has no entry."""


def number(header: Header, field: str, otherwise: float = math.nan) -> float:
    """The field's number; `otherwise` where it is absent, has several values, or is not finite."""
    value = header.get(field)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else otherwise


# struct codes of binary values; decimal and integer strings are text.
_BINARY = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
_NUMERIC: dict[str, Callable[[str], int | float]] = {"DS": float, "IS": lambda text: int(float(text))}


def _tag(keyword: str) -> int:
    number = tag_for_keyword(keyword)
    assert number is not None, keyword
    return number


def _creator_tag(group: int, element: int) -> int:
    return group << 16 | element >> 8


# Tag to value representation and name; plain ints, since pydicom's tags compare slowly.
_NAMES = {_tag(keyword): (dictionary_VR(keyword), keyword) for keyword in STANDARD}
_PRIVATE_NAMES = {
    group << 16 | element: (_creator_tag(group, element), *field)
    for (group, element), field in PRIVATE.items()
}
_SEQUENCE_TAGS = {keyword: Tag(keyword) for keyword in (*SEQUENCES, *GROUPS, *NESTED)}
_CREATORS = {_creator_tag(*key) for key in (*PRIVATE, *PRIVATE_ITEMS)}
TAGS: list[BaseTag | int] = [
    *_NAMES,
    *map(_tag, SEQUENCES),
    *_PRIVATE_NAMES,
    *_CREATORS,
    *(group << 16 | element for group, element in PRIVATE_ITEMS),
]
"""Everything to be read of a file, for pydicom's `specific_tags`."""


@lru_cache(maxsize=16384)
def _decoded(raw: bytes, vr: str, little_endian: bool) -> Any:
    """`raw` as a plain value, a tuple where it has several; None where it is empty or malformed.

    The images of an exam share most of their values, so remembering them saves most of the work.
    """
    try:
        values: list[Any]
        if vr in _BINARY:
            code = _BINARY[vr]
            count = len(raw) // struct.calcsize(f"={code}")
            values = list(struct.unpack_from(f"{'<' if little_endian else '>'}{count}{code}", raw))
        else:
            texts = raw.decode("ascii").strip(" \0").split("\\")
            values = [_NUMERIC.get(vr, str)(text.strip()) for text in texts] if texts != [""] else []
    except (ValueError, OverflowError):
        return None
    return (tuple(values) if len(values) > 1 else values[0]) if values else None


def _plain(value: Any) -> Any:
    """A value that pydicom has converted, without pydicom's classes; None where it is empty."""
    if isinstance(value, MultiValue | list | tuple):
        return tuple(_plain(v) for v in value) or None
    if isinstance(value, int | float):
        return float(value) if isinstance(value, float) else int(value)
    return str(value).strip() or None if value is not None else None


def _value(dataset: Dataset, element: DataElement | RawDataElement, vr: str) -> Any:
    """The element's value; None where it is empty or malformed. `vr` serves where the file names none."""
    raw = element.value
    if isinstance(element, RawDataElement) and (raw is None or isinstance(raw, bytes)):
        if not raw:
            return None
        if raw.isascii() or (element.VR or vr) in _BINARY:
            known = element.VR if element.VR not in (None, "UN") else vr
            return _decoded(raw, known, element.is_little_endian)
    try:
        return _plain(dataset[element.tag].value)  # text beyond ASCII: pydicom knows the character sets
    except Exception:  # pydicom raises what it likes on malformed bytes; the field then counts as absent
        return None


def plain_header(dataset: Dataset) -> Header:
    """The fields of `dataset` itself, sequences left aside."""
    header: Header = {}
    creators: dict[int, Any] = {}
    for element in list(dataset.values()):
        tag = int(element.tag)
        if tag in _NAMES:
            vr, name = _NAMES[tag]
            header[name] = _value(dataset, element, vr)
        elif tag in _CREATORS:  # stands before what it owns: elements are sorted by tag
            creators[tag] = _value(dataset, element, "LO")
        elif tag in _PRIVATE_NAMES:
            creator, owner, vr, name = _PRIVATE_NAMES[tag]
            if creators.get(creator) == owner:
                header[name] = _value(dataset, element, vr)
    return {name: value for name, value in header.items() if value is not None}


def _private_item(dataset: Dataset, group: int, element: int, owner: str) -> Dataset | None:
    """First item of a vendor's sequence, if the sequence is there and that vendor's."""
    creator, sequence = dataset.get(_creator_tag(group, element)), dataset.get(group << 16 | element)
    if creator is None or sequence is None or str(creator.value).strip() != owner or not sequence.value:
        return None
    item = sequence.value[0]
    return item if isinstance(item, Dataset) else None


def _first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    tag = _SEQUENCE_TAGS[keyword]
    if tag not in dataset:  # much cheaper than asking by keyword, and most of them are absent
        return None
    items = dataset[tag].value
    return items[0] if items else None


def _real_world_value(dataset: Dataset) -> Header:
    """Slope, intercept and unit of the first real-world value mapping."""
    mapping = _first_item(dataset, "RealWorldValueMappingSequence")
    if mapping is None:
        return {}
    header = plain_header(mapping)
    unit = _first_item(mapping, "MeasurementUnitsCodeSequence")
    code = plain_header(unit).get("CodeValue") if unit is not None else None
    return {**header, "RealWorldValueUnit": code} if code else header


def _contrast(dataset: Dataset) -> Header:
    """Start of the bolus where an enhanced image keeps it: inside the contrast agent sequence."""
    agent = _first_item(dataset, "ContrastBolusAgentSequence")
    if agent is None:
        return {}
    profile = _first_item(agent, "ContrastAdministrationProfileSequence")
    return {
        "ContrastBolusAgent": str(agent.get("CodeMeaning", "")) or "named by code",
        **(plain_header(profile) if profile is not None else {}),
    }


def image_header(dataset: Dataset) -> Header:
    """The header of a file: its own fields, its contrast bolus and its real-world values."""
    return {**_contrast(dataset), **_real_world_value(dataset), **plain_header(dataset)}


def _functional_groups(item: Dataset) -> tuple[Header, Header]:
    """(vendor's, standard) fields of one item of the shared or the per-frame functional groups."""
    private: Header = {}
    for (group, element), owner in PRIVATE_ITEMS.items():
        content = _private_item(item, group, element, owner)
        if content is not None:
            private.update(plain_header(content))
    standard = _real_world_value(item)
    for keyword in GROUPS:
        content = _first_item(item, keyword)
        if content is not None:
            standard.update(plain_header(content))
    return private, standard


def _with_classic_names(header: Header) -> Header:
    """The same header with an enhanced image's own names for old things turned into the classic ones."""
    renamed = dict(header)
    for enhanced, classic in (
        ("FrameType", "ImageType"),
        ("EffectiveEchoTime", "EchoTime"),
        ("TemporalPositionIndex", "TemporalPositionIdentifier"),
    ):
        if enhanced in header:
            renamed[classic] = header[enhanced]
    times = header.get("InversionTimes")
    if times is not None:
        renamed["InversionTime"] = times[0] if isinstance(times, tuple) else times
    return renamed


def frame_headers(dataset: Dataset) -> Iterable[Header]:
    """The header of every image in a file: one for a classic file, one a frame for an enhanced one.

    What stands nearer to the frame overrides: per-frame over shared over the file's own fields, and a
    standard group over the vendor's private one.
    """
    top = image_header(dataset)
    per_frame = _SEQUENCE_TAGS["PerFrameFunctionalGroupsSequence"]
    if per_frame not in dataset:
        return [top]
    shared_item = _first_item(dataset, "SharedFunctionalGroupsSequence")
    shared_private, shared = _functional_groups(shared_item) if shared_item is not None else ({}, {})
    headers = []
    for item in dataset[per_frame].value:
        private, standard = _functional_groups(item)
        headers.append(_with_classic_names({**top, **shared_private, **private, **shared, **standard}))
    return headers
