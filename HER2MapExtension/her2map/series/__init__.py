"""Files to series with geometry and acquisition parameters, and the role of each series in the exam."""

from .model import Series
from .read import SeriesList, read_series

__all__ = ["Series", "SeriesList", "read_series"]
