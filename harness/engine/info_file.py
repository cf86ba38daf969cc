"""What a model has to know of the data before it is built, on disk: so that it is built without them."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.spec import BadInput
from harness.types import DataInfo

INFO_FILE = "info.json"

_INFO = TypeAdapter(DataInfo)


def save_info(info: DataInfo, path: Path) -> Path:
    """Writes all of it but what a tokenizer is fitted to, or was: that is a file of its own."""
    kept = asdict(replace(info, train_transcripts=(), tokenizer_json=None))
    kept["views"] = sorted(kept["views"])
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return path


def load_info(path: Path, tokenizer: Path | None = None) -> DataInfo:
    """What was saved, with the trained model's tokenizer if it left one.

    Raises:
        BadInput: it is not what `save_info` writes.
    """
    try:
        info = _INFO.validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise BadInput(f"not what a trial leaves of its data: {fault['msg']}", key=where) from error
    return replace(info, tokenizer_json=tokenizer.read_text(encoding="utf-8") if tokenizer else None)
