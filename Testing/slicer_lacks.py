"""What 3D Slicer's Python lacks until its user has consented to installing it."""

MISSING = (
    "pandas",
    "sklearn",
    "statsmodels",
    "nibabel",
    "tqdm",
    "jinja2",
    "cmcrameri",
    "matplotlib",
    "threadpoolctl",
    "shapely",
    "pyarrow",
)
"""Slicer brings numpy, scipy, SimpleITK and pydicom."""
