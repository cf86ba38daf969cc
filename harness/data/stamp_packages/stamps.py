"""Which pictures have a sound effect in the two packages, and what they show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.data.stamp_packages.bundle import read_bundle
from harness.spec import BadInput

CLASSES = ("mammals", "birds", "instruments", "household")

PACKAGES = ("tuxpaint-stamps-default", "gcompris-qt-data")
TUXPAINT, GCOMPRIS = Path("tuxpaint") / "stamps", Path("gcompris-qt") / "rcc"

_FOLDERS = {
    "animals/mammals": "mammals",
    "animals/marsupials": "mammals",
    "animals/birds": "birds",
    "hobbies/music": "instruments",
    "household": "household",
}
"""Folders of Tux Paint, with all below. Alphabets and numbers are spoken, the rest is too various."""

_ACTIVITIES = {"explore_farm_animals": "mammals", "instruments": "instruments"}
"""Activities of GCompris with a sound effect for each picture."""

_FARM_BIRDS = frozenset({"chicken", "duck", "owl"})

_PICTURES = (".png", ".webp", ".svg")
"""Which is taken if there are several: pixels before drawings, which need a renderer."""

_SPOKEN = re.compile(r"_desc(_\w+)?$")

_OBJECTS = {
    "beaver": "badger",
    "dromedary": "camel",
    "goat": "sheep",
    "mountaingoat": "sheep",
    "drake": "duck",
    "hen": "chicken",
    "rooster": "chicken",
    "bull": "cow",
    "ram": "sheep",
    "doe": "deer",
    "drumkit": "drum",
    "snare_drum": "drum",
    "electric_guitar": "guitar",
    "sea_lion": "sea_lion",
    "vacuum_cleaner": "vacuum_cleaner",
    "washing_machine": "washing_machine",
}
"""Names whose first word is not the object: sexes of an animal, kinds of an instrument, two words.

The first four share a recording with another animal (measured: goat, mountain goat and ram are one
recording, badger and beaver, camel and dromedary), so they must not be in two splits either.
"""


@dataclass(frozen=True)
class Stamp:
    """A picture and the sound effect of what it shows.

    Attributes:
        id: the package and its name there, such as ``tuxpaint/animals/birds/owl``.
        category: one of `CLASSES`.
        name: its object; stamps of one object are one group, whatever package they are from.
        file: what was read, for messages.
        sound, picture: the bytes of the two files.
        suffix: of the picture's file, such as ``.png``.
    """

    id: str
    category: str
    name: str
    file: Path
    sound: bytes
    picture: bytes
    suffix: str


def find_stamps(path: Path | None) -> list[Stamp]:
    """All pairs of both packages, by id.

    Args:
        path: a folder with ``tuxpaint/stamps`` and ``gcompris-qt/rcc``, or with those under
            ``usr/share`` as in an unpacked package; None = where the packages put them.

    Raises:
        BadInput: a package is not there; one line that says how to get it.
    """
    roots = (Path("/usr/share"),) if path is None else (path, path / "usr" / "share")
    tuxpaint, gcompris = (_folder(roots, part, path) for part in (TUXPAINT, GCOMPRIS))
    found = [*_tuxpaint(tuxpaint), *_gcompris(gcompris)]
    return sorted(found, key=lambda stamp: stamp.id)


def object_name(stem: str) -> str:
    """What a file of that name shows.

    The first word of the name without digits (``pig_golden2`` is a pig), but for the names in a short
    table: sexes and young of an animal are the animal, kinds of an instrument the instrument.
    """
    name = re.sub(r"\d", "", stem.casefold()).replace("-", "_").strip("_")
    return _OBJECTS.get(name, name.partition("_")[0])


def _folder(roots: Iterable[Path], part: Path, path: Path | None) -> Path:
    for root in roots:
        if (root / part).is_dir():
            return root / part
    raise BadInput(
        f"no folder {part}; install the Debian packages {' and '.join(PACKAGES)}, or unpack them with "
        "dpkg-deb -x and give that folder as path",
        file="/usr/share" if path is None else path,
        key="path",
    )


def _tuxpaint(root: Path) -> Iterator[Stamp]:
    for folder, category in _FOLDERS.items():
        for file in sorted((root / folder).rglob("*.ogg")):
            picture = next(
                (file.with_suffix(each) for each in _PICTURES if _is_beside(file, each)), None
            )
            if picture is None or _SPOKEN.search(file.stem):
                continue
            id_ = f"tuxpaint/{file.relative_to(root).with_suffix('').as_posix()}"
            name, contents = object_name(file.stem), (file.read_bytes(), picture.read_bytes())
            yield Stamp(id_, category, name, file, *contents, picture.suffix)


def _is_beside(file: Path, suffix: str) -> bool:
    return file.with_suffix(suffix).is_file()


def _gcompris(root: Path) -> Iterator[Stamp]:
    for activity, category in _ACTIVITIES.items():
        file = root / f"{activity}.rcc"
        files = read_bundle(file)
        for place, sound in sorted(files.items()):
            picture = _picture(files, PurePosixPath(place))
            if not place.endswith(".ogg") or picture is None:
                continue
            stem = PurePosixPath(picture).stem
            shown = "birds" if stem in _FARM_BIRDS else category
            id_, suffix = f"gcompris/{activity}/{stem}", PurePosixPath(picture).suffix
            yield Stamp(id_, shown, object_name(stem), file, sound, files[picture], suffix)


def _picture(files: Mapping[str, bytes], sound: PurePosixPath) -> str | None:
    """The picture of a sound: one of its name, or of its singular (chickens.ogg, chicken.webp)."""
    names = (sound.stem, sound.stem.removesuffix("s"))
    wanted = (str(sound.with_name(name + suffix)) for name in names for suffix in _PICTURES)
    return next((name for name in wanted if name in files), None)
