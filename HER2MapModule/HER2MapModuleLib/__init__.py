"""What the HER2Map module is made of: one file a panel, the logic, and the adapter to Slicer's scene."""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("her2map") is None:
    # The installed extension has the library beside the module; a checkout has it in the folder beside.
    sys.path.append(str(Path(__file__).parents[2] / "HER2MapExtension"))
