"""DICOM files to images with plain headers; whatever is no MR image is turned away with a reason."""

import logging
import math
import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    MRSpectroscopyStorage,
    RawDataStorage,
)

from .header import TAGS, Header, frame_headers, number
from .pixels import StoredPixels
from .vendors import Scale, component, inversion_time_ms, scanner_map, true_scale

_PIXEL_TYPES = {0x7FE00010: "", 0x7FE00008: "f4", 0x7FE00009: "f8"}  # the last two: floating-point pixel data
_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
# Whether implicit and whether little endian, to the syntax: for files that do not name theirs.
_SYNTAX_OF: dict[tuple[bool | None, bool | None], UID] = {
    (uid.is_implicit_VR, uid.is_little_endian): uid for uid in _NATIVE
}
_SMALL = 1 << 22
_MR_IMAGES = (MRImageStorage, EnhancedMRImageStorage)
_NEEDED = ("Rows", "Columns", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")


class NotAnImage(Exception):
    """This file holds no MR image that can be read; the text says why."""


@dataclass(frozen=True, eq=False)
class Image:
    """One slice of one measurement.

    Attributes:
        name: the file's name below the folder that was read.
        frame: its number in the file, counted from 1.
        header: its fields by DICOM keyword.
        pixels: where its pixels are.
        scale: how they become true values.
        position: (3,) centre of the first pixel, LPS, mm.
        axes: (2, 3) unit vectors along the column index and along the row index, LPS.
        spacing: distance in mm along the column index, along the row index.
        te_ms, tr_ms, ti_ms, flip_angle_deg: NaN where the header is silent.
        component, scanner_map: as in :class:`~her2map.series.Series`.
    """

    name: str
    frame: int
    header: Header
    pixels: StoredPixels
    scale: Scale
    position: NDArray[np.float64]
    axes: NDArray[np.float64]
    spacing: tuple[float, float]
    te_ms: float
    tr_ms: float
    ti_ms: float
    flip_angle_deg: float
    component: str
    scanner_map: str


def read_images(file: Path, name: str) -> list[Image]:
    """The images of `file`, which messages call `name`; their pixels stay in the file until they are needed.

    Raises:
        NotAnImage: the file is not DICOM, not MR, holds no image, is cut short or compressed beyond reading.
    """
    try:
        with file.open("rb") as stream, _silent_pydicom():
            return _images_of(stream, file, name)
    except NotAnImage:
        raise
    except OSError:
        raise NotAnImage("the file cannot be opened") from None
    except Exception as error:  # pydicom raises what it likes on damaged bytes, at times quoting them
        raise NotAnImage(f"its DICOM header is damaged ({type(error).__name__})") from None


@contextmanager
def _silent_pydicom() -> Iterator[None]:
    """Keeps pydicom from warning and logging: it quotes the values it doubts, which may be personal."""
    logger = logging.getLogger("pydicom")
    disabled = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = disabled


def _images_of(stream: BinaryIO, file: Path, name: str) -> list[Image]:
    size = os.fstat(stream.fileno()).st_size
    source = BytesIO(stream.read()) if size <= _SMALL else stream  # a file in memory parses faster
    dataset, syntax = _parse(source)
    headers = list(frame_headers(dataset))
    first = headers[0]
    _refuse_other_objects(first)
    frames = int(first.get("NumberOfFrames", 1))
    if frames != len(headers):
        raise NotAnImage(f"it has {frames} frames but describes {len(headers)}")
    stored = _stored_pixels(syntax, source, file, size, first, frames)
    return [
        _image(header, pixels, name, frame)
        for frame, (header, pixels) in enumerate(zip(headers, stored, strict=True), 1)
    ]


def _parse(stream: BinaryIO) -> tuple[Dataset, UID]:
    """The wanted fields and the transfer syntax; the stream is then at the pixel data, or at its end."""
    stream.seek(128)
    if stream.read(4) == b"DICM":
        meta = read_dataset(stream, False, True, stop_when=_after_meta)
        syntax = UID(str(meta.get("TransferSyntaxUID", "")))
        if syntax in _NATIVE or syntax.is_encapsulated:
            implicit, little_endian = syntax.is_implicit_VR, syntax.is_little_endian
            return (
                read_dataset(stream, implicit, little_endian, stop_when=_at_pixels, specific_tags=TAGS),
                syntax,
            )
    else:  # files without the 128-byte preamble exist; they begin with group 0002 or 0008
        stream.seek(0)
        if stream.read(2) not in (b"\x02\x00", b"\x08\x00"):
            raise NotAnImage("not a DICOM file")
    stream.seek(0)
    dataset = dcmread(stream, stop_before_pixels=True, specific_tags=TAGS, force=True)
    named = dataset.file_meta.get("TransferSyntaxUID")
    return dataset, UID(str(named)) if named else _SYNTAX_OF[dataset.original_encoding]


def _after_meta(tag: int, vr: str | None, length: int) -> bool:
    return int(tag) > 0x0002FFFF


def _at_pixels(tag: int, vr: str | None, length: int) -> bool:
    return int(tag) >= 0x7FE00008


def _refuse_other_objects(header: Header) -> None:
    kind = header.get("SOPClassUID", "")
    if kind in (RawDataStorage, MRSpectroscopyStorage) or ("Rows" not in header and kind not in _MR_IMAGES):
        raise NotAnImage(f"{UID(kind).name or 'a DICOM object of unknown kind'}, which is no image")
    if "Rows" not in header:
        raise NotAnImage("its image fields are missing; the file is cut short")
    modality = header.get("Modality", "MR")
    if modality != "MR":
        raise NotAnImage(f"an image of modality {modality}, not MR")
    if int(header.get("SamplesPerPixel", 1)) != 1:
        raise NotAnImage("a colour image")


def _stored_pixels(
    syntax: UID, stream: BinaryIO, file: Path, size: int, header: Header, frames: int
) -> list[StoredPixels]:
    """The place of every frame's pixels in the file, which is checked to be long enough."""
    rows, columns = int(header["Rows"]), int(header["Columns"])
    if syntax.is_encapsulated or syntax == DeflatedExplicitVRLittleEndian:
        decoded = _decode(file, syntax).reshape(frames, rows, columns)
        return [StoredPixels(file, 0, decoded.dtype, (rows, columns), decoded=frame) for frame in decoded]
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    start = stream.tell()
    element = stream.read(12)
    if len(element) < 12:
        raise NotAnImage("its pixel data are missing; the file is cut short")
    group, number = struct.unpack(order + "HH", element[:4])
    offset = start + (8 if syntax.is_implicit_VR else 12)
    dtype, left, right = _pixel_type(group << 16 | number, order, header)
    frame_bytes = rows * columns * dtype.itemsize
    if size < offset + frames * frame_bytes:
        raise NotAnImage("its pixel data are incomplete; the file is cut short")
    return [
        StoredPixels(file, offset + frame * frame_bytes, dtype, (rows, columns), left, right)
        for frame in range(frames)
    ]


def _pixel_type(tag: int, order: str, header: Header) -> tuple[np.dtype[Any], int, int]:
    """Type of a stored pixel and the shifts that clear the bits beside it."""
    if _PIXEL_TYPES[tag]:
        return np.dtype(order + _PIXEL_TYPES[tag]), 0, 0
    allocated = int(header["BitsAllocated"])
    if allocated not in (8, 16, 32):
        raise NotAnImage(f"{allocated} bits per pixel are not supported")
    stored = int(header.get("BitsStored", allocated))
    high_bit = int(header.get("HighBit", stored - 1))
    kind = "i" if header.get("PixelRepresentation") == 1 else "u"
    return np.dtype(f"{order}{kind}{allocated // 8}"), allocated - 1 - high_bit, allocated - stored


def _decode(file: Path, syntax: UID) -> NDArray[Any]:
    """Decompressed pixels, by whichever of pydicom's decoders is installed."""
    try:
        return np.asarray(dcmread(file).pixel_array)
    except Exception:  # every decoder has its own errors; to the user they mean the same
        raise NotAnImage(
            f"its pixels are stored as {syntax.name}, which cannot be decoded here; export it uncompressed"
        ) from None


def _image(header: Header, pixels: StoredPixels, name: str, frame: int) -> Image:
    for field in _NEEDED:
        if field not in header:
            raise NotAnImage(f"its header has no {field}, so it has no place in the patient")
    position = np.array(header["ImagePositionPatient"], float).reshape(3)
    axes = np.array(header["ImageOrientationPatient"], float).reshape(2, 3)
    row_spacing, column_spacing = map(float, header["PixelSpacing"])
    if not np.isfinite([*position, *axes.flat, row_spacing, column_spacing]).all():
        raise NotAnImage("its position, orientation or pixel spacing is not a finite number")
    if not (row_spacing > 0 and column_spacing > 0 and np.abs(axes @ axes.T - np.eye(2)).max() < 1e-2):
        raise NotAnImage("its PixelSpacing or ImageOrientationPatient is not a grid in the patient")
    return Image(
        name=name,
        frame=frame,
        header=header,
        pixels=pixels,
        scale=true_scale(header),
        position=position,
        axes=axes,
        spacing=(column_spacing, row_spacing),
        te_ms=_positive(header, "EchoTime"),
        tr_ms=_positive(header, "RepetitionTime"),
        ti_ms=inversion_time_ms(header),
        flip_angle_deg=_positive(header, "FlipAngle"),
        component=component(header),
        scanner_map=scanner_map(header),
    )


def _positive(header: Header, field: str) -> float:
    """The number, NaN where it is absent or not positive: zero is what anonymisers and maps write."""
    value = number(header, field)
    return value if value > 0 else math.nan
