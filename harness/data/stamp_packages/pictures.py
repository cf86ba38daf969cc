"""From the bytes of a picture to pixels on white paper."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.nn.extras import find_extra
from harness.spec import BadInput


def read_picture(content: bytes, suffix: str, *, side: int, file: Path) -> NDArray[np.uint8]:
    """(side, side, 3) RGB: the whole picture, its longer side `side`, in the middle of white.

    Args:
        content: the bytes.
        suffix: ``.svg`` is drawn by resvg (extra `stamps`), any other kind read by Pillow.
        side: pixels.
        file: named in messages.

    Raises:
        BadInput: it cannot be decoded, or the renderer is not installed.
    """
    from PIL import Image, UnidentifiedImageError

    pixels = _drawn(content, side, file) if suffix == ".svg" else content
    try:
        with Image.open(io.BytesIO(pixels)) as image:
            seen = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise BadInput(f"a picture cannot be decoded: {error}", file=file, key="path") from error
    scale = side / max(seen.size)
    size = (max(1, round(seen.width * scale)), max(1, round(seen.height * scale)))
    # Resized with premultiplied colours, so that what lies unseen under transparency does not bleed.
    small = seen.convert("RGBa").resize(size, Image.Resampling.BICUBIC).convert("RGBA")
    paper = Image.new("RGBA", (side, side), "white")
    paper.alpha_composite(small, ((side - size[0]) // 2, (side - size[1]) // 2))
    return np.asarray(paper.convert("RGB"))


def check_renderer() -> None:
    """Asks whether drawings can be rendered.

    Raises:
        BadInput: the renderer is not installed; the extra is named.
    """
    find_extra("resvg_py", extra="stamps", key="name")


def _drawn(content: bytes, side: int, file: Path) -> bytes:
    """A PNG of a drawing, twice `side` wide: what is shrunk afterwards has smooth edges."""
    check_renderer()
    from resvg_py import svg_to_bytes

    try:
        # Without the fonts of the machine, which would make pictures differ between machines.
        drawn: bytes = svg_to_bytes(
            svg_string=content.decode("utf-8"), width=2 * side, skip_system_fonts=True
        )
    except ValueError as error:
        raise BadInput(f"a drawing cannot be rendered: {error}", file=file, key="path") from error
    return drawn
