"""Histogram figures against the reference values of the IBSI, and against SciPy and NumPy."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from her2map.errors import InputError
from her2map.exam import region_histograms
from her2map.geometry import Geometry
from her2map.relaxometry.parameter_map import ParameterMap, Status
from her2map.report.histogram_tables import bins_text, figure_rows, histograms_csv
from her2map.roi import Roi, Volume, measure
from her2map.roi.histogram import DISCRETISATIONS, Discretisation, Histogram, histogram, histogram_of

# The digital phantom of the IBSI (github.com/theibsi/data_sets, CC BY 4.0): slices, rows, columns.
PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ]
)
MASK = np.ones(PHANTOM.shape, bool)
MASK[1, 2, 0] = MASK[2, 2, 2] = False
MASK[2:, 0, 3:] = False

# "dig. phantom" in the tables of the IBSI's reference manual (arXiv:1612.07003, chapters 3.3 and 3.4).
REFERENCE = {
    "Q4LE": 2.15, "ECT3": 3.05, "KE2A": 1.08, "IPH6": -0.355, "Y12H": 1, "1GSF": 1, "QG58": 1, "8DWT": 4,
    "84IY": 6, "SALO": 3, "2OJQ": 5, "4FUA": 1.55, "1128": 1.11, "N72L": 1.15, "7TET": 0.812, "9S40": 0.6,
    "N8CA": 567, "5ZWQ": 2.77, "TLU2": 1.27, "BJ5W": 0.512,
}  # fmt: skip
UNIT_BINS = Discretisation(1.0, lowest=1.0)


def three_digits(value: float) -> float:
    return float(f"{value:.3g}")


def test_the_ibsis_digital_phantom() -> None:
    found = histogram(PHANTOM[MASK], np.ones(MASK.sum()), UNIT_BINS)
    printed = {figure.code: three_digits(figure.value) for figure in found.figures("1")}
    assert printed == REFERENCE


def test_the_phantom_as_a_map_with_voxels_that_are_not_usable() -> None:
    """Voxels of 2 mm, as the IBSI's; what its mask leaves out has no value here."""
    geometry = Geometry(PHANTOM.shape, np.diag([2.0, 2.0, 2.0, 1.0]))
    ones = np.ones(PHANTOM.shape)
    status = np.where(MASK, Status.FITTED, Status.NOT_CONVERGED).astype(np.uint8)
    fitted = ParameterMap(PHANTOM.astype(float), ones, ones, status, ones, "T2", "ms", "made for this test")
    slices = [Roi.rectangle([4, 3, z], [1, 0, 0], [0, 1, 0], 10.0, 8.0, 2.0) for z in (0.0, 2.0, 4.0, 6.0)]
    found = histogram_of(fitted, geometry, Volume(tuple(slices)), UNIT_BINS)
    assert found.voxels == pytest.approx(74)
    assert found.coverage == pytest.approx(74 / 80)
    printed = {figure.code: three_digits(figure.value) for figure in found.histogram.figures(found.unit)}
    assert printed == REFERENCE
    assert found.histogram.mean == pytest.approx(measure(fitted, geometry, Volume(tuple(slices))).value)

    refused = histogram_of(fitted, geometry, slices[0].transformed(shifted(300.0)), UNIT_BINS)
    assert refused.histogram is None
    assert refused.reason.startswith("The ROI leaves the map's field of view")


def shifted(along_r: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = along_r
    return matrix


@given(seed=st.integers(0, 100_000))
@settings(max_examples=50)
def test_whole_weights_are_repeated_voxels(seed: int) -> None:
    """A voxel of weight 3 says what three voxels say; SciPy and NumPy know only these."""
    rng = np.random.default_rng(seed)
    x = rng.gamma(3, 20, rng.integers(2, 40)).round(rng.integers(0, 3))
    weights = rng.integers(0, 4, len(x))
    weights[0] = 1
    bins = Discretisation(rng.uniform(0.5, 10), rng.uniform(-5, 5))
    found = histogram(x, weights, bins)
    y = np.repeat(x, weights)

    def percentile(part: float) -> float:
        return np.quantile(y, part, method="averaged_inverted_cdf")

    within = y[(y >= percentile(0.1)) & (y <= percentile(0.9))]
    counts = np.bincount(bins.levels(y) - bins.levels(y).min())
    shape = (stats.skew(y), stats.kurtosis(y)) if np.ptp(y) else (0.0, 0.0)
    expected = Histogram(
        mean=y.mean(),
        variance=y.var(),
        skewness=shape[0],
        kurtosis=shape[1],
        median=np.median(y),
        minimum=y.min(),
        percentile_10=percentile(0.1),
        percentile_90=percentile(0.9),
        maximum=y.max(),
        interquartile_range=percentile(0.75) - percentile(0.25),
        range=np.ptp(y),
        mean_absolute_deviation=np.abs(y - y.mean()).mean(),
        robust_mean_absolute_deviation=np.abs(within - within.mean()).mean() if len(within) else math.nan,
        median_absolute_deviation=np.abs(y - np.median(y)).mean(),
        coefficient_of_variation=y.std() / y.mean(),
        quartile_coefficient_of_dispersion=(percentile(0.75) - percentile(0.25))
        / (percentile(0.75) + percentile(0.25)),
        energy=(y**2).sum(),
        root_mean_square=np.sqrt((y**2).mean()),
        entropy=stats.entropy(counts, base=2),
        uniformity=((counts / counts.sum()) ** 2).sum(),
    )
    for mine, theirs in zip(found.figures("ms"), expected.figures("ms"), strict=True):
        assert mine.value == pytest.approx(theirs.value, rel=1e-8, abs=1e-8, nan_ok=True), mine.name


@given(seed=st.integers(0, 100_000), scale=st.floats(0.01, 1.0))
@settings(max_examples=30)
def test_only_the_energy_depends_on_how_much_there_is(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.normal(80, 10, 50), rng.uniform(0.05, 1, 50)
    whole, part = (histogram(x, factor * w, Discretisation(5.0)).figures("ms") for factor in (1.0, scale))
    for one, other in zip(whole, part, strict=True):
        factor = scale if one.code == "N8CA" else 1.0
        assert other.value == pytest.approx(factor * one.value, rel=1e-7), one.name


def test_a_region_of_one_value() -> None:
    found = histogram([70.0, 70.0], [1.0, 0.3], Discretisation(2.5))
    assert (found.variance, found.skewness, found.kurtosis, found.range) == (0, 0, 0, 0)
    assert (found.entropy, found.uniformity) == (0, 1)
    assert math.copysign(1, found.entropy) == 1
    nothing = histogram([0.0, 0.0], [1.0, 1.0], Discretisation(2.5))
    assert math.isnan(nothing.coefficient_of_variation)
    assert math.isnan(nothing.quartile_coefficient_of_dispersion)


def test_units_and_codes() -> None:
    found = histogram(PHANTOM[MASK], np.ones(74), UNIT_BINS)
    units = {figure.code: figure.unit for figure in found.figures("ms")}
    assert (units["Q4LE"], units["ECT3"], units["KE2A"], units["TLU2"]) == ("ms", "ms²", "", "bit")
    assert {figure.unit for figure in found.figures("1")} == {"", "bit"}
    assert len(units) == len(found.figures("ms")) == 20


def test_bins_are_the_same_for_every_case() -> None:
    bins = DISCRETISATIONS["T2"]
    assert bins.levels([0.0, 2.4, 2.5, 80.0]).tolist() == [1, 1, 2, 33]
    for width, lowest in ((0.0, 0.0), (-1.0, 0.0), (math.nan, 0.0), (1.0, math.inf)):
        with pytest.raises(InputError, match="positive width"):
            Discretisation(width, lowest)
    with pytest.raises(InputError, match="no voxel with a usable value"):
        histogram([1.0], [0.0], bins)


def test_tables_side_by_side_and_as_a_file() -> None:
    geometry = Geometry((3, 20, 20), np.diag([1.0, 1.0, 3.0, 1.0]))
    rng = np.random.default_rng(1)
    ones = np.ones(geometry.shape)
    status = np.full(geometry.shape, Status.FITTED, np.uint8)

    def a_map(quantity: str, level: float, unit: str = "ms", status: np.ndarray = status):
        value = level * (1 + 0.1 * rng.normal(size=geometry.shape))
        return ParameterMap(value, ones, ones, status, ones, quantity, unit, "made for this test"), geometry

    maps = {"T1_pre": a_map("T1", 1500), "T2": a_map("T2", 80, status=0 * status), "B1": a_map("B1", 1, "1")}
    roi = Roi.circle([9, 9, 3], [0, 0, 1], 4.0, 3.0)
    found = region_histograms(maps, roi, {"T2": np.eye(4)})
    rows = {row.code: row for row in figure_rows(found)}
    assert len(rows) == 20
    assert rows["Q4LE"].texts["T1_pre"] == f"{found['T1_pre'].histogram.mean:.0f}"
    assert rows["Q4LE"].texts["B1"] == f"{found['B1'].histogram.mean:.3f}"
    assert rows["KE2A"].texts["T1_pre"] == f"{found['T1_pre'].histogram.skewness:.2f}"
    assert {row.texts["T2"] for row in rows.values()} == {"–"}
    assert "50 ms for T1_pre, 2.5 ms for T2, 0.02 for B1" in bins_text(found)
    assert figure_rows({}) == [] and bins_text({}) == ""

    lines = list(csv.DictReader(io.StringIO(histograms_csv(found))))
    assert len(lines) == 60
    by_code = {(line["biomarker"], line["ibsi_code"]): line for line in lines}
    assert float(by_code["T1_pre", "ECT3"]["value"]) == found["T1_pre"].histogram.variance
    assert by_code["T1_pre", "ECT3"]["unit"] == "ms²"
    assert by_code["T1_pre", "TLU2"]["bin_width"] == "50.0" and by_code["T1_pre", "Q4LE"]["bin_width"] == ""
    assert by_code["T2", "Q4LE"]["value"] == "" and float(by_code["T2", "Q4LE"]["coverage"]) == 0
    with pytest.raises(InputError, match="no such map"):
        region_histograms(maps, roi, {"T2star": np.eye(4)})
