"""The module's self-test: in Slicer by *Reload and Test* or the command line, in the host from pytest."""

import json
import math
import tempfile
from pathlib import Path

import slicer
import vtk

from . import dce_nodes, map_nodes, roi_nodes, scene
from .drawing import CLICK
from .reading_room import DCE_VIEW
from .work import inThread

TOLERANCE = {"T1_pre": 0.02, "T1_post": 0.02, "T2": 0.02, "T2star": 0.03}
"""Of the phantom's true values."""
SAME = 1e-6
"""The scene's values against the library's, relative."""


class HER2MapSelfTest:
    """A radiologist's way through one exam, step by step; each builds on those before it."""

    STEPS = (
        "checkLoad",
        "checkCancel",
        "checkFit",
        "checkDraw",
        "checkPropagate",
        "checkValues",
        "checkScore",
        "checkSaveAndOpen",
        "checkBadInput",
        "checkClose",
        "checkStudy",
    )

    def test_wholeExam(self):
        """What Slicer's unit test runner finds."""
        self.runAll()

    def runAll(self, settings=None):
        """All steps on a phantom exam; `settings` of the phantom, small by default."""
        from her2map.phantom import ExamSettings, write_exam

        slicer.util.selectModule("HER2MapModule")
        self.widget = slicer.modules.HER2MapModuleWidget
        self.logic = self.widget.logic
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            self.exam = Path(folder) / "exam"
            write_exam(self.exam, settings or ExamSettings.small(), seed=1)
            self.truth = json.loads((self.exam / "truth.json").read_text(encoding="utf-8"))
            for step in self.STEPS:
                self.delayDisplay(step)
                getattr(self, step)()
        self.delayDisplay("HER2Map: all steps passed")

    def checkLoad(self):
        exam = inThread(self.logic.reading(str(self.exam / "dicom")), lambda fraction: True)
        self.logic.takeExam(exam, str(self.exam / "dicom"))
        self.readingRoom().show()
        self.assertEqual(self.logic.phase, 2)
        self.assertIn("100 s after the injection", self.logic.phaseReason)
        self.assertIsNotNone(dce_nodes.dceVolume(self.logic.parameters.dceBrowser))

    def checkCancel(self):
        """A cancelled fit leaves the scene as it was."""
        from her2map.errors import Cancelled

        before = slicer.mrmlScene.GetNumberOfNodes()
        with self.assertRaises(Cancelled):
            inThread(self.logic.fitting(), lambda fraction: False)
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)
        self.assertEqual(map_nodes.readMaps(), {})

    def checkFit(self):
        self.maps = inThread(self.logic.fitting(), lambda fraction: True)
        self.logic.takeMaps(self.maps)
        self.assertEqual(list(map_nodes.readMaps()), ["T1_pre", "T1_post", "T2", "T2star", "B1"])
        for quantity in ("delta_T1", "delta_T1_ratio"):
            self.assertIsNotNone(map_nodes.mapNode(quantity))

    def checkDraw(self):
        """The phantom's own contour and holes, clicked point by point with the mouse."""
        from her2map.markups import read_roi

        true = read_roi(self.exam / "roi.mrk.json", self.truth["roi_thickness_mm"])
        self.readingRoom().jumpTo(true.centroid)
        slicer.app.processEvents()
        self.clickCurve(true.outline[:: len(true.outline) // 30], roi_nodes.CONTOUR)
        for points in true.holes:
            self.clickCurve(points[:: len(points) // 8], roi_nodes.HOLE)
        self.assertEqual(self.logic.problem, "")
        self.assertAlmostEqual(self.logic.roi().area_mm2 / true.area_mm2, 1.0, delta=0.03)
        drawn = self.logic.values.values["T1_pre"].value
        self.logic.setContour(true.outline[::7] + [1.0, 0.0, 0.0])
        self.assertNotEqual(self.logic.values.values["T1_pre"].value, drawn)
        self.logic.undo()
        self.assertEqual(self.logic.values.values["T1_pre"].value, drawn)

    def checkPropagate(self):
        """The library gives the same for the same polygon."""
        from her2map.exam import measure_maps

        direct = measure_maps(
            {name: (fitted.map, fitted.geometry) for name, fitted in self.maps.items()}, self.logic.roi()
        )
        for name, value in direct.values.items():
            self.assertAlmostEqual(self.logic.values.values[name].value / value.value, 1.0, delta=SAME)

    def checkValues(self):
        for name, tolerance in TOLERANCE.items():
            found = self.logic.values.values[name].value
            self.assertAlmostEqual(found / self.truth["values"][name], 1.0, delta=tolerance)
        self.saved = {name: value.value for name, value in self.logic.values.values.items()}

    def checkScore(self):
        """Without ER there is no number; with it the number that the card's coefficients give."""
        scoring = self.logic.scoring
        self.assertIn("ER status is missing", " ".join(scoring.assessment.refusals))
        scoring.er = "negative"
        found, card = scoring.assessment, scoring.card
        self.assertEqual(found.refusals, ())
        measured = [0.0, self.saved["T2star"], self.saved["T1_post"]]
        self.assertEqual([one.name for one in card.predictors], ["er_positive", "T2star", "T1_post"])
        slopes = zip(card.coefficients[1:], measured, strict=True)
        logOdds = card.coefficients[0] + sum(slope * value for slope, value in slopes)
        self.assertAlmostEqual(found.probability, 1 / (1 + math.exp(-logOdds)), delta=SAME)
        self.assertTrue(found.low < found.probability < found.high)
        self.score = found.probability

    def checkSaveAndOpen(self):
        """A saved scene brings back the exam's table, the maps, the ROI, its values and its score."""
        series = self.logic.facts["series"]
        file = str(self.exam.parent / "scene.mrb")
        self.assertTrue(slicer.util.saveScene(file))
        slicer.mrmlScene.Clear(0)
        self.assertIsNone(self.logic.values)
        slicer.util.loadScene(file)
        self.assertEqual(self.logic.facts["series"], series)
        opened = {name: value.value for name, value in self.logic.values.values.items()}
        self.assertEqual(opened.keys(), self.saved.keys())
        for name, value in self.saved.items():
            self.assertAlmostEqual(opened[name] / value, 1.0, delta=SAME)
        self.assertAlmostEqual(self.logic.scoring.assessment.probability, self.score, delta=SAME)

    def checkBadInput(self):
        """One sentence each; what is shown stays."""
        from her2map.errors import InputError

        with self.assertRaisesRegex(InputError, "nothing at"):
            inThread(self.logic.reading(str(self.exam / "nowhere")), lambda fraction: True)
        with self.assertRaisesRegex(InputError, "read the exam again"):
            self.logic.fitting()
        points = scene.controlPoints(self.logic.parameters.roi)
        self.logic.setContour(points + [500.0, 0.0, 0.0])
        self.assertTrue(all(value.reason for value in self.logic.values.values.values()))
        self.logic.setContour(points[[0, len(points) // 2, 1, len(points) // 2 + 1]])
        self.assertIn("draw it again", self.logic.problem)

    def checkClose(self):
        slicer.mrmlScene.Clear(0)
        self.assertIsNone(self.logic.exam)
        self.assertIsNone(self.logic.values)
        self.assertEqual(roi_nodes.curvesOf(roi_nodes.CONTOUR), [])

    def checkStudy(self):
        """One reading of a study: interrupted, gone on with, finished."""
        from her2map.markups import read_roi
        from her2map.study.protocol import Case
        from her2map.study.readings import read_readings
        from her2map.study.setup import new_study

        folder, readings = self.exam.parent / "study", self.logic.readings
        protocol = new_study(folder, "Self-test", [Case("C001", self.exam / "dicom")], ["R1"])
        true = read_roi(self.exam / "roi.mrk.json", self.truth["roi_thickness_mm"])
        readings.signIn(str(folder), "R1")
        readings.take(inThread(readings.opening(), lambda fraction: True))
        self.assertIsNone(self.logic.exam)
        self.logic.setContour(true.outline[:: len(true.outline) // 30])
        drawn = readings.drawing()
        readings.signOut()
        self.assertEqual(map_nodes.readMaps(), {})
        readings.signIn(str(folder), "R1")
        readings.take(inThread(readings.opening(), lambda fraction: True))
        self.assertEqual(readings.drawing(), drawn)
        value = self.logic.values.values["T2star"].value
        readings.finish(4)
        readings.signOut()
        [reading] = read_readings(protocol)["R1"]
        self.assertEqual(reading.state, "finished")
        self.assertEqual(reading.result["values"]["T2star"]["value"], value)

    def clickCurve(self, points, part):
        """Draw with the ROI panel's *Points* tool in the DCE view, as a reader does."""
        drawing = self.widget.panels[2].drawing
        drawing.start(CLICK, part)
        view = slicer.app.layoutManager().sliceWidget(DCE_VIEW)
        toView = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(view.mrmlSliceNode().GetXYToRAS(), toView)
        for point in points:
            place = [round(xy) for xy in toView.MultiplyPoint((*point, 1.0))[:2]]
            for button in ("None", "Left"):  # Slicer's preview of the point must be there before the click
                slicer.util.clickAndDrag(view, button, start=place, end=place, steps=1)
        drawing.stop()

    def readingRoom(self):
        return self.widget.readingRoom
