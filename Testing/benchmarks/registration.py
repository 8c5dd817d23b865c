"""Time to register one echo of 256 x 256 x 20, beside SimpleITK's registration as its examples set it up.

Run from the project's root: ``python Testing/benchmarks/registration.py``. Both sides get the same images
and the same number of threads; the error printed is the largest one over the body.
"""

import time
from collections.abc import Callable

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from her2map.geometry import Geometry
from her2map.registration import register_echoes

Array = NDArray[np.float64]
SHAPE, SPACING = (20, 256, 256), np.array([0.8, 0.8, 3.0])
ECHOES_MS = (13.8, 69.0)


def make_motion() -> Array:
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec([2.0, -1.5, 2.0], degrees=True).as_matrix()
    motion[:3, 3] = [3.0, -4.0, 3.0]
    return motion


def make_echo(geometry: Geometry, te_ms: float, motion: Array, seed: int) -> NDArray[np.float32]:
    """Ellipsoids with their own T2, moved by `motion`, with Rician noise."""
    points = geometry.to_ras(np.stack(np.indices(SHAPE)[::-1], axis=-1))
    back = np.linalg.inv(motion)
    points = points @ back[:3, :3].T + back[:3, 3]
    shapes, noise = np.random.default_rng(5), np.random.default_rng(seed)
    image = np.zeros(SHAPE)
    parts = [(np.zeros(3), np.array([75.0, 60.0, 50.0]), 400.0, 110.0)]
    for _ in range(20):
        centre = shapes.uniform([-50, -40, -25], [50, 40, 25])
        parts.append((centre, shapes.uniform(6, 18, 3), shapes.uniform(200, 900), shapes.uniform(45, 130)))
    for centre, radii, m0, t2_ms in parts:
        depth = (np.linalg.norm((points - centre) / radii, axis=-1) - 1) * radii.mean()
        share = 1 / (1 + np.exp(np.clip(2 * depth, -50, 50)))
        image += share * (m0 * np.exp(-te_ms / t2_ms) - image)
    real, imaginary = noise.normal(0, 8.0, (2, *SHAPE))
    return np.hypot(image + real, imaginary).astype(np.float32)


def with_her2map(first: Array, second: Array, geometry: Geometry) -> Array:
    return register_echoes(np.stack([first, second]), geometry).motions[1].matrix


def with_example_settings(first: Array, second: Array, geometry: Geometry) -> Array:
    """Mattes information, three levels, 1 % random samples, gradient descent."""
    fixed, moving = (sitk.GetImageFromArray(image) for image in (first, second))
    for image in (fixed, moving):
        image.SetSpacing(geometry.spacing.tolist())
        image.SetOrigin(geometry.affine[:3, 3].tolist())
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(50)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.01, 42)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsGradientDescent(1.0, 100, 1e-6, 10)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([2, 1, 0])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=False)
    found = method.Execute(fixed, moving)
    offset = np.array(found.TransformPoint((0.0, 0.0, 0.0)))
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    matrix[:3, :3] = np.stack(
        [np.array(found.TransformPoint(axis)) - offset for axis in np.eye(3).tolist()], 1
    )
    return matrix


def main() -> None:
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = -SPACING * (np.array(SHAPE[::-1]) - 1) / 2
    geometry, motion = Geometry(SHAPE, affine), make_motion()
    first = make_echo(geometry, ECHOES_MS[0], np.eye(4), 1)
    second = make_echo(geometry, ECHOES_MS[1], motion, 2)
    corners = np.array(np.meshgrid([-70, 70], [-55, 55], [-28, 28])).reshape(3, -1)
    sides: dict[str, Callable[[Array, Array, Geometry], Array]] = {
        "her2map.register_echoes": with_her2map,
        "SimpleITK, example settings": with_example_settings,
    }
    print(f"{'':30}{'wall s':>8}{'cpu s':>8}{'worst error mm':>16}")
    for name, register in sides.items():
        wall, cpu = time.perf_counter(), time.process_time()
        error = register(first, second, geometry) - motion
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        worst = np.linalg.norm(error[:3, :3] @ corners + error[:3, 3:], axis=0).max()
        print(f"{name:30}{wall:8.1f}{cpu:8.1f}{worst:16.3f}")


if __name__ == "__main__":
    main()
