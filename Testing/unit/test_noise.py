"""Noise SD, SNR and the SNR rule: simulated noise, SciPy's distributions and real images."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from her2map.errors import InputError
from her2map.relaxometry import (
    ParameterMap,
    Status,
    background_mask,
    combine_channels,
    estimate_noise,
    exclude_low_snr,
    lesion_snr,
    mark_low_signal,
    noise_sd,
    voxel_snr,
)


def magnitude(true: np.ndarray | float, shape: tuple[int, ...], sd: float, n_channels: int = 1) -> np.ndarray:
    """Sum-of-squares magnitudes with the signal in the first channel."""
    noise = np.random.default_rng(5).normal(scale=sd, size=(n_channels, 2, *shape))
    noise[0, 0] += true
    return np.sqrt((noise**2).sum(axis=(0, 1)))


def phantom(sd: float, n_channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """A textured object of SNR 5 to 60 in air, and where it lies; (slices, rows, columns)."""
    rng = np.random.default_rng(1)
    true = np.zeros((3, 96, 96))
    true[:, 20:70, 24:80] = rng.uniform(5 * sd, 60 * sd, (3, 10, 8)).repeat(5, axis=1).repeat(7, axis=2)
    return magnitude(true, true.shape, sd, n_channels), true > 0


@given(arrays(np.complex128, (3, 4, 5), elements=st.complex_numbers(max_magnitude=1e6)), st.integers(-3, 2))
def test_channels_combine_to_the_norm(signal: np.ndarray, axis: int) -> None:
    combined = combine_channels(signal, axis)
    np.testing.assert_allclose(combined, np.linalg.norm(signal, axis=axis), rtol=1e-12, atol=1e-150)
    np.testing.assert_allclose(combine_channels(np.abs(signal), axis), combined, rtol=1e-12, atol=1e-150)


def test_combined_type_mask_and_axis() -> None:
    signal = np.ma.array(np.full((2, 3), 3, np.int16), mask=[[0, 0, 1], [0, 0, 0]])
    combined = combine_channels(signal)
    assert combined.dtype == np.float32
    np.testing.assert_allclose(combined, [np.sqrt(18), np.sqrt(18), np.nan], rtol=1e-6)
    with pytest.raises(InputError, match="no channel axis 2"):
        combine_channels(np.ones((2, 3)), 2)


@pytest.mark.parametrize("n_channels", [1, 4, 16])
def test_noise_sd_against_scipys_chi(n_channels: int) -> None:
    air = stats.chi(df=2 * n_channels, scale=7.0).rvs(200_000, random_state=3)
    assert noise_sd(air, n_channels) == pytest.approx(7.0, rel=0.005)
    if n_channels == 1:
        assert noise_sd(air) == pytest.approx(air.std() / np.sqrt(2 - np.pi / 2), rel=0.01)


def test_small_regions_are_accepted_and_unbiased() -> None:
    regions = stats.rayleigh(scale=3.0).rvs((400, 60), random_state=4)
    assert np.mean([noise_sd(region) ** 2 for region in regions]) == pytest.approx(9, rel=0.02)


@given(st.floats(1e-6, 1e6))
def test_noise_sd_scales_with_the_image(factor: float) -> None:
    air = magnitude(0.0, (500,), 1.0)
    assert noise_sd(factor * air) == pytest.approx(factor * noise_sd(air), rel=1e-9)


@pytest.mark.parametrize(
    ("background", "n_channels", "words"),
    [
        (np.zeros(500), 1, "all zero"),
        (np.r_[np.zeros(300), magnitude(0.0, (300,), 1.0)], 1, "not plain noise"),
        (np.r_[np.full(50, 200.0), magnitude(0.0, (500,), 1.0)], 1, "not plain noise"),
        (magnitude(100.0, (500,), 1.0), 1, "not plain noise"),
        (magnitude(0.0, (500,), 1.0, 8), 1, "not plain noise"),
        (magnitude(0.0, (500,), 1.0), 8, "not plain noise"),
        (np.array([np.nan, 1.0]), 1, "fewer than two"),
        (np.ones(50), 0, "n_channels is 0"),
    ],
)
def test_what_is_no_noise_is_refused(background: np.ndarray, n_channels: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        noise_sd(background, n_channels)


@pytest.mark.parametrize("n_channels", [1, 4, 8])
@pytest.mark.parametrize("sd", [0.02, 7.0])
def test_air_is_found(n_channels: int, sd: float) -> None:
    image, tissue = phantom(sd, n_channels)
    air = background_mask(image, n_channels)
    assert not (air & tissue).any()
    assert np.count_nonzero(air) > 0.75 * np.count_nonzero(~tissue)
    assert estimate_noise(image, n_channels) == pytest.approx(sd, rel=0.02)


def test_zero_filled_margins_do_not_count() -> None:
    image, _ = phantom(7.0)
    image[:, :, :12] = image[:, -9:] = 0
    assert estimate_noise(image) == pytest.approx(7.0, rel=0.02)


def test_masked_background_is_said() -> None:
    image, tissue = phantom(7.0)
    for unusable in (np.where(tissue, image, 0), image[:, 22:68, 26:78], np.zeros((40, 40)), np.ones((4, 4))):
        with pytest.raises(InputError, match="No air with plain noise"):
            estimate_noise(unusable)
    with pytest.raises(InputError, match="number of channels"):
        estimate_noise(phantom(7.0, 8)[0])
    with pytest.raises(InputError, match="rows and columns"):
        estimate_noise(np.ones(100))


def test_siemens_phantom_air(shared_data: Path) -> None:
    """The found air gives the SD that a region drawn by hand along the far edges gives."""
    for path in (shared_data / "nist_phantom_hazen/T1/site1_20200218/plate5").iterdir():
        image = pydicom.dcmread(path).pixel_array.astype(float)
        air = background_mask(image)
        assert image[air].max() < 0.05 * np.percentile(image, 99)
        drawn = noise_sd(np.r_[image[16:26, 16:176].ravel(), image[166:176, 16:176].ravel()])
        assert noise_sd(image[air]) == pytest.approx(drawn, rel=0.1)


def test_interpolated_air_of_a_head_coil(shared_data: Path) -> None:
    for path in (shared_data / "mese_siemens_dcmstack").glob("*.dcm"):
        image = pydicom.dcmread(path).pixel_array.astype(float)
        drawn = noise_sd(image[2:14, 16:176])
        assert estimate_noise(image) == pytest.approx(drawn, rel=0.15)


def test_real_images_without_usable_air_are_refused(shared_data: Path) -> None:
    """Masked MOLLI, Philips air under one count, brain in air of eight coils, a skull-stripped crop."""
    molli = pydicom.dcmread(shared_data / "molli_philips_enhanced/IM_0001").pixel_array[:8]
    philips = next((shared_data / "nist_phantom_hazen/T2/site4_philips/plate5").iterdir())
    rider = next((shared_data / "vfa_rider_siemens").rglob("*.dcm"))
    crop = nib.load(shared_data / "megre3_magphase_nifti/Mag.nii.gz").get_fdata()[..., 0].T
    for image in (*molli, pydicom.dcmread(philips).pixel_array, pydicom.dcmread(rider).pixel_array, crop):
        with pytest.raises(InputError):
            estimate_noise(image)


@pytest.mark.parametrize("n_channels", [1, 4])
@pytest.mark.parametrize("true_snr", [5.0, 10.0, 30.0])
def test_voxel_snr_is_unbiased(n_channels: int, true_snr: float) -> None:
    measured = magnitude(true_snr * 2.0, (100_000,), 2.0, n_channels)
    found = voxel_snr(measured, 2.0, n_channels)
    assert found.mean() == pytest.approx(true_snr, abs=0.02 if n_channels == 1 else 0.1)
    # The plain ratio does not do: it is high by (2n - 1)/(2 SNR).
    assert measured.mean() / 2.0 - true_snr > 5 * abs(found.mean() - true_snr)


@given(arrays(float, 20, elements=st.floats(0, 1e4)), st.floats(0.01, 100))
def test_voxel_snr_is_at_most_the_ratio_and_rises(signal: np.ndarray, sd: float) -> None:
    snr = voxel_snr(np.sort(signal), sd)
    assert (snr <= np.sort(signal) / sd).all()
    assert (np.diff(snr) >= 0).all()


def test_lesion_snr_by_hand() -> None:
    assert lesion_snr([98, 100, 102], [4, 5, 6, 5]) == pytest.approx((100 - 5) / 2)
    for centre, background, words in (
        ([5.0], [1.0], "fewer than two"),
        ([5.0, 6.0], [], "background"),
        ([5.0, 5.0], [1.0], "same value"),
    ):
        with pytest.raises(InputError, match=words):
            lesion_snr(centre, background)


def a_map(status: np.ndarray) -> ParameterMap:
    value = np.arange(status.size, dtype=np.float32).reshape(status.shape)
    return ParameterMap(
        value, value, value, status.astype(np.uint8), value, "T2star", "ms", "test", ("first",)
    )


@given(
    arrays(np.uint8, 30, elements=st.integers(0, 5)),
    arrays(float, 30, elements=st.floats(0, 40) | st.just(np.nan)),
    st.floats(0.5, 5),
)
def test_snr_rule(status: np.ndarray, last_echo: np.ndarray, sd: float) -> None:
    before = a_map(status)
    after = exclude_low_snr(before, last_echo, sd)
    enough = np.nan_to_num(last_echo) ** 2 - sd**2 >= (5 * sd) ** 2
    border = np.isclose(last_echo**2, 26 * sd**2)
    changed = (status == Status.FITTED) & ~enough
    expected = np.where(changed, Status.EXCLUDED_BY_SNR, status)
    np.testing.assert_array_equal(after.status[~border], expected[~border])
    assert after.value is before.value
    assert before.status is status or (before.status == status).all()
    again = exclude_low_snr(after, last_echo, sd)
    np.testing.assert_array_equal(again.status, after.status)


def test_excluded_share_is_reported() -> None:
    status = np.array(
        [[Status.FITTED] * 4, [Status.NOT_ASKED, Status.LOW_SIGNAL, Status.FITTED, Status.FITTED]]
    )
    last_echo = np.array([[100.0, 100, 100, 2], [0, 0, 100, 3]])
    after = exclude_low_snr(a_map(status), last_echo, 1.0)
    assert after.fraction(Status.EXCLUDED_BY_SNR) == pytest.approx(2 / 7)
    assert "33.3%" in after.notes[-1]
    assert after.notes[0] == "first"
    assert after.status.dtype == np.uint8
    with pytest.raises(InputError, match="shape"):
        exclude_low_snr(a_map(status), last_echo[0], 1.0)
    with pytest.raises(InputError, match="positive"):
        exclude_low_snr(a_map(status), last_echo, 0.0)


def test_voxels_without_signal_lose_their_value() -> None:
    """Air has an SNR of 5 in one of a hundred thousand voxels; tissue of SNR 20 keeps its fit."""
    signal = magnitudes_of_tissue_and_air()
    values = np.full(2000, 50.0, np.float32)
    status = np.full(2000, Status.FITTED, np.uint8)
    status[:10] = Status.NOT_ASKED
    fitted = ParameterMap(values, values, values, status, values, "T1", "ms", "test")
    marked = mark_low_signal(fitted, signal, 1.0)
    assert (marked.status[:10] == Status.NOT_ASKED).all()
    assert (marked.status[10:1000] == Status.LOW_SIGNAL).mean() > 0.99
    assert np.isnan(marked.value[marked.status == Status.LOW_SIGNAL]).all()
    assert marked.fitted[1000:].all()
    assert marked.value.dtype == np.float32


def magnitudes_of_tissue_and_air() -> np.ndarray:
    """(5, 2000): the first half air, the second of SNR 20, in noise of SD 1."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((5, 2000)) + 1j * rng.standard_normal((5, 2000))
    return np.abs(20.0 * (np.arange(2000) >= 1000) + noise)
