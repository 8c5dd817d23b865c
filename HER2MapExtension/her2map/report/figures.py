"""Figures of one exam: maps with the ROI, fit curves, the enhancement curve."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from cmcrameri import cm as crameri
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from ..geometry import Geometry
from ..roi import Roi, roi_weights
from .curves import RoiCurve
from .style import MapStyle

_INK = "#1f2933"
_ROI_COLOUR = "#00e5ff"
_NO_VALUE = "#5b6470"
_ENLARGED_MARGIN_MM = 12.0
_OVERVIEW_MARGIN_MM = 25.0


@dataclass(frozen=True, eq=False)
class Picture:
    """An image of the exam and how it is shown.

    Attributes:
        title: above it, where several pictures stand together.
        values: (slices, rows, columns); NaN is shown in grey-blue.
        geometry: the grid of `values`.
        colours: a matplotlib colour table.
        window: lowest and highest value shown.
        unit: on the colour bar; "" where there is no bar.
    """

    title: str
    values: NDArray[Any]
    geometry: Geometry
    colours: Colormap
    window: tuple[float, float]
    unit: str

    @classmethod
    def of_map(cls, values: NDArray[Any], geometry: Geometry, style: MapStyle) -> "Picture":
        """A map in the colours of its quantity."""
        colours = getattr(crameri, style.colours).with_extremes(bad=_NO_VALUE)
        return cls(style.title, values, geometry, colours, style.window, style.unit or "ratio")

    @classmethod
    def of_signal(cls, title: str, values: NDArray[Any], geometry: Geometry, roi: Roi) -> "Picture":
        """A signal image in grey, the brightest of the ROI still below white."""
        slice_values = values[_slice_of(geometry, roi)]
        inside = roi_weights(geometry, roi)
        roi_values = values[inside.box][inside.fraction > 0.5]
        top = max(np.nanpercentile(slice_values, 99.5), 1.1 * np.nanmax(roi_values, initial=0.0))
        return cls(title, values, geometry, colormaps["gray"], (0.0, float(top) or 1.0), "")


def whole_and_enlarged(picture: Picture, roi: Roi) -> Figure:
    """The slice nearest to the ROI's centre: whole, and enlarged around the ROI."""
    figure = Figure(figsize=(9.0, 4.1), dpi=110, layout="constrained")
    whole, enlarged = figure.subplots(1, 2)
    shown = _show(whole, picture, roi)
    _show(enlarged, picture, roi)
    _mark_sides(whole, picture.geometry)
    left, right, bottom, top = _enlarge(enlarged, picture.geometry, roi, _ENLARGED_MARGIN_MM)
    whole.add_patch(
        Rectangle((left, top), right - left, bottom - top, fill=False, ec="white", lw=0.8, ls=":")
    )
    if picture.unit:
        figure.colorbar(
            shown, ax=[whole, enlarged], fraction=0.05, pad=0.02, extend="max", label=picture.unit
        )
    return figure


def overview(pictures: Sequence[Picture], roi: Roi) -> Figure:
    """All pictures of the exam side by side, each enlarged around the ROI."""
    columns = 3
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(4.0 * columns, 3.6 * rows), dpi=110, layout="constrained")
    for axes, picture in zip(figure.subplots(rows, columns, squeeze=False).flat, pictures, strict=False):
        shown = _show(axes, picture, roi)
        _enlarge(axes, picture.geometry, roi, _OVERVIEW_MARGIN_MM)
        axes.set_title(picture.title, fontsize=11)
        if picture.unit:
            figure.colorbar(shown, ax=axes, fraction=0.046, pad=0.02, extend="max", label=picture.unit)
    return figure


def side_by_side(pictures: Sequence[tuple[Picture, Roi]]) -> Figure:
    """Pictures of one quantity at several times, each around its own ROI, in one window and zoom."""
    half_mm = max(_half_width_mm(picture.geometry, roi) for picture, roi in pictures) + _ENLARGED_MARGIN_MM
    figure = Figure(figsize=(9.0, 4.4), dpi=110, layout="constrained")
    all_axes = figure.subplots(1, 2)
    for axes, (picture, roi) in zip(all_axes, pictures, strict=False):
        shown = _show(axes, picture, roi)
        _zoom(axes, picture.geometry, roi, half_mm)
        _mark_sides(axes, picture.geometry)
        axes.set_title(picture.title, fontsize=11)
    for axes in all_axes[len(pictures) :]:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no map", transform=axes.transAxes, ha="center", color=_INK)
    figure.colorbar(shown, ax=all_axes, fraction=0.05, pad=0.02, extend="max", label=pictures[0][0].unit)
    return figure


def _half_width_mm(geometry: Geometry, roi: Roi) -> float:
    """From the middle of the ROI's box in the picture to its farther side."""
    outline = _on_slice(geometry, roi.outline, roi.normal, _slice_of(geometry, roi))
    return float(((outline.max(axis=0) - outline.min(axis=0)) / 2 * geometry.spacing[:2]).max())


def _zoom(axes: Axes, geometry: Geometry, roi: Roi, half_mm: float) -> None:
    """Show a square of twice `half_mm` around the ROI, with a scale bar."""
    outline = _on_slice(geometry, roi.outline, roi.normal, _slice_of(geometry, roi))
    middle, half = (outline.min(axis=0) + outline.max(axis=0)) / 2, half_mm / geometry.spacing[:2]
    (left, top), (right, bottom) = middle - half, middle + half
    axes.set(xlim=(left, right), ylim=(bottom, top))
    _scale_bar(axes, geometry, left, right, bottom, top)


def curve_figure(curve: RoiCurve) -> Figure:
    """Mean signal in the ROI with its spread over voxels, and the fitted curve."""
    figure, axes = _small_plot(curve.x_label)
    axes.plot(curve.model_x, curve.model, color="#0b7285", lw=1.8, label="fit to the ROI mean")
    axes.errorbar(
        curve.x,
        curve.mean,
        curve.sd,
        fmt="o",
        ms=4.5,
        color=_INK,
        ecolor="#9aa5b1",
        capsize=2,
        label="ROI mean ± SD",
    )
    axes.legend(frameon=False, fontsize=8)
    axes.set_ylim(bottom=0)
    return figure


def enhancement_figure(after_injection_s: ArrayLike, signal: ArrayLike, chosen: int) -> Figure:
    """The ROI's mean DCE signal over time, with the phase on which the ROI was drawn."""
    times, values = np.asarray(after_injection_s, float), np.asarray(signal, float)
    figure, axes = _small_plot("time after injection (s)")
    axes.plot(times, values, "o-", ms=4.5, lw=1.4, color=_INK)
    axes.plot(times[chosen], values[chosen], "o", ms=11, mfc="none", mew=2, color="#c92a2a")
    label, here = f"ROI phase, {times[chosen]:.0f} s", (times[chosen], values[chosen])
    axes.annotate(label, here, (10, -40), textcoords="offset points", color="#c92a2a", fontsize=8)
    axes.axvline(0, color="#9aa5b1", lw=1, ls="--")
    axes.set_ylim(bottom=0)
    return figure


def to_data_uri(figure: Figure) -> str:
    """The figure as a PNG inside the page, so that a report is one file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, facecolor="white")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _show(axes: Axes, picture: Picture, roi: Roi) -> AxesImage:
    """The slice nearest to the ROI's centre, with the contours."""
    k = _slice_of(picture.geometry, roi)
    spacing = picture.geometry.spacing
    shown = axes.imshow(
        picture.values[k],
        cmap=picture.colours,
        norm=Normalize(*picture.window),
        aspect=float(spacing[1] / spacing[0]),
        interpolation="nearest",
    )
    axes.set(xticks=[], yticks=[])
    axes.set_autoscale_on(False)
    for loop, style in ((roi.outline, "-"), *((hole, (0, (3, 1.5))) for hole in roi.holes)):
        points = _on_slice(picture.geometry, loop, roi.normal, k)
        closed = np.vstack([points, points[:1]])
        axes.plot(closed[:, 0], closed[:, 1], color="black", lw=3, alpha=0.6)
        axes.plot(closed[:, 0], closed[:, 1], color=_ROI_COLOUR, lw=1.4, ls=style)
    return shown


def _enlarge(axes: Axes, geometry: Geometry, roi: Roi, margin_mm: float) -> tuple[float, float, float, float]:
    """Show the ROI and some mm around it, with a scale bar; returns left, right, bottom, top."""
    outline = _on_slice(geometry, roi.outline, roi.normal, _slice_of(geometry, roi))
    margin = margin_mm / geometry.spacing[:2]
    (left, top), (right, bottom) = outline.min(axis=0) - margin, outline.max(axis=0) + margin
    axes.set(xlim=(left, right), ylim=(bottom, top))
    _scale_bar(axes, geometry, left, right, bottom, top)
    return float(left), float(right), float(bottom), float(top)


def _scale_bar(axes: Axes, geometry: Geometry, left: float, right: float, bottom: float, top: float) -> None:
    """10 mm, in the lower left corner."""
    x, y = left + 0.05 * (right - left), bottom + 0.05 * (top - bottom)
    axes.plot([x, x + 10 / geometry.spacing[0]], [y, y], color="white", lw=3, solid_capstyle="butt")
    axes.text(x, y + 0.02 * (top - bottom), "10 mm", color="white", fontsize=8, va="bottom")


def _slice_of(geometry: Geometry, roi: Roi) -> int:
    k = round(float(geometry.to_index(roi.centroid)[2]))
    return min(max(k, 0), geometry.shape[0] - 1)


def _on_slice(geometry: Geometry, loop: NDArray[Any], normal: NDArray[Any], k: int) -> NDArray[np.float64]:
    """Column and row of a loop carried along the ROI's normal to slice `k`."""
    index = geometry.to_index(loop)
    along = np.linalg.solve(geometry.affine[:3, :3], normal)
    if abs(along[2]) > 1e-6:
        index = index + (k - index[:, 2:]) / along[2] * along
    return index[:, :2]


def _mark_sides(axes: Axes, geometry: Geometry) -> None:
    """Letters of the patient's sides at the picture's edges, from the affine."""
    column, row = geometry.affine[:3, 0], geometry.affine[:3, 1]
    for direction, x, y in ((column, 0.98, 0.5), (-column, 0.02, 0.5), (row, 0.5, 0.03), (-row, 0.5, 0.97)):
        axis = int(np.argmax(np.abs(direction)))
        letter = ("RL", "AP", "SI")[axis][int(direction[axis] < 0)]
        axes.text(
            x,
            y,
            letter,
            transform=axes.transAxes,
            color="white",
            fontsize=9,
            weight="bold",
            ha="center",
            va="center",
        )


def _small_plot(x_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.4, 2.9), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x_label)
    axes.set_ylabel("signal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes
