"""Quantitative breast MRI for HER2 studies: series to maps, ROI values, readings and a score.

The rooms, in the order in which data run: :mod:`~her2map.series` (files to series and their roles),
:mod:`~her2map.exam` (series to parameter maps, by way of :mod:`~her2map.relaxometry` and
:mod:`~her2map.registration`), :mod:`~her2map.roi` (maps to ROI values), :mod:`~her2map.biomarkers`,
:mod:`~her2map.score`, :mod:`~her2map.report`. Research use only.
"""

__version__ = "0.1.0"
