"""Files to series with geometry and acquisition parameters, and the role of each series in the exam."""

from .model import Series

__all__ = ["Series"]
