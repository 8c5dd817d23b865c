"""The Score panel: what it says and draws, what it refuses, what it follows and forgets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(loadedModule):
    from drawing_steps import panelOf

    found = panelOf(loadedModule, "ScorePanel")
    yield found
    found.choose("")


@pytest.fixture
def drawn(panel, shownExam, outline):
    """The logic with the phantom's own contour."""
    shownExam.setContour(outline)
    return shownExam


@pytest.fixture
def cardFile(tmp_path):
    """Writes the card that ships, changed, and returns the file's name."""

    def write(**changes):
        from her2map.score import demo_card

        path = tmp_path / f"card{len(list(tmp_path.iterdir()))}.json"
        path.write_text(replace(demo_card(), **changes).to_json(), encoding="utf-8")
        return str(path)

    return write


def chooseEr(panel, status):
    box = panel.ui.erBox
    box.setCurrentIndex(("unknown", "positive", "negative").index(status))


def texts(picture):
    """What a picture writes: left, top, right, bottom, text."""
    from HER2MapModuleLib.score_painting import Ink

    ink = Ink(picture)
    picture.draw(ink)
    return ink.texts


def shownPicture(panel):
    return next(picture for picture in panel.pictures if not picture.isHidden())


# Three states


def test_a_clear_call_is_the_librarys(panel, drawn, fittedExam):
    from her2map.exam import measure_maps
    from her2map.score import assess, demo_card
    from her2map.score.exam_case import case_of_exam, placement_sds
    from her2map.summary import exam_acquired

    chooseEr(panel, "negative")
    exam, fitted = fittedExam
    maps = {name: (one.map, one.geometry) for name, one in fitted.items()}
    sds = placement_sds(maps, drawn.roi(), ("T1_post", "T2star"))
    case = case_of_exam(measure_maps(maps, drawn.roi()), False, exam_acquired(exam), sds)
    expected = assess(demo_card(), case)
    found = drawn.scoring.assessment
    assert not found.refusals and not expected.refusals
    for one in ("probability", "low", "high", "log_odds_sd"):
        assert getattr(found, one) == pytest.approx(getattr(expected, one), rel=1e-4), one
    assert expected.shares["placement"].part > 0
    assert found.shares["placement"].part == pytest.approx(expected.shares["placement"].part, rel=1e-3)
    ui = panel.ui
    assert f"{100 * found.probability:.0f} %: {found.call}" in ui.headlineLabel.text
    assert f"95 % interval {100 * found.low:.0f} % to" in ui.answerLabel.text
    assert "Hardly" in ui.secondLabel.text and "grey zone" not in ui.headlineLabel.text


def test_the_grey_zone_is_told_and_drawn(panel, drawn, cardFile):
    chooseEr(panel, "positive")
    panel.choose(cardFile(cut_off=drawn.scoring.assessment.probability))
    assert drawn.scoring.assessment.grey_zone.holds
    assert "in the grey zone" in panel.ui.headlineLabel.text
    assert "It may well" in panel.ui.secondLabel.text


def test_all_refusals_are_told_and_there_is_no_number(panel, drawn, cardFile):
    from her2map.score import demo_card

    cohort = replace(demo_card().cohort, field_strengths_t=(1.5,))
    panel.choose(cardFile(cohort=cohort, minimum_coverage=1.0))
    chooseEr(panel, "unknown")
    lines = panel.ui.answerLabel.text.splitlines()
    assert len(lines) == len(drawn.scoring.assessment.refusals) >= 2
    assert any("ER status is missing" in line for line in lines)
    assert any("made at 3 T" in line for line in lines)
    assert "No score" in panel.ui.headlineLabel.text
    assert panel.ui.secondLabel.text == "" and panel.ui.reduceLabel.text == ""
    for number in range(panel.ui.pictureBox.count):
        panel.ui.pictureBox.setCurrentIndex(number)
        assert not [text for *_box, text in texts(shownPicture(panel)) if "nan" in text]
    assert not [text for *_box, text in texts(panel.scale) if "nan" in text]


def test_without_a_roi_nothing_is_said(panel, shownExam):
    chooseEr(panel, "positive")
    assert shownExam.scoring.assessment is None
    assert "No score yet" in panel.ui.headlineLabel.text


def test_the_warning_is_there_in_every_state(panel, drawn, cardFile):
    def warned():
        assert not panel.ui.warningLabel.isHidden()
        assert "does not replace pathology" in panel.ui.warningLabel.text
        return panel.ui.warningLabel.text

    assert "Demonstration" in warned()
    for status in ("positive", "unknown"):
        chooseEr(panel, status)
        warned()
    panel.choose(cardFile(warning="Mind the gap."))
    assert "Mind the gap." in warned()
    drawn.newContour()
    warned()


# Pictures


def test_the_nomogram_tells_the_cases_points(panel, drawn):
    from her2map.score.nomogram import nomogram

    chooseEr(panel, "positive")
    panel.ui.pictureBox.setCurrentIndex(0)
    written = [text for *_box, text in texts(shownPicture(panel))]
    model = nomogram(drawn.scoring.card)
    values = {one.name: one.value for one in drawn.scoring.standings}
    points = {axis.name: axis.points(values[axis.name]) for axis in model.axes}
    assert [text for text in written if text.endswith(f": {points['T2star']:.0f} points")]
    assert f"{sum(points.values()):.0f}" in written
    found = drawn.scoring.assessment.probability
    assert model.probability(sum(points.values())) == pytest.approx(found)
    assert f"{100 * found:.0f} %" in written


@pytest.mark.parametrize("width", [300, 700])
@pytest.mark.parametrize("status", ["unknown", "negative"])
def test_nothing_is_cut_off_or_written_over(panel, drawn, width, status):
    chooseEr(panel, status)
    for number in range(panel.ui.pictureBox.count):
        panel.ui.pictureBox.setCurrentIndex(number)
        for picture in (panel.scale, shownPicture(panel)):
            picture.setFixedWidth(width - 40)
            boxes = texts(picture)
            for left, top, right, bottom, text in boxes:
                assert left >= 0 and right <= picture.width, text
                assert top >= 0 and bottom <= picture.height, text
                assert "…" not in text
            for one, other in ((a, b) for a in boxes for b in boxes if a is not b):
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                assert apart, (one, other)
            picture.setMinimumWidth(0)
            picture.setMaximumWidth(16777215)


@pytest.mark.parametrize(("window", "text"), [("#f0f0f0", "#000000"), ("#323232", "#ffffff")])
def test_the_pictures_are_legible_in_light_and_dark(panel, drawn, window, text):
    """The case's disc in the text's colour, both groups' colours and the window are far from each other."""
    import qt

    from HER2MapModuleLib.score_painting import Colours

    palette = qt.QPalette()
    palette.setColor(qt.QPalette.Window, qt.QColor(window))
    palette.setColor(qt.QPalette.WindowText, qt.QColor(text))
    chooseEr(panel, "negative")
    panel.scale.setPalette(palette)
    image = panel.scale.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert text in seen and window in seen
    colours = Colours(palette)
    for one in (colours.negative, colours.positive, colours.text):
        assert contrast(one, colours.window) >= 3, one.name()
    panel.scale.setPalette(qt.QPalette())


def contrast(one, other):
    """Ratio of the relative luminances, as WCAG 2 defines it; it wants 3 of graphics."""

    def luminance(colour):
        parts = np.array([colour.redF(), colour.greenF(), colour.blueF()])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_cards_facts_are_one_click_away(panel):
    card = panel.scoring.card
    told = panel.ui.factsText.plainText.replace(" ", "")
    for word in (
        card.content_hash, card.licence, "HER2-low(n=72)", "0.876", "3T", "16.5msto40.8ms",
        f"{card.performance.slope:.2f}", card.assumptions[0].replace(" ", ""), "60.0%",
    ):  # fmt: skip
        assert word in told, word
    assert panel.ui.cardBox.collapsed


# What it follows


def test_the_score_follows_the_pen_and_the_placement_the_end_of_the_edit(panel, drawn, monkeypatch):
    import slicer

    from HER2MapModuleLib import scoring

    chooseEr(panel, "negative")
    asked = []
    true = scoring.placement_sds
    monkeypatch.setattr(scoring, "placement_sds", lambda *a: asked.append(1) or true(*a))
    before, heading = drawn.scoring.assessment, panel.ui.answerLabel.text
    curve = drawn.parameters.roi
    points = slicer.util.arrayFromMarkupsControlPoints(curve)
    slicer.util.updateMarkupsControlPointsFromArray(curve, points + [4.0, 0, 0])
    assert drawn.scoring.assessment.log_odds != before.log_odds
    assert panel.ui.answerLabel.text != heading
    assert not asked
    curve.InvokeEvent(curve.PointEndInteractionEvent)
    assert len(asked) == 1


def test_registration_makes_the_placement_surer(panel, drawn):
    from her2map.registration import Motion

    chooseEr(panel, "negative")
    before = drawn.scoring.assessment.shares["placement"].variance
    matrix = np.eye(4)
    matrix[0, 3] = 0.1
    motion = Motion(matrix, np.zeros(3), 0.1, 0.2, True, "found")
    drawn.propagation.takeMotions({"T2star": motion, "T1_post": motion})
    assert drawn.scoring.assessment.shares["placement"].variance < 0.5 * before


def test_er_is_asked_for_anew_with_every_exam(panel, drawn, fittedExam):
    chooseEr(panel, "positive")
    drawn.takeExam(fittedExam[0], "another")
    assert panel.ui.erBox.currentIndex == 0 and drawn.scoring.er == "unknown"


def test_a_scene_brings_back_er_and_card(panel, drawn, cardFile, tmp_path):
    import slicer

    panel.choose(cardFile(name="Mine"))
    chooseEr(panel, "positive")
    probability = drawn.scoring.assessment.probability
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    assert drawn.scoring.assessment is None and panel.ui.erBox.currentIndex == 0
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert panel.ui.erBox.currentIndex == 1
    assert drawn.scoring.card.name == "Mine" and "Mine" in panel.ui.factsText.plainText
    assert drawn.scoring.assessment.probability == pytest.approx(probability, rel=1e-6)


def test_no_path_of_a_card_is_kept_in_the_scene(panel, drawn, cardFile, tmp_path):
    import zipfile

    import slicer

    path = cardFile(name="Mine")
    panel.choose(path)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    with zipfile.ZipFile(tmp_path / "scene.mrb") as bundle:
        content = b"".join(bundle.read(name) for name in bundle.namelist())
    assert path.encode() not in content and drawn.parameters.scoreCardKey.encode() in content


def test_a_scene_whose_card_is_not_known_says_so(panel, drawn, cardFile, tmp_path):
    import slicer

    path = cardFile(name="Mine")
    panel.choose(path)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    Path(path).unlink()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert "The card that ships is used instead" in panel.ui.problemLabel.text
    assert drawn.scoring.card.name != "Mine"


def test_a_damaged_card_is_told_and_the_former_stays(panel, drawn, cardFile, monkeypatch):
    import slicer

    told = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **k: told.append(text))
    chooseEr(panel, "positive")
    good = cardFile(name="Mine")
    panel.choose(good)
    before = drawn.scoring.assessment
    bad = cardFile(name="Mine")
    text = Path(bad).read_text(encoding="utf-8")
    Path(bad).write_text(text.replace('"cut_off": 0.5', '"cut_off": 0.4'), encoding="utf-8")
    panel.choose(bad)
    assert len(told) == 1 and "changed after its export" in told[0]
    assert drawn.scoring.card.name == "Mine" and drawn.scoring.assessment == before
    panel.ui.demoButton.click()
    assert "demonstration" in drawn.scoring.card.name


# Sessions


def showTo(study, card=""):
    path = study / "study.toml"
    text = path.read_text(encoding="utf-8").replace("show_to_readers = false", "show_to_readers = true")
    assert "show_to_readers = true" in text
    path.write_text(
        text.replace('# card = "card.json"', f"card = '{card}'" if card else ""), encoding="utf-8"
    )


def sectionOf(module):
    from HER2MapModuleLib.score_panel import ScorePanel

    return module.sections[ScorePanel]


def test_readers_see_no_score_and_none_is_computed(panel, logic, study, loadedModule, contours, monkeypatch):
    from reading_steps import openNext

    from HER2MapModuleLib import scoring

    asked = []
    monkeypatch.setattr(scoring, "assess", lambda *a: asked.append(a))
    monkeypatch.setattr(scoring, "case_of_exam", lambda *a: asked.append(a))
    assert not sectionOf(loadedModule).isHidden()
    logic.readings.signIn(str(study), "r1")
    openNext(logic)
    logic.setContour(contours[logic.readings.shown.case])
    assert logic.values is not None
    assert sectionOf(loadedModule).isHidden()
    assert not asked and logic.scoring.assessment is None and logic.scoring.case is None
    assert logic.parameters.erStatus == "unknown"
    logic.readings.signOut()
    assert not sectionOf(loadedModule).isHidden()


def test_a_study_may_show_the_score_of_its_own_card(panel, logic, study, loadedModule, contours, cardFile):
    from reading_steps import openNext

    from her2map.errors import InputError

    showTo(study, cardFile(name="The study's"))
    logic.readings.signIn(str(study), "r1")
    openNext(logic)
    logic.setContour(contours[logic.readings.shown.case])
    assert not sectionOf(loadedModule).isHidden()
    assert logic.scoring.card.name == "The study's"
    assert not panel.ui.cardButton.enabled and not panel.ui.demoButton.enabled
    with pytest.raises(InputError, match="study's own card"):
        logic.scoring.chooseCard("")
    chooseEr(panel, "positive")
    assert logic.scoring.assessment.probability > 0
    logic.readings.finish(4)
    assert panel.ui.erBox.currentIndex == 0 and logic.scoring.assessment is None
    openNext(logic)
    assert logic.scoring.er == "unknown"
    chooseEr(panel, "negative")
    logic.readings.signOut()
    assert logic.scoring.er == "unknown" and logic.scoring.card.name != "The study's"
    assert panel.ui.cardButton.enabled


def test_a_study_whose_card_is_damaged_shows_no_score(panel, logic, study, cardFile):
    card = cardFile(name="The study's")
    Path(card).write_text("{}", encoding="utf-8")
    showTo(study, card)
    logic.readings.signIn(str(study), "r1")
    assert logic.scoring.card is None and "schema_version" in panel.ui.problemLabel.text
    assert panel.scale.height == 0


def test_nothing_follows_after_the_cleanup(loadedModule):
    from HER2MapModuleLib.logic import HER2MapModuleLogic

    logic = HER2MapModuleLogic()
    said = []
    logic.scoring.changed.connect(lambda: said.append(1))
    logic.cleanup()
    logic.scoring.update()
    assert not said
