"""The phantom, by Slicer's *Sample Data* and by the button."""

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def test_sample_data_offers_the_phantom_and_makes_it(loadedModule, monkeypatch, tmp_path):
    import slicer

    from her2map.phantom import ExamSettings
    from HER2MapModuleLib import sample_data

    # The standard size takes half a minute.
    monkeypatch.setattr(ExamSettings, "standard", ExamSettings.small)
    monkeypatch.setattr(sample_data, "phantomFolder", lambda: tmp_path / "phantom")
    sample_data.registerSampleData()
    sample_data.registerSampleData()  # modules are reloaded
    sources = slicer.modules.sampleDataSources["HER2Map"]
    [source] = [one for one in sources if one.sampleName == sample_data.NAME]
    source.customDownloader(source)
    assert (tmp_path / "phantom" / "truth.json").is_file()
    roles = {one["role"] for one in loadedModule.logic.facts["series"]}
    assert roles == {"T1_pre", "T1_post", "T2", "T2star", "B1", "DCE"}


def test_the_phantom_is_made_once(loadedModule, monkeypatch, tmp_path):
    from her2map.phantom import ExamSettings
    from HER2MapModuleLib import sample_data

    monkeypatch.setattr(sample_data, "phantomFolder", lambda: tmp_path / "phantom")
    first = sample_data.writing(ExamSettings.small())(lambda fraction: None)
    times = {file: file.stat().st_mtime_ns for file in first.rglob("*.dcm")}
    assert times
    again = sample_data.writing(ExamSettings.small())(lambda fraction: None)
    assert again == first
    assert times == {file: file.stat().st_mtime_ns for file in again.rglob("*.dcm")}
