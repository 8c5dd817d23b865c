"""A whole digital breast exam: drawn from a seed, simulated scan by scan, written with its truth."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..errors import InputError
from ..geometry import swap_ras_lps
from ..progress import Progress, no_progress, part_of
from .anatomy import Anatomy
from .contour import Contour, contour_markups, draw_contour, true_means
from .dicom import BITS, DicomWriter, exam_start, time_of_day
from .protocol import Protocol, plan_protocol
from .sampling import AT_REST, Motion, Share, tissue_shares, voxel_centres, weighted_signal
from .scans import Scan
from .settings import ExamSettings
from .tissues import Tissue

DICOM_FOLDER, TRUTH_FILE, ROI_FILE = "dicom", "truth.json", "roi.mrk.json"


@dataclass(frozen=True)
class EchoMotion:
    """How the patient lay during one echo, against the first echo of the same series; LPS, mm, degrees.

    A point p moves to q = R (p - centre) + centre + translation, R being the rotation by the length of
    `rotation_vector_deg` about its direction. `matrix` is the same as 4 x 4.
    """

    series: str
    echo: int
    translation_mm: list[float]
    rotation_vector_deg: list[float]
    centre_mm: list[float]
    matrix: list[list[float]]


@dataclass(frozen=True)
class Truth:
    """What is known about an exam; `truth.json` holds the same.

    Attributes:
        values: means over the ROI's volume of T1_pre, T1_post, T2, T2star (ms), B1, delta_T1, delta_T1_ratio.
        injection_time: of the contrast agent, time of day as DICOM writes it.
        injection_after_start_s: the same, after the start of the exam.
        t1_post_delay_s: from the injection to the second VFA set.
        tumour_diameter_mm: the largest in the plane of the ROI, without spicules.
        largest_slice: 0-based slice of the DCE series, counted from its lowest, on which the ROI is drawn.
        largest_slice_position: ImagePositionPatient of this slice.
        roi_thickness_mm: half of it to either side of the ROI's plane.
        roi_volume_mm3: of the outline's prism less the holes'.
        noise_sd: by scan, SD of the noise in the real part of one channel, in stored units.
        motion: of every echo of T2 and T2*.
    """

    seed: int
    settings: dict[str, Any]
    values: dict[str, float]
    injection_time: str
    injection_after_start_s: float
    t1_post_delay_s: float
    tumour_side: str
    tumour_centre_lps_mm: list[float]
    tumour_diameter_mm: float
    largest_slice: int
    largest_slice_position: list[float]
    roi_thickness_mm: float
    roi_volume_mm3: float
    noise_sd: dict[str, float]
    motion: list[EchoMotion]


class Exam:
    """One exam; its images are simulated when they are asked for.

    Attributes:
        settings, seed: from which all else follows.
        anatomy: the patient.
        protocol: the scans.
        contour: the ROI.
    """

    def __init__(self, settings: ExamSettings, seed: int) -> None:
        self.settings = settings
        self.seed = seed
        self.anatomy = Anatomy(settings, self._rng("anatomy"))
        self.protocol: Protocol = plan_protocol(settings, self.anatomy, self._rng("protocol"))
        dce = self.protocol.dce
        self.contour: Contour = draw_contour(self.anatomy.tumour, dce.geometry, dce.thickness_mm)
        self._at_rest: dict[int, list[Share]] = {}

    def _rng(self, purpose: str) -> np.random.Generator:
        """Each purpose has its own stream, so that one part of an exam does not change with another."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def motions(self, scan: Scan) -> list[Motion]:
        """The patient's displacement in every measurement of `scan`; none in the first."""
        if not scan.moves or self.settings.motion_mm == self.settings.motion_deg == 0:
            return [AT_REST] * len(scan.measurements)
        rng = self._rng("motion " + scan.name)
        centre = scan.geometry.to_ras((np.array(scan.geometry.shape[::-1]) - 1) / 2)
        moves = [Motion(np.eye(3), np.zeros(3), centre)]
        for _ in scan.measurements[1:]:
            turn = np.deg2rad(self.settings.motion_deg) * _inside_sphere(rng)
            shift = self.settings.motion_mm * _inside_sphere(rng)
            moves.append(Motion(Rotation.from_rotvec(turn).as_matrix(), shift, centre))
        return moves

    def clean(self, scan: Scan, progress: Progress = no_progress) -> NDArray[Any]:
        """The signal of `scan` without noise for receive sensitivity 1: (measurements, voxels)."""
        n = len(scan.measurements)
        moves = self.motions(scan)
        together = all(move is AT_REST for move in moves)
        groups = [list(range(n))] if together else [[i] for i in range(n)]
        image: NDArray[Any] | None = None
        for done, group in enumerate(groups):
            part = part_of(progress, done / len(groups), (done + 1) / len(groups))
            found = self._displaced(scan, moves[group[0]], group, part)
            image = np.empty((n, found.shape[1]), found.dtype) if image is None else image
            image[group] = found
        assert image is not None
        return image

    def _displaced(self, scan: Scan, motion: Motion, rows: list[int], progress: Progress) -> NDArray[Any]:
        """The signal of some measurements, made while the patient is displaced by `motion`."""

        until = replace(scan, measurements=scan.measurements[: rows[-1] + 1])

        def signal(tissue: Tissue, ras: NDArray[np.float64]) -> NDArray[Any]:
            values = self.anatomy.values_at(tissue, motion.undo(ras))
            return until.signal(tissue, values, ras, self.anatomy)[rows]

        shares = self._shares(scan, motion, part_of(progress, 0, 0.7))
        dtype = np.complex64 if scan.channels > 1 else np.float32
        image = weighted_signal(shares, scan.geometry, signal, len(rows), dtype)
        progress(1.0)
        return image

    def _shares(self, scan: Scan, motion: Motion, progress: Progress) -> list[Share]:
        """Scans on one grid share the work, as long as the patient lies still."""
        key = id(scan.geometry)
        if motion is AT_REST and key in self._at_rest:
            return self._at_rest[key]
        shares = tissue_shares(self.anatomy, scan.geometry, scan.thickness_mm, motion, progress)
        if motion is AT_REST:
            self._at_rest[key] = shares
        return shares

    def noise_sd(self, scan: Scan) -> float:
        """SD of the noise in the real part of one channel, in units of signal."""
        reference = np.abs(self._reference(scan.gain_of or scan, Tissue.TUMOUR)).max()
        centre = self.anatomy.tumour.centre[:, None].astype(float)
        return float(reference * self.anatomy.fields.profile(centre)[0] / self.settings.snr)

    def counts_per_unit(self, scan: Scan) -> float:
        """Stored value per signal."""
        gain = scan.gain_of or scan
        peak = max(float(np.abs(self._reference(gain, t)).max()) for t in Tissue if t is not Tissue.AIR)
        return scan.counts_per_unit(peak)

    def _reference(self, scan: Scan, tissue: Tissue) -> NDArray[Any]:
        """(measurements, 1) of a point of pure `tissue` at the tumour's centre."""
        centre = self.anatomy.tumour.centre[:, None].astype(float)
        return scan.signal(tissue, self.anatomy.values_at(tissue, centre), centre, self.anatomy)

    def simulate(self, scan: Scan, progress: Progress = no_progress) -> NDArray[np.float32]:
        """The images of `scan` in stored units before rounding: (channels, images, slices, rows, columns)."""
        clean = self.clean(scan, part_of(progress, 0.0, 0.7))
        points = voxel_centres(scan.geometry, np.arange(clean.shape[1]))
        fields = self.anatomy.fields
        receive = fields.profile(points)[None] if scan.channels == 1 else fields.channels(points)
        sd, scale = self.noise_sd(scan), self.counts_per_unit(scan)
        rng = self._rng("noise " + scan.name)
        images = []
        for number, sensitivity in enumerate(receive.astype(np.float32)):
            received = (clean * sensitivity).astype(np.complex64)
            if sd > 0:
                for row in received:
                    row.real += rng.standard_normal(row.size, np.float32) * np.float32(sd)
                    row.imag += rng.standard_normal(row.size, np.float32) * np.float32(sd)
            images.append(scan.reconstruct(received) * np.float32(scale))
            progress(0.7 + 0.3 * (number + 1) / len(receive))
        return np.stack(images).reshape(len(images), -1, *scan.geometry.shape)

    def stored(self, scan: Scan, progress: Progress = no_progress) -> NDArray[np.uint16]:
        """:meth:`simulate`, rounded to the scanner's 12 bits."""
        return np.clip(np.rint(self.simulate(scan, progress)), 0, 2**BITS - 1).astype(np.uint16)

    @property
    def truth(self) -> Truth:
        """See :class:`Truth`."""
        protocol, contour, tumour = self.protocol, self.contour, self.anatomy.tumour
        values, volume = true_means(self.anatomy, contour)
        start = exam_start(self.seed)
        origin = protocol.dce.geometry.to_ras([0, 0, contour.slice_index])
        return Truth(
            seed=self.seed,
            settings=asdict(self.settings),
            values=values,
            injection_time=time_of_day(start, protocol.injection_s),
            injection_after_start_s=protocol.injection_s,
            t1_post_delay_s=self.settings.t1_post_delay_s,
            tumour_side="right" if self.anatomy.side > 0 else "left",
            tumour_centre_lps_mm=swap_ras_lps(tumour.centre).tolist(),
            tumour_diameter_mm=contour.diameter_mm,
            largest_slice=contour.slice_index,
            largest_slice_position=swap_ras_lps(origin).tolist(),
            roi_thickness_mm=contour.thickness_mm,
            roi_volume_mm3=volume,
            noise_sd={s.name: self.noise_sd(s) * self.counts_per_unit(s) for s in protocol.scans},
            motion=[m for s in protocol.scans if s.moves for m in self._echo_motions(s)],
        )

    def _echo_motions(self, scan: Scan) -> list[EchoMotion]:
        return [_echo_motion(scan.name, echo, move) for echo, move in enumerate(self.motions(scan), 1)]


def make_exam(settings: ExamSettings, seed: int) -> Exam:
    """The exam of `seed`: anatomy, protocol and ROI now, images when asked for.

    Raises:
        InputError: a negative seed.
    """
    if seed < 0:
        raise InputError(f"The phantom's seed is {seed}; it must be 0 or a positive whole number.")
    return Exam(settings, seed)


def write_exam(
    folder: str | os.PathLike[str],
    settings: ExamSettings,
    seed: int,
    progress: Progress = no_progress,
) -> Truth:
    """Simulate an exam and write `folder` with `dicom/`, `truth.json` and `roi.mrk.json`.

    The same settings and seed give the same bytes. All is written under a temporary name beside `folder` and
    renamed when it is complete; a cancelled or failed run leaves nothing behind.

    Args:
        folder: does not exist, or is empty.
        progress: see :data:`~her2map.progress.Progress`.

    Raises:
        InputError: `folder` is not empty or cannot be written, or the seed is negative.
        Cancelled: raised by `progress`.
    """
    exam = make_exam(settings, seed)
    return _write_whole(Path(folder), lambda part: _write_exam(exam, part, progress))


def _write_exam(exam: Exam, folder: Path, progress: Progress) -> Truth:
    scans = exam.protocol.scans
    cost = np.array([exam_cost(scan) for scan in scans])
    ends = np.cumsum(cost) / cost.sum()
    fingerprint = f"{exam.seed} {exam.settings!r}"
    writer = DicomWriter(folder / DICOM_FOLDER, exam.seed, fingerprint, exam.protocol.injection_s)
    for scan, start, end in zip(scans, ends - cost / cost.sum(), ends, strict=True):
        middle = start + 0.6 * (end - start)
        stored = exam.stored(scan, part_of(progress, start, middle))
        writer.write_scan(scan, stored, part_of(progress, middle, end))
    truth = exam.truth
    (folder / TRUTH_FILE).write_text(json.dumps(asdict(truth), indent=2) + "\n", encoding="utf-8")
    roi = json.dumps(contour_markups(exam.contour), indent=1) + "\n"
    (folder / ROI_FILE).write_text(roi, encoding="utf-8")
    progress(1.0)
    return truth


def exam_cost(scan: Scan) -> float:
    """The relative time that a scan takes to simulate and write, for the progress."""
    images = len(scan.measurements) * scan.channels * scan.geometry.shape[0]
    voxels = np.prod(scan.geometry.shape) * (len(scan.measurements) if scan.moves else 1)
    return float(images + voxels / 5e3)


def _write_whole(folder: Path, write: Callable[[Path], Truth]) -> Truth:
    """Run `write` on a temporary folder beside `folder`, then give it its name."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"The output folder {folder} exists and is not empty; name a new one.")
    part = folder.with_name(f".{folder.name}.part-{os.getpid()}")
    try:
        part.mkdir(parents=True)
        truth = write(part)
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"The phantom cannot be written to {folder} ({reason}); choose a folder that can be written to."
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return truth


def _inside_sphere(rng: np.random.Generator) -> NDArray[np.float64]:
    """A vector of random direction and a length of at most 1."""
    direction = rng.standard_normal(3)
    return direction / np.linalg.norm(direction) * rng.uniform(0.2, 1.0)


def _echo_motion(series: str, echo: int, motion: Motion) -> EchoMotion:
    turn = swap_ras_lps(np.eye(3))
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ motion.rotation @ turn
    centre, shift = swap_ras_lps(motion.centre), swap_ras_lps(motion.translation)
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    vector = np.rad2deg(Rotation.from_matrix(matrix[:3, :3]).as_rotvec())
    return EchoMotion(series, echo, shift.tolist(), vector.tolist(), centre.tolist(), matrix.tolist())
