"""Figures of one exam: maps with the ROI, fit curves, the enhancement curve."""

import base64
import io
from typing import Any

import numpy as np
from cmcrameri import cm as crameri
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from ..geometry import Geometry
from ..roi import Roi
from .curves import RoiCurve
from .style import MapStyle

_INK = "#1f2933"
_ROI_COLOUR = "#00e5ff"
_ZOOM_MARGIN_MM = 12.0


def map_figure(values: NDArray[Any], geometry: Geometry, roi: Roi, style: MapStyle) -> Figure:
    """The slice of a map nearest to the ROI's centre: whole, and enlarged around the ROI.

    Args:
        values: (slices, rows, columns); NaN is shown in grey.
        geometry: the grid of `values`.
    """
    k = _slice_of(geometry, roi)
    colours = getattr(crameri, style.colours).with_extremes(bad="#5b6470")
    norm = Normalize(*style.window)
    figure, (whole, zoom) = _two_views(geometry, roi, k)
    for axes in (whole, zoom):
        picture = axes.imshow(
            values[k], cmap=colours, norm=norm, aspect=_aspect(geometry), interpolation="nearest"
        )
        _draw_contours(axes, geometry, roi, k)
    bar = figure.colorbar(picture, ax=[whole, zoom], fraction=0.05, pad=0.02, extend="max")
    bar.set_label(style.unit or "ratio")
    return figure


def image_figure(image: NDArray[Any], geometry: Geometry, roi: Roi) -> Figure:
    """A signal image in grey with the ROI, laid out as :func:`map_figure`."""
    k = _slice_of(geometry, roi)
    figure, (whole, zoom) = _two_views(geometry, roi, k)
    top = float(np.nanpercentile(image[k], 99.5)) or 1.0
    for axes in (whole, zoom):
        axes.imshow(
            image[k], cmap="gray", vmin=0, vmax=top, aspect=_aspect(geometry), interpolation="nearest"
        )
        _draw_contours(axes, geometry, roi, k)
    return figure


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
    axes.annotate(
        f"ROI phase, {times[chosen]:.0f} s", (times[chosen], values[chosen]), (8, -16), textcoords="offset points",
        color="#c92a2a", fontsize=8,
    )  # fmt: skip
    axes.axvline(0, color="#9aa5b1", lw=1, ls="--")
    axes.set_ylim(bottom=0)
    return figure


def to_data_uri(figure: Figure) -> str:
    """The figure as a PNG inside the page, so that a report is one file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, facecolor="white")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _two_views(geometry: Geometry, roi: Roi, k: int) -> tuple[Figure, tuple[Axes, Axes]]:
    figure = Figure(figsize=(9.0, 4.1), dpi=110, layout="constrained")
    whole, zoom = figure.subplots(1, 2)
    outline = _on_slice(geometry, roi.outline, roi.normal, k)
    margin = _ZOOM_MARGIN_MM / geometry.spacing[:2]
    (left, top), (right, bottom) = outline.min(axis=0) - margin, outline.max(axis=0) + margin
    zoom.set(xlim=(left, right), ylim=(bottom, top))
    whole.add_patch(_frame(left, top, right, bottom))
    for axes in (whole, zoom):
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_autoscale_on(False)
    whole.set(xlim=(-0.5, geometry.shape[2] - 0.5), ylim=(geometry.shape[1] - 0.5, -0.5))
    _mark_sides(whole, geometry)
    _draw_scale_bar(zoom, geometry)
    return figure, (whole, zoom)


def _frame(left: float, top: float, right: float, bottom: float) -> Rectangle:
    return Rectangle((left, top), right - left, bottom - top, fill=False, ec="white", lw=0.8, ls=":")


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


def _draw_contours(axes: Axes, geometry: Geometry, roi: Roi, k: int) -> None:
    for loop in (roi.outline, *roi.holes):
        points = _on_slice(geometry, loop, roi.normal, k)
        closed = np.vstack([points, points[:1]])
        axes.plot(closed[:, 0], closed[:, 1], color="black", lw=2.4, alpha=0.5)
        axes.plot(closed[:, 0], closed[:, 1], color=_ROI_COLOUR, lw=1.2)


def _aspect(geometry: Geometry) -> float:
    return float(geometry.spacing[1] / geometry.spacing[0])


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


def _draw_scale_bar(axes: Axes, geometry: Geometry) -> None:
    left, right = axes.get_xlim()
    bottom, top = axes.get_ylim()
    x = left + 0.05 * (right - left)
    y = bottom + 0.05 * (top - bottom)
    axes.plot([x, x + 10 / geometry.spacing[0]], [y, y], color="white", lw=3, solid_capstyle="butt")
    axes.text(x, y + 0.02 * (top - bottom), "10 mm", color="white", fontsize=8, va="bottom")


def _small_plot(x_label: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.4, 2.9), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x_label)
    axes.set_ylabel("signal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes
