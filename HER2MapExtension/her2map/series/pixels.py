"""Stored pixels: where they lie in a file and how they become numbers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class StoredPixels:
    """The pixels of one image as stored, before any rescaling.

    Attributes:
        file: that holds them.
        offset: of their first byte in the file.
        dtype: of a stored pixel, with its byte order.
        shape: rows, columns.
        left, right: bits to shift left and then right, to clear what is stored beside the pixel (overlays)
            and to carry its sign.
        decoded: the pixels themselves, where they had to be decompressed; `offset` then means nothing.
    """

    file: Path
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    left: int = 0
    right: int = 0
    decoded: NDArray[Any] | None = None

    def into(self, out: NDArray[np.float32], slope: float, intercept: float) -> None:
        """Writes ``slope * stored + intercept`` to `out` (rows, columns)."""
        stored = self._stored()
        if slope == 1.0:
            out[...] = stored
        else:
            np.multiply(stored, np.float32(slope), out=out, dtype=np.float32, casting="unsafe")
        if intercept:
            out += np.float32(intercept)

    def _stored(self) -> NDArray[Any]:
        if self.decoded is not None:
            return self.decoded
        rows, columns = self.shape
        stored = np.fromfile(self.file, self.dtype, rows * columns, offset=self.offset).reshape(self.shape)
        if self.right:
            stored = np.right_shift(np.left_shift(stored, self.left), self.right)
        return stored
