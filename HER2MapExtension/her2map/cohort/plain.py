"""Results as plain values for JSON: every number at full precision; JSON knows neither NaN nor infinity."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def plain(content: Any) -> Any:
    """Dictionaries, lists, texts and finite numbers; a missing number is null, an endless one "infinity"."""
    if isinstance(content, Enum):
        return content.value
    if content is None or isinstance(content, (str, bool, np.bool_)):
        return bool(content) if isinstance(content, np.bool_) else content
    if isinstance(content, (int, np.integer)):
        return int(content)
    if isinstance(content, (float, np.floating)):
        return _number(float(content))
    if is_dataclass(content) and not isinstance(content, type):
        return {one.name: plain(getattr(content, one.name)) for one in fields(content)}
    if isinstance(content, pd.DataFrame):
        return [plain(row) for row in content.to_dict("records")]
    if isinstance(content, pd.Series):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, np.ndarray):
        return [plain(value) for value in content]
    return _collection(content)


def _collection(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {_key(key): plain(value) for key, value in content.items()}
    if isinstance(content, tuple) and hasattr(content, "_asdict"):
        return plain(content._asdict())
    if isinstance(content, (list, tuple, set, frozenset)):
        return [plain(value) for value in content]
    return content.name if isinstance(content, Path) else str(content)


def _key(key: Any) -> str:
    return " and ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _number(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return value
