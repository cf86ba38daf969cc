"""`adviserbench export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from harness.spec import BadInput, nearest
from harness.store import BufferedStore, Outbox, open_store

if TYPE_CHECKING:
    from harness.engine.export.formats import Format


def export_command(
    trial: str,
    to: str,
    folder: Path | None,
    out: Path,
    uri: str | None,
    plugins: Sequence[str],
    *,
    force: bool,
) -> None:
    """Writes a trained model into a folder, checked; default ``exports/<trial>-<to>`` below `out`.

    Raises:
        BadInput: the trial, the form or the folder cannot be used, or the model has no such form.
    """
    form = _form(to)
    store = BufferedStore(open_store(out, uri, create=False), Outbox(out / "outbox"))
    # Here, not on top: a mistyped trial needs no torch.
    from harness.study.trials import find_trial, load_trained

    result = find_trial(store, trial)
    place = folder or out / "exports" / f"{result.trial_id}-{form}"
    from harness.engine.export.export import check_folder, export

    check_folder(place, force=force)
    left = export(load_trained(store, result.trial_id, plugins), form, place, force=force)
    typer.echo(
        f"written: {place} ({', '.join(sorted(path.name for path in place.iterdir()))}); largest "
        f"difference to the model {left.written.difference:.2g} on {left.written.compared}"
    )


def _form(to: str) -> Format:
    from harness.engine.export.formats import FORMATS

    for form in FORMATS:
        if form == to:
            return form
    raise BadInput(f"there is no form '{to}'; {nearest(to, FORMATS)}", key="--to")
