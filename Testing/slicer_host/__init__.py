"""The few services of the 3D Slicer application that the ``slicer-core`` wheel lacks.

The wheel has Slicer's scene, nodes, logics and displayable managers; PySide6 has Qt. This package adds what
is between them: ``slicer.app``, modules and their manager, the layout with real slice views, the CTK and MRML
widgets, and Slicer's Python base classes. With it a scripted module runs unchanged without Slicer::

    import slicer_host

    slicer_host.start()
    slicer_host.load_module("HER2MapModule/HER2MapModule.py")

Where the environment variable ``SLICER_PYTHON_DIR`` names a folder of Slicer's own Python layer
(``Base/Python`` of its source), Slicer's own ``ScriptedLoadableModule``, ``parameterNodeWrapper``, ``i18n``
and ``packaging`` are used instead of the stand-ins in ``slicer_layer``.
"""

from .host import load_module, reset, start, stop

__all__ = ["load_module", "reset", "start", "stop"]
