"""Files that are no image, patients told apart, enhanced DICOM."""

import itertools
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    EnhancedMRImageStorage,
)

from dicom_samples import PIXELS, image, read, slices, write
from her2map.errors import Cancelled, InputError
from her2map.series import read_series


def test_copies_are_read_once(tmp_path: Path) -> None:
    dataset = image()
    series = read(tmp_path, dataset, dataset)
    assert series[0].data.shape[0] == 1
    assert "a copy of" in series.skipped[0]
    assert series.skipped_counts == {"a copy of another file": 1}


@pytest.mark.filterwarnings("ignore:Invalid value for VR DS")  # when they are written
@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"Modality": "CT"}, "modality CT"),
        ({"SamplesPerPixel": 3}, "colour"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient"),
        ({"PixelSpacing": [0, 0]}, "PixelSpacing"),
        ({"ImagePositionPatient": [0, 0, "nan"]}, "not a finite number"),
        ({"ImagePositionPatient": [0, 0, "inf"]}, "not a finite number"),
        ({"ImagePositionPatient": [0, 0, "1e400"]}, "not a finite number"),
        ({"ImageOrientationPatient": [1, 0, "inf", 0, 1, 0]}, "not a finite number"),
        ({"BitsAllocated": 12}, "12 bits"),
    ],
)
def test_unusable_images_are_named(tmp_path: Path, fields: dict[str, Any], word: str) -> None:
    write(tmp_path, image(), image(**fields))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        series = read_series(tmp_path)
    assert len(series) == 1
    assert word in series.skipped[0]
    assert "secret" not in str(series.skipped).lower()


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing at"):
        read_series(tmp_path / "absent")
    with pytest.raises(InputError, match="is empty"):
        read_series(tmp_path)
    (tmp_path / "note.txt").write_text("no image")
    with pytest.raises(InputError, match=r"note.txt: not a DICOM file"):
        read_series(tmp_path)


def test_a_list_of_files_in_many_folders(tmp_path: Path) -> None:
    for z, dataset in enumerate(slices(3)):
        write(tmp_path / f"folder{z}", dataset)
    (tmp_path / "folder1" / "note.txt").write_text("no image")
    write(tmp_path / "not asked for", image(SeriesInstanceUID="1.99"))
    files = [file for z in (2, 0, 1) for file in (tmp_path / f"folder{z}").iterdir()]
    (series,) = found = read_series([*files, str(files[0]), tmp_path / "folder2" / "lost"])
    np.testing.assert_array_equal(series.data[0, :, 0, 0], PIXELS[0, 0] + np.arange(3))
    assert found.skipped == (
        f"{Path('folder1', 'note.txt')}: not a DICOM file",
        f"{Path('folder2', 'lost')}: the file cannot be opened",
    )
    (alone,) = read_series(files[:1])
    assert alone.data.shape[1] == 1


def test_a_list_reads_as_the_folder_that_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "exam", *slices(4))
    (tmp_path / "exam" / "note.txt").write_text("no image")
    by_folder = read_series(tmp_path / "exam")
    monkeypatch.chdir(tmp_path)
    by_list = read_series([str(file.relative_to(tmp_path)) for file in (tmp_path / "exam").iterdir()])
    assert by_list.skipped == by_folder.skipped
    np.testing.assert_array_equal(by_list[0].data, by_folder[0].data)


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="list of files is empty"):
        read_series([])
    with pytest.raises(InputError, match="from lost: the file cannot be opened"):
        read_series([tmp_path / "lost"])
    for name in ("a", "b"):
        (tmp_path / name).write_text("no image")
    with pytest.raises(InputError, match="None of the 2 files in the list of files"):
        read_series([tmp_path / "a", tmp_path / "b"])
    write(tmp_path / "one", image())
    write(tmp_path / "two", image(PatientID="other", StudyInstanceUID="1.9"))
    with pytest.raises(InputError, match="2 patients in the list of files") as error:
        read_series([*(tmp_path / "one").iterdir(), *(tmp_path / "two").iterdir()])
    assert str(tmp_path) not in str(error.value)


def test_patients_told_apart(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 patients") as error:
        read(tmp_path / "two", image(), image(PatientID="other", StudyInstanceUID="1.9"))
    assert "secret" not in str(error.value)
    blank = {"PatientID": "", "PatientName": ""}
    assert len(read(tmp_path / "anonymous", image(**blank), image(**blank, SeriesInstanceUID="1.8"))) == 2
    with pytest.raises(InputError, match="without patient identifiers"):
        read(tmp_path / "unknown", image(**blank), image(**blank, StudyInstanceUID="1.9"))
    same = image(PatientName="SECRET^NAME^^", SeriesInstanceUID="1.8")
    assert len(read(tmp_path / "spelling", image(), same)) == 2


def test_pydicom_says_nothing_about_personal_values(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    write(tmp_path, image(PatientName="Secret^Name", PatientID="secret-id"))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes().replace(b"secret-id", b"secret\x1b\xe9d"))
    assert len(read_series(tmp_path)) == 1
    assert caplog.text == ""
    assert len(recwarn) == 0
    assert not logging.getLogger("pydicom").disabled


def test_progress_runs_to_the_end_and_cancels(tmp_path: Path) -> None:
    write(tmp_path, *slices(5))
    seen: list[float] = []
    read_series(tmp_path, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def cancel(fraction: float) -> None:
        if fraction > 0.7:
            raise Cancelled

    with pytest.raises(Cancelled):
        read_series(tmp_path, progress=cancel)


@given(st.data())
def test_damaged_bytes_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    datasets = [image(SOPInstanceUID=f"1.2.{z}", ImagePositionPatient=[-10, -20, z]) for z in (2, 5)]
    folder = write(tmp_path_factory.mktemp("damage"), *datasets)
    victim = sorted(folder.iterdir())[0]
    content = bytearray(victim.read_bytes())
    header = len(content) - PIXELS.nbytes
    for place in data.draw(st.lists(st.integers(132, header), min_size=1, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    victim.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        read_series(folder)
    except InputError as error:
        assert "Secret" not in str(error)  # a damaged id may look like a second patient


def item(**fields: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in fields.items():
        setattr(dataset, keyword, value)
    return dataset


def test_enhanced_dynamic_with_times_and_contrast_per_frame(tmp_path: Path) -> None:
    frames, groups = [], []
    for phase, z in itertools.product(range(3), range(2)):
        frames.append(PIXELS // 2 + 100 * phase + z)
        groups.append(
            item(
                FrameContentSequence=[
                    item(
                        FrameAcquisitionDateTime=f"202501021015{10 * phase:02d}.5+0100",
                        FrameAcquisitionDuration=9500.0,
                        TemporalPositionIndex=phase + 1,
                    )
                ],
                PlanePositionSequence=[item(ImagePositionPatient=[0, 0, 3 * (1 - z)])],
            )
        )
    dataset = image(
        np.array(frames),
        SOPClassUID=EnhancedMRImageStorage,
        NumberOfFrames=6,
        Manufacturer="Siemens Healthineers",
        AcquisitionTime=None,
        EchoTime=None,
        PerFrameFunctionalGroupsSequence=groups,
        SharedFunctionalGroupsSequence=[
            item(
                MREchoSequence=[item(EffectiveEchoTime=1.7)],
                MRTimingAndRelatedParametersSequence=[item(RepetitionTime="4.2", FlipAngle="12")],
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                PixelMeasuresSequence=[item(PixelSpacing=[1, 1], SliceThickness="3")],
                PixelValueTransformationSequence=[item(RescaleSlope="0.5", RescaleIntercept="3")],
            )
        ],
        ContrastBolusAgentSequence=[
            item(ContrastAdministrationProfileSequence=[item(ContrastBolusStartTime="101505")])
        ],
    )
    exam = read(tmp_path, dataset, dataset)
    (series,) = exam
    assert exam.skipped_counts == {"a copy of another file": 1}
    assert series.data.shape == (3, 2, 12, 16)
    np.testing.assert_allclose(series.data[:, 0], (np.array(frames)[1::2]) * 0.5 + 3)
    np.testing.assert_allclose(series.time_s - series.time_s[0], [0, 10, 20])
    assert series.time_source == "FrameAcquisitionDateTime"
    assert series.injection_time_s - series.time_s[0] == pytest.approx(4.5)
    assert (series.te_ms[0], series.tr_ms[0], series.flip_angle_deg[0]) == (1.7, 4.2, 12)
    assert series.sequence["FrameAcquisitionDuration"] == 9500
    assert series.problems == ()
