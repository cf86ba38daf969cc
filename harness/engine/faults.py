"""What goes wrong in a trial, and what goes wrong with the machine that it runs on."""

from __future__ import annotations

import errno
import os
import traceback

from harness.spec import BadInput, Failure

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class MachineFault(OSError):
    """The disk is full, over its quota or read-only: no fault of the trial, which can be run again."""


def machine_fault(error: BaseException) -> MachineFault | None:
    """The machine's fault that an exception comes from; None for one that is the trial's own.

    Looks through the exceptions that led to this one. Running out of memory is the trial's: it would
    again.
    """
    found: BaseException | None = error
    while found is not None:
        code = _disk_code(found)
        if code is not None:
            where = getattr(found, "filename", None)
            return MachineFault(
                code, os.strerror(code) if isinstance(found, OSError) else str(found), where
            )
        found = found.__cause__ or found.__context__
    return None


def failure(error: BaseException) -> Failure:
    """An exception as a record holds it; called while it is handled."""
    # What a user can mend is said to a user, who knows no names of classes.
    said = str(error) if isinstance(error, BadInput) else f"{type(error).__name__}: {error}"
    return Failure(message=said, traceback=traceback.format_exc())


def _disk_code(error: BaseException) -> int | None:
    if isinstance(error, OSError):
        return error.errno if error.errno in _DISK else None
    said = str(error)
    # Libraries in Rust and C++ keep the system's error in their text only.
    for code in _DISK:
        if f"(os error {code})" in said or os.strerror(code) in said:
            return code
    # What torch says of a file that it opened itself, whatever the system said.
    is_torch_writer = "PytorchStreamWriter failed" in said or "iostream error" in said
    return errno.ENOSPC if isinstance(error, RuntimeError) and is_torch_writer else None
