"""The module as a whole, as Slicer runs it."""

import sys

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def test_the_self_test_passes(loadedModule):
    """Slicer's *Reload and Test* runs the same class."""
    sys.modules[type(loadedModule).__module__].HER2MapModuleTest().runTest()


def test_slicers_unit_test_runner_finds_one_whole_test(loadedModule):
    """It takes methods named test..., each by itself: steps that build on each other must not be named so."""
    import unittest

    case = sys.modules[type(loadedModule).__module__].HER2MapModuleTest
    assert unittest.TestLoader().getTestCaseNames(case) == ["test_wholeExam"]
