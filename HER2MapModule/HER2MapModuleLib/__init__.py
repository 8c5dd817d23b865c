"""What the HER2Map module is made of: one file a panel, the logic, and the adapter to Slicer's scene."""
