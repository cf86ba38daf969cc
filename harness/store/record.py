"""The two files that are the truth about a trial, and how they are read and written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from harness.spec import PREDICTION_COLUMNS, PREDICTION_VALUES, TrialResult

if TYPE_CHECKING:
    import pandas as pd

RECORD = "trial.json"
PREDICTIONS = "predictions.parquet"


def write_record(result: TrialResult, folder: Path) -> Path:
    """The path of `trial.json`, written into the folder."""
    path = folder / RECORD
    path.write_text(result.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path


def read_record(path: Path | None) -> TrialResult | None:
    """The record in that file; None when the file is absent, cut short or of another version."""
    if path is None:
        return None
    try:
        return TrialResult.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write_predictions(predictions: pd.DataFrame, folder: Path) -> Path:
    """The path of `predictions.parquet`, written into the folder."""
    path = folder / PREDICTIONS
    checked(predictions).to_parquet(path, index=False)
    return path


def read_predictions(path: Path | None) -> pd.DataFrame | None:
    """The predictions in that file, or None when it is absent."""
    if path is None or not path.is_file():
        return None
    import pandas as pd

    return pd.read_parquet(path)


def checked(predictions: pd.DataFrame) -> pd.DataFrame:
    """The frame itself if it has `PREDICTION_COLUMNS` and one of `PREDICTION_VALUES`, in that order.

    Raises:
        ValueError: It has other columns.
    """
    expected = [(*PREDICTION_COLUMNS, *values) for values in PREDICTION_VALUES]
    if tuple(predictions.columns) not in expected:
        wanted = " or ".join(str(list(columns)) for columns in expected)
        raise ValueError(f"predictions have columns {list(predictions.columns)}, expected {wanted}")
    return predictions
