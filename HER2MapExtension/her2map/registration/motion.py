"""What a registration finds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Motion:
    """A rigid motion between two images, and whether it is to be used.

    Attributes:
        matrix: (4, 4), RAS mm: takes a point of the fixed (first, DCE) image to the place of the same tissue
            in the moving (later, map) image. A ROI drawn on the fixed image is moved by it onto the moving
            image; the moving image is sampled at ``matrix @ x`` to lie on the fixed one. The identity
            where `used` is False.
        centre: RAS mm, the centre of brightness of the body in the fixed image.
        metric_before, metric_after: mutual information in nats without registration and with the motion
            found (also where it was rejected), on the same voxels, each scored by a histogram of other
            voxels; about 0 or less for unrelated images. NaN where nothing could be compared.
        used: whether the motion found is significantly better than none.
        reason: in words.
    """

    matrix: Array
    centre: Array
    metric_before: float
    metric_after: float
    used: bool
    reason: str

    @property
    def inverse(self) -> Array:
        """(4, 4), RAS mm: from the moving image to the fixed one."""
        return np.asarray(np.linalg.inv(self.matrix), float)

    @property
    def translation_mm(self) -> Array:
        """(3,), along R, A, S: how far the body's centre moved."""
        return self.matrix[:3, :3] @ self.centre + self.matrix[:3, 3] - self.centre

    @property
    def rotation_deg(self) -> Array:
        """(3,), the rotation vector about the R, A and S axes; its length is the angle."""
        return Rotation.from_matrix(self.matrix[:3, :3]).as_rotvec(degrees=True)

    @property
    def distance_mm(self) -> float:
        """Length of `translation_mm`."""
        return float(np.linalg.norm(self.translation_mm))

    @property
    def angle_deg(self) -> float:
        """Length of `rotation_deg`."""
        return float(np.linalg.norm(self.rotation_deg))


@dataclass(frozen=True, eq=False)
class RegisteredEchoes:
    """Echoes that lie on the first.

    Attributes:
        data: (measurements, slices, rows, columns); NaN where an echo's field of view does not reach.
        motions: one a measurement; the first echo's is the identity.
    """

    data: NDArray[np.floating[Any]]
    motions: list[Motion]
