"""The widgets of Slicer that show and edit the scene."""
