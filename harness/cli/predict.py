"""`adviserbench predict`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from harness.spec import BadInput, nearest
from harness.store import BufferedStore, Outbox, open_store

if TYPE_CHECKING:
    from harness.engine.trained import TrainedModel

COLUMN = "text"


@dataclass(frozen=True)
class Prediction:
    """What a model says of one text; `level` is the label of the likeliest class, if it has classes."""

    text: str
    score: float
    level: float | None


def predict_command(
    trial: str,
    texts: Sequence[str],
    table: Path | None,
    out: Path,
    uri: str | None,
    plugins: Sequence[str],
    *,
    write: Path | None = None,
    as_json: bool = False,
) -> None:
    """Prints what a trained model says of texts, or writes it into the file `write`.

    Raises:
        BadInput: a trial, a text or a file cannot be used.
    """
    said = _texts(texts, table)
    if write is not None:
        check_file(write)
    store = BufferedStore(open_store(out, uri, create=False), Outbox(out / "outbox"))
    # Here, not on top: a mistyped trial needs no torch.
    from harness.study.trials import load_trained

    trained = load_trained(store, trial, plugins)
    found = predictions(trained, said)
    if as_json:
        shown = _json(trained.result.trial_id, found)
    else:
        shown = _lines(found) if table is None and write is None else _csv(found)
    if write is None:
        typer.echo(shown, nl=False)
    else:
        write.write_text(shown, encoding="utf-8")
        typer.echo(f"written: {write}", err=True)


def predictions(trained: TrainedModel, texts: Sequence[str]) -> list[Prediction]:
    """What the model says of each text, never rounded.

    Raises:
        BadInput: the model reads more of a clip than its words, or gives no score.
    """
    from harness.engine.trained import clips_of

    name, more = trained.spec.model.name, trained.views - {"transcript"}
    if more or not trained.views:
        raise BadInput(
            f"'{name}' reads {', '.join(sorted(trained.views))} of a clip; predict hands a model words "
            "alone, so expected one that reads the transcript alone",
            key="TRIAL",
        )
    outputs = trained.says(clips_of(texts))
    scores = outputs.tensor("score").tolist()
    levels: list[float | None] = [None] * len(texts)
    if outputs.class_logits is not None:
        classes = outputs.class_logits
        levels = trained.info.levels(classes.shape[1])[classes.argmax(1)].tolist()
    return [Prediction(*one) for one in zip(texts, scores, levels, strict=True)]


def check_file(path: Path) -> None:
    """Whether a file can be written there: found out before anything is computed.

    Raises:
        BadInput: it cannot.
    """
    if path.is_dir():
        raise BadInput("is a folder, expected a file to write", file=path, key="--write")
    try:
        is_new = not path.exists()
        with path.open("a"):
            pass
        if is_new:
            path.unlink()
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", file=path, key="--write") from error


def _texts(texts: Sequence[str], table: Path | None) -> tuple[str, ...]:
    if bool(texts) == (table is not None):
        given = "both" if texts else "neither"
        raise BadInput(f"expected either --text or --csv, given {given}", key="--text")
    said = tuple(texts) if table is None else _column(table)
    for number, text in enumerate(said, 1):
        if not text.strip():
            key = "--text" if table is None else f"row {number}"
            raise BadInput("is empty; a model of words needs one word", file=table or "", key=key)
    return said


def _column(table: Path) -> tuple[str, ...]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or []
            if COLUMN not in columns:
                raise BadInput(f"no column '{COLUMN}'; {nearest(COLUMN, columns)}", file=table)
            found = tuple(row[COLUMN] or "" for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadInput(f"cannot be read as a CSV of UTF-8: {reason}", file=table, key="--csv") from error
    if not found:
        raise BadInput("has no rows", file=table, key="--csv")
    return found


def _lines(found: Sequence[Prediction]) -> str:
    return "".join(
        f"{one.score:+.3f}{'' if one.level is None else f'  level {one.level:+g}'}  {one.text}\n"
        for one in found
    )


def _csv(found: Sequence[Prediction]) -> str:
    has_levels = any(one.level is not None for one in found)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([COLUMN, "score", *(["level"] if has_levels else [])])
    rows.writerows([one.text, one.score, *([one.level] if has_levels else [])] for one in found)
    return text.getvalue()


def _json(trial: str, found: Sequence[Prediction]) -> str:
    texts = [
        {"text": one.text, "score": one.score} | ({} if one.level is None else {"level": one.level})
        for one in found
    ]
    return json.dumps({"trial_id": trial, "texts": texts}, ensure_ascii=False) + "\n"
