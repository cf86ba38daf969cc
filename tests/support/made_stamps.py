"""The two packages of the data set stamps in small: folders, bundles, sounds and pictures made here."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
from PIL import Image

TUXPAINT = {
    "animals/mammals/apes": ("chimp",),
    "animals/mammals": ("bear", "pig_golden", "pig_golden2", "cow_white"),
    "animals/marsupials": ("koala",),
    "animals/birds": ("hen", "lark", "penguin", "crow"),
    "hobbies/music/string": ("cello",),
    "household/tools": ("saw", "hammer"),
    "household": ("kettle", "vacuum_cleaner"),
}
GCOMPRIS = {
    "explore_farm_animals": ("cow", "chicken"),
    "instruments": ("cello", "harp", "horn", "tuba"),
}
COUNT = sum(map(len, TUXPAINT.values())) + sum(map(len, GCOMPRIS.values()))


def write_packages(root: Path) -> Path:
    """Both packages below `root`; each sound has a pitch of its own, each picture a colour."""
    pitch = iter(range(200, 4000, 150))
    for folder, stems in TUXPAINT.items():
        (root / "tuxpaint" / "stamps" / folder).mkdir(parents=True, exist_ok=True)
        for stem in stems:
            file = root / "tuxpaint" / "stamps" / folder / stem
            hz = next(pitch)
            file.with_suffix(".ogg").write_bytes(sound(hz))
            file.with_suffix(".png").write_bytes(picture(hz % 256))
            file.with_name(f"{stem}_desc.ogg").write_bytes(b"speech, which is not opened")
            file.with_name(f"{stem}_desc_pt_BR.ogg").write_bytes(b"speech, which is not opened")
    for activity, stems in GCOMPRIS.items():
        place = f"gcompris/src/activities/{activity}/resource"
        files = {}
        for stem in stems:
            hz = next(pitch)
            heard = "chickens" if stem == "chicken" else stem
            files |= {f"{place}/{heard}.ogg": sound(hz), f"{place}/{stem}.svg": drawing(hz % 256)}
        write_bundle(root / "gcompris-qt" / "rcc" / f"{activity}.rcc", files)
    return root


def sound(hz: float, seconds: float = 0.3, rate: int = 22050) -> bytes:
    """An Ogg Vorbis file with a tone in two channels, by FFmpeg's own encoder."""
    target = io.BytesIO()
    wave = np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate) / 2
    with av.open(target, "w", format="ogg") as container:
        stream = container.add_stream("vorbis", rate=rate, layout="stereo", options={"strict": "-2"})
        both = np.stack([wave, wave]).astype(np.float32)
        block = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
        block.rate = rate
        container.mux([*stream.encode(block), *stream.encode(None)])
    return target.getvalue()


def picture(red: int, size: tuple[int, int] = (12, 8), kind: str = "PNG") -> bytes:
    """A picture of one colour with a transparent right half."""
    pixels = np.zeros((size[1], size[0], 4), np.uint8)
    pixels[:, : size[0] // 2] = (red, 100, 50, 255)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, kind, lossless=True)
    return target.getvalue()


def drawing(red: int) -> bytes:
    """The same as an SVG."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="12" height="8">'
        f'<rect width="6" height="8" fill="rgb({red},100,50)"/></svg>'
    ).encode()


def write_bundle(file: Path, files: Mapping[str, bytes], *, version: int = 3) -> None:
    """A bundle as Qt's rcc writes it: every second content compressed, entries of a folder in a row."""
    file.parent.mkdir(parents=True, exist_ok=True)
    folders: list[str] = [""]
    entries: list[str] = [""]
    for folder in folders:
        depth = folder.count("/") + 1 if folder else 0
        below = {
            "/".join(p.split("/")[: depth + 1]) for p in files if p.startswith(folder and f"{folder}/")
        }
        entries += sorted(below)
        folders += sorted(below - files.keys())
    names, data, tree = b"", b"", b""
    for place, path in enumerate(entries):
        name, start = path.rpartition("/")[2], len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
        if path in files:
            packed = place % 2 == 1
            held = files[path]
            held = struct.pack(">I", len(held)) + zlib.compress(held) if packed else held
            tree += struct.pack(">IHHHI", start, int(packed), 0, 1, len(data))
            data += struct.pack(">I", len(held)) + held
        else:
            children = [i for i, each in enumerate(entries) if each and each.rpartition("/")[0] == path]
            tree += struct.pack(">IHII", start, 2, len(children), children[0])
        tree += b"\0" * 8 * (version > 1)
    head = 20 + 4 * (version > 2)
    offsets = (version, head, head + len(tree), head + len(tree) + len(data))
    flags = b"\0" * 4 * (version > 2)
    file.write_bytes(b"qres" + struct.pack(">4I", *offsets) + flags + tree + data + names)
