"""Reading and writing of scenes and nodes."""

from pathlib import Path

import slicer
import vtk
from PySide6.QtCore import QObject, Signal

# The node and the storage node of what modules load by themselves.
_NODE_CLASSES = {
    "MarkupsFile": "vtkMRMLMarkupsNode",
    "TableFile": "vtkMRMLTableNode",
    "TransformFile": "vtkMRMLTransformNode",
    "ModelFile": "vtkMRMLModelNode",
    "TextFile": "vtkMRMLTextNode",
    "SegmentationFile": "vtkMRMLSegmentationNode",
    "ColorTableFile": "vtkMRMLColorTableNode",
}

_EXTENSIONS = {
    ".mrml": "SceneFile",
    ".mrb": "SceneFile",
    ".mrk.json": "MarkupsFile",
    ".fcsv": "MarkupsFile",
    ".tsv": "TableFile",
    ".csv": "TableFile",
    ".h5": "TransformFile",
    ".tfm": "TransformFile",
    ".txt": "TextFile",
    ".ctbl": "ColorTableFile",
    ".vtk": "ModelFile",
    ".vtp": "ModelFile",
    ".stl": "ModelFile",
    ".seg.nrrd": "SegmentationFile",
}


class qSlicerIOManager(QObject):
    """Stands for qSlicerIOManager and its base qSlicerCoreIOManager, for scenes and single nodes."""

    newFileLoaded = Signal(dict)
    fileSaved = Signal(dict)

    def fileType(self, name) -> str:
        lower = str(name).lower()
        found = (kind for ending, kind in sorted(_EXTENSIONS.items(), key=_longest) if lower.endswith(ending))
        return next(found, "VolumeFile")

    def fileWriterFileType(self, _node, _extension: str = "") -> str:
        return "NodeFile"

    def defaultSceneFileType(self) -> str:
        return "MRML Scene (.mrml)"

    def addDefaultStorageNodes(self) -> None:
        for node in slicer.util.getNodesByClass("vtkMRMLStorableNode"):
            node.AddDefaultStorageNode()

    # Loading.

    def loadNodes(self, file_type: str, properties: dict, loaded=None, messages=None) -> bool:
        name = str(properties["fileName"])
        if not Path(name).exists():
            _say(messages, f"The file {name} does not exist")
            return False
        if file_type == "SceneFile":
            return self.loadScene(name, properties.get("clear", True), messages)
        node = self._load_node(file_type, name, dict(properties), messages)
        if node is not None and loaded is not None:
            loaded.AddItem(node)
        return node is not None

    def _load_node(self, file_type: str, name: str, properties: dict, messages):
        if file_type == "VolumeFile":
            return _load_volume(name, properties, messages)
        if file_type == "MarkupsFile":
            node_id = slicer.modules.markups.logic().LoadMarkups(name, properties.get("name"), messages)
            return slicer.mrmlScene.GetNodeByID(node_id) if node_id else None
        return _load_with_storage_node(_NODE_CLASSES[file_type], name, properties, messages)

    def loadScene(self, name: str, clear: bool = True, messages=None) -> bool:
        scene = slicer.mrmlScene
        if str(name).lower().endswith(".mrb"):
            return bool(scene.ReadFromMRB(str(name), clear, messages))
        scene.SetURL(str(Path(name).absolute()))
        return bool(scene.Connect(messages) if clear else scene.Import(messages)) and not (
            messages is not None and messages.GetNumberOfMessagesOfType(vtk.vtkCommand.ErrorEvent)
        )

    # Saving.

    def saveNodes(self, file_type: str, properties: dict, messages=None) -> bool:
        name = str(Path(properties["fileName"]).absolute())
        if file_type == "SceneFile":
            return self.saveScene(name, None, messages)
        node = slicer.mrmlScene.GetNodeByID(properties["nodeID"])
        node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(name)
        storage.SetUseCompression(bool(properties.get("useCompression", True)))
        return bool(storage.WriteData(node))

    def saveScene(self, name: str, _screenshot=None, messages=None) -> bool:
        scene = slicer.mrmlScene
        lower = name.lower()
        if lower.endswith((".mrml", ".mrb")):
            scene.SetURL(name)
            scene.SetRootDirectory(str(Path(name).parent))
        if lower.endswith(".mrml"):
            return bool(scene.Commit())
        if lower.endswith(".mrb"):
            saved = bool(scene.WriteToMRB(name, None, messages))
            scene.SetStorableNodesModifiedSinceRead()
            return saved
        Path(name).mkdir(parents=True, exist_ok=True)
        return bool(slicer.app.applicationLogic().SaveSceneToSlicerDataBundleDirectory(name, None))


def _longest(item: tuple[str, str]) -> int:
    return -len(item[0])


def _say(messages, text: str) -> None:
    if messages is not None:
        messages.AddMessage(vtk.vtkCommand.ErrorEvent, text)


def _load_volume(name: str, properties: dict, messages):
    logic = slicer.modules.volumes.logic()
    options = (properties.get("labelmap", False) * 1) + (properties.get("center", False) * 2)
    options += properties.get("autoWindowLevel", True) * 8
    title = properties.get("name") or logic.RemoveVolumeExtension(Path(name).name)
    node = logic.AddArchetypeVolume(name, title, options)
    if node is None:
        _say(messages, f"The volume {name} cannot be read")
    elif properties.get("show", True):
        slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def _load_with_storage_node(class_name: str, name: str, properties: dict, messages):
    node = slicer.mrmlScene.AddNewNodeByClass(class_name, properties.get("name") or Path(name).stem)
    node.AddDefaultStorageNode()
    storage = node.GetStorageNode()
    storage.SetFileName(name)
    if storage.ReadData(node):
        return node
    slicer.mrmlScene.RemoveNode(storage)
    slicer.mrmlScene.RemoveNode(node)
    _say(messages, f"The file {name} cannot be read")
    return None
