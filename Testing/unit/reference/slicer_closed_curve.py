"""Makes slicer_closed_curve.json and the .mrk.json files beside it with 3D Slicer's own libraries.

Run with Python 3.11 or 3.12 in an environment that has slicer-core==5.12.4.0:
    python slicer_closed_curve.py
"""

import json
from pathlib import Path

import numpy as np
import slicer
import vtk

HERE = Path(__file__).parent


def in_plane(radii, normal, centre):
    """Points at `radii` around `centre`, in the plane across `normal`."""
    normal = np.array(normal) / np.linalg.norm(normal)
    across = np.cross([0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [1.0, 0.0, 0.0], normal)
    across /= np.linalg.norm(across)
    along = np.cross(normal, across)
    angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
    ring = np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * along
    return np.array(centre) + np.array(radii)[:, None] * ring


CURVES = {
    "triangle": in_plane([9.0, 7.0, 11.0], [0, 0, 1], [-60.0, 25.0, -12.5]),
    "pentagon": in_plane([8.0, 11.0, 7.5, 9.0, 10.0], [0.1, -0.2, 1.0], [-62.0, 31.0, 4.0]),
    "spiculated": in_plane([6.0, 9.5] * 6, [1.0, 0.1, 0.05], [55.0, 40.0, -30.0]),
    "hand": in_plane(9 + np.random.default_rng(2).normal(0, 0.8, 19), [0.3, 0.9, 0.2], [70.0, -5.0, 88.0]),
}


def spline_in_double_precision(points):
    """VTK's cardinal spline at Slicer's sampling; Slicer itself stores curve points in single precision."""
    n = len(points)
    columns = []
    for column in points.T:
        spline = vtk.vtkCardinalSpline()
        spline.ClosedOn()
        for i, value in enumerate(column):
            spline.AddPoint(i, value)
        spline.Compute()
        columns.append([spline.Evaluate(i / 10) for i in range(10 * n)])
    return np.array(columns).T


def add_curve(scene, name, points):
    node = scene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", name)
    for point in points:
        node.AddControlPoint(vtk.vtkVector3d(*point))
    return node


def save(node, file):
    node.AddDefaultStorageNode()
    storage = node.GetStorageNode()
    storage.SetFileName(str(file))
    assert storage.WriteData(node)
    content = json.loads(file.read_text())
    for markup in content["markups"]:
        del markup["display"], markup["measurements"]
    file.write_text(json.dumps(content, indent=1) + "\n")


def points_of(vtk_points):
    return np.array([vtk_points.GetPoint(i) for i in range(vtk_points.GetNumberOfPoints())])


def main():
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerMarkupsLogic()
    logic.SetMRMLScene(scene)
    reference = {"curves": {}}
    for name, points in CURVES.items():
        node = add_curve(scene, name, points)
        drawn = points_of(node.GetCurvePointsWorld())
        assert len(drawn) == 10 * len(points) + 1
        reference["curves"][name] = {
            "control_points_ras": points.tolist(),
            "slicer_curve_points_ras": drawn[:-1].tolist(),
            "vtk_cardinal_spline_ras": spline_in_double_precision(points).tolist(),
        }
        if name == "pentagon":
            save(node, HERE / "slicer_closed_curve.mrk.json")

    plane = scene.AddNewNodeByClass("vtkMRMLMarkupsPlaneNode", "plane")
    plane.SetSizeMode(plane.SizeModeAbsolute)
    plane.SetCenter(-61.0, 30.0, 4.5)
    plane.SetNormal(0.3, 0.6, 0.8)
    plane.SetSize(14.0, 9.0)
    corners = vtk.vtkPoints()
    plane.GetPlaneCornerPointsWorld(corners)
    reference["plane_corners_ras"] = points_of(corners).tolist()
    save(plane, HERE / "slicer_plane.mrk.json")
    (HERE / "slicer_closed_curve.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
