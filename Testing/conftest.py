"""What all tests share: the real data, where they are present, and reproducible property tests."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "her2map", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("her2map")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real MR data; the test is skipped, saying so, where it is absent."""
    beside_project = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HER2MAP_TEST_DATA", beside_project))
    if not (folder / "README.md").is_file():
        pytest.skip(f"no real MR data at {folder}; set HER2MAP_TEST_DATA")
    return folder
