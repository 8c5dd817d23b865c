"""Fixtures for pytest: ``host`` gives a test an application with an empty scene."""

import pytest

import slicer_host


@pytest.fixture(scope="session")
def _application():
    yield slicer_host.start()
    slicer_host.stop()


@pytest.fixture
def host(_application):
    """``slicer.app`` with an empty scene; the test fails if it leaves an error in the log."""
    from slicer_host import testing

    slicer_host.reset()
    yield _application
    testing.process_events()
    left = testing.errors()
    slicer_host.reset()
    assert not left, "\n".join(entry.text for entry in left)
