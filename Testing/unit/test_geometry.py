"""Index, RAS and LPS."""

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from her2map.geometry import LPS_FROM_RAS, Geometry, swap_ras_lps


def oblique(angle: float = 0.4, flip: int = 1) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", [angle, 0.2, -0.3]).as_matrix() @ np.diag(
        [0.8, 1.1, flip * 3.0]
    )
    affine[:3, 3] = [10, -20, 30]
    return Geometry((5, 40, 30), affine)


@given(st.tuples(*[st.floats(-100, 100)] * 3), st.floats(-1, 1), st.sampled_from([-1, 1]))
def test_index_and_patient_are_inverse(index: tuple[float, float, float], angle: float, flip: int) -> None:
    grid = oblique(angle, flip)
    assert grid.to_index(grid.to_ras(index)) == pytest.approx(index, abs=1e-9)


def test_patient_coordinates_are_those_of_nibabel() -> None:
    grid = oblique()
    index = np.array([[0, 0, 0], [29, 39, 4], [3.5, 2.25, 1]])
    assert grid.to_ras(index) == pytest.approx(nibabel.affines.apply_affine(grid.affine, index))
    assert grid.spacing == pytest.approx(nibabel.affines.voxel_sizes(grid.affine))
    assert grid.voxel_volume == pytest.approx(0.8 * 1.1 * 3.0)


def test_ras_and_lps_swap_back() -> None:
    points = np.array([[1.0, 2.0, 3.0]])
    assert swap_ras_lps(points).tolist() == [[-1.0, -2.0, 3.0]]
    assert (LPS_FROM_RAS @ [1, 2, 3, 1])[:3].tolist() == [-1.0, -2.0, 3.0]
    assert swap_ras_lps(swap_ras_lps(points)).tolist() == points.tolist()


def test_grids_match_by_their_corners() -> None:
    grid = oblique()
    turned = grid.affine.copy()
    turned[:3, :3] = Rotation.from_euler("z", 0.001).as_matrix() @ turned[:3, :3]
    moved = grid.affine.copy()
    moved[0, 3] += 0.005
    assert grid.matches(Geometry(grid.shape, moved))
    assert not grid.matches(Geometry(grid.shape, turned))  # 0.03 mm at the far corner
    assert not grid.matches(Geometry((5, 40, 31), grid.affine))
