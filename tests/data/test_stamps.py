"""The data set stamps, on an imitation of its packages."""

import shutil
from collections import Counter

import pytest
import torch
from made_stamps import COUNT, drawing, picture, sound, write_bundle, write_packages
from torch.testing import assert_close

from harness.data.stamp_packages.stamps import CLASSES, find_stamps, object_name
from harness.data.stamps import Stamps
from harness.nn import extras
from harness.registry import DATASETS
from harness.spec import BadInput

TINY = {"folds": 2, "validation": 2}
SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def packages(made, tmp_path):
    """A copy that a test may alter."""
    return shutil.copytree(made, tmp_path / "share")


def reader(path, **changes):
    return Stamps(DATASETS.get("stamps").configure({**TINY, "path": path, **changes}))


def stamps_folder(root):
    return root / "tuxpaint" / "stamps"


def test_every_picture_with_a_sound_effect_is_a_clip_of_its_folders_class(made):
    found = {stamp.id: stamp.category for stamp in find_stamps(made)}
    assert len(found) == COUNT
    assert found["tuxpaint/animals/mammals/apes/chimp"] == "mammals"
    assert found["tuxpaint/animals/marsupials/koala"] == "mammals"
    assert found["tuxpaint/hobbies/music/string/cello"] == "instruments"
    assert found["tuxpaint/household/tools/saw"] == "household"
    assert found["gcompris/instruments/harp"] == "instruments"
    assert found["gcompris/explore_farm_animals/cow"] == "mammals"
    assert found["gcompris/explore_farm_animals/chicken"] == "birds"


def test_spoken_names_are_no_sound_effects(packages):
    bird = stamps_folder(packages) / "animals" / "birds"
    before = len(find_stamps(packages))
    for name in ("owl_desc", "owl_desc_fr"):
        (bird / f"{name}.ogg").write_bytes(sound(300))
        (bird / f"{name}.png").write_bytes(picture(1))
    assert len(find_stamps(packages)) == before


@pytest.mark.parametrize("folder", ["symbols/alphabets", "seasonal/halloween", "vehicles"])
def test_stamps_of_other_folders_are_left_out(packages, folder):
    place = stamps_folder(packages) / folder
    place.mkdir(parents=True)
    (place / "bat.ogg").write_bytes(sound(300))
    (place / "bat.png").write_bytes(picture(1))
    assert len(find_stamps(packages)) == COUNT


def test_a_sound_without_a_picture_and_a_picture_without_a_sound_are_left_out(packages):
    bird = stamps_folder(packages) / "animals" / "birds"
    (bird / "owl.ogg").write_bytes(sound(300))
    (bird / "ibis.png").write_bytes(picture(1))
    assert len(find_stamps(packages)) == COUNT


def test_pixels_are_taken_before_drawings(packages):
    bird = stamps_folder(packages) / "animals" / "birds" / "lark"
    bird.with_suffix(".svg").write_bytes(drawing(1))
    place = "gcompris/src/activities/explore_farm_animals/resource"
    content = {f"{place}/cow.ogg": sound(300), f"{place}/cow.svg": drawing(1)}
    content[f"{place}/cow.webp"] = picture(9, kind="WEBP")
    write_bundle(packages / "gcompris-qt" / "rcc" / "explore_farm_animals.rcc", content)
    suffix = {stamp.id: stamp.suffix for stamp in find_stamps(packages)}
    assert suffix["tuxpaint/animals/birds/lark"] == ".png"
    assert suffix["gcompris/explore_farm_animals/cow"] == ".webp"
    assert suffix["gcompris/instruments/harp"] == ".svg"
    assert sum(len(getattr(reader(packages).load(), split)) for split in SPLITS) == COUNT - 1


@pytest.mark.parametrize(
    ("stem", "shown"),
    [
        ("owl", "owl"),
        ("pig_golden2", "pig"),
        ("cow_white", "cow"),
        ("scissors_small_open", "scissors"),
        ("Washing-machine", "washing_machine"),
        ("electric_guitar", "guitar"),
        ("drum_tomtom_floor", "drum"),
        ("drumkit", "drum"),
        ("rooster", "chicken"),
        ("mountaingoat", "sheep"),
    ],
)
def test_the_object_is_the_first_word_of_the_name_or_in_the_table(stem, shown):
    assert object_name(stem) == shown


def test_the_same_object_of_both_packages_is_one_group(made):
    groups = {stamp.id: stamp.name for stamp in find_stamps(made)}
    cellos = {"gcompris/instruments/cello", "tuxpaint/hobbies/music/string/cello"}
    assert {groups[one] for one in cellos} == {"cello"}
    hens = {"gcompris/explore_farm_animals/chicken", "tuxpaint/animals/birds/hen"}
    assert {groups[one] for one in hens} == {"chicken"}


@pytest.mark.parametrize("fold", [0, 1])
def test_no_object_is_in_two_splits_and_every_class_is_in_each(made, fold):
    data = reader(made, fold=fold).load()
    homes = [set(getattr(data, split).video_ids) for split in SPLITS]
    assert sum(map(len, homes)) == len(set.union(*homes))
    assert sum(len(getattr(data, split)) for split in SPLITS) == COUNT
    for split in SPLITS:
        assert getattr(data, split).target.unique().tolist() == [0, 1, 2, 3]


def test_every_clip_is_tested_in_one_fold(made):
    tested = [one for fold in range(2) for one in reader(made, fold=fold).load().test.ids]
    assert Counter(tested) == Counter(stamp.id for stamp in find_stamps(made))


def test_the_footnote_says_what_a_video_is_where_there_is_none(made):
    data = reader(made).load()
    assert set(data.test.video_ids) <= {stamp.name for stamp in find_stamps(made)}
    assert data.info.features.endswith("clips of one object's name are what these notes call a video")


def test_targets_are_the_classes_in_the_order_of_their_names(made):
    data = reader(made).load()
    home = {stamp.id: stamp.category for stamp in find_stamps(made)}
    assert data.info.classes == CLASSES == ("mammals", "birds", "instruments", "household")
    assert data.train.target.dtype == torch.int64
    assert [data.info.classes[y] for y in data.train.target] == [home[one] for one in data.train.ids]
    assert "mammals 7, birds 5, instruments 5, household 4" in data.findings[1]


def test_a_clip_is_one_vector_a_modality_standardised_by_training_clips(made):
    data = reader(made).load()
    assert data.train.audio.values.shape[1:] == (1, data.info.audio_width) == (1, 128)
    assert data.train.vision.values.shape[1:] == (1, data.info.vision_width) == (1, 192)
    mean = data.train.audio.values.mean((0, 1))
    assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0)
    raw = reader(made, standardise="none").load()
    mean, sd = data.scales["vision"]
    assert_close(data.test.vision.values, ((raw.test.vision.values.double() - mean) / sd).float())


def test_an_unpacked_package_may_be_named_by_its_root(made, packages, tmp_path):
    (tmp_path / "root" / "usr").mkdir(parents=True)
    packages.rename(tmp_path / "root" / "usr" / "share")
    found = reader(tmp_path / "root")
    assert found.fingerprint() == reader(made).fingerprint()
    found.prepare()


@pytest.mark.parametrize("missing", ["tuxpaint", "gcompris-qt"])
def test_a_package_that_is_not_there_is_one_line_that_says_how_to_get_it(packages, missing):
    shutil.rmtree(packages / missing)
    told = rf"share: path: no folder {missing}.*packages tuxpaint-stamps-default and gcompris-qt-data"
    with pytest.raises(BadInput, match=told) as fault:
        reader(packages).prepare()
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("ending", [".ogg", ".png"])
def test_another_byte_of_a_file_that_is_used_is_another_data_set(packages, ending):
    before = reader(packages).fingerprint()
    bird = stamps_folder(packages) / "animals" / "birds" / "lark"
    bird.with_name("lark_desc.ogg").write_bytes(b"another voice")
    assert reader(packages).fingerprint() == before
    bird.with_suffix(ending).write_bytes(sound(5000) if ending == ".ogg" else picture(255))
    assert reader(packages).fingerprint() != before


def test_files_that_were_altered_are_encoded_anew(packages):
    before = reader(packages, standardise="none").load()
    (stamps_folder(packages) / "animals" / "birds" / "lark.png").write_bytes(picture(255))
    after = reader(packages, standardise="none").load()
    rows = [
        one == "tuxpaint/animals/birds/lark" for split in SPLITS for one in getattr(before, split).ids
    ]
    changed = [
        not one.equal(other)
        for split in SPLITS
        for one, other in zip(
            getattr(before, split).vision.values, getattr(after, split).vision.values, strict=True
        )
    ]
    assert changed == rows


@pytest.mark.parametrize(
    ("module", "choice", "extra"),
    [
        ("openwakeword", {"audio": "openwakeword"}, "encoders"),
        ("onnxruntime", {"audio": "openwakeword"}, "encoders"),
        ("efficientnet_lite_pytorch", {"vision": "efficientnet_lite0"}, "encoders"),
        ("resvg_py", {}, "stamps"),
    ],
)
def test_a_missing_package_is_one_line_with_the_extra(made, monkeypatch, module, choice, extra):
    # As if all others were installed, so that the first one missed is this one.
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == module else name)
    with pytest.raises(BadInput, match=rf"{module} is not installed.*adviserbench\[{extra}\]"):
        reader(made, **choice).prepare()


def test_a_class_with_too_few_objects_for_every_split_is_one_line(made):
    told = "folds: no object of the class '(mammals|birds|instruments|household)' is left for"
    with pytest.raises(BadInput, match=told):
        reader(made, folds=10).load()


@pytest.mark.parametrize("ask", ["prepare", "load"])
def test_a_fold_that_is_not_there_is_refused(made, ask):
    config = DATASETS.get("stamps").configure({**TINY, "path": made}).for_seed(2)
    with pytest.raises(BadInput, match="fold: expected one of 0 to 1, given 2"):
        getattr(Stamps(config), ask)()


def test_the_seeds_of_a_study_are_its_folds(made):
    config = DATASETS.get("stamps").configure({**TINY, "path": made})
    tested = [Stamps(config.for_seed(seed)).load().test.ids for seed in range(2)]
    assert tested == [reader(made, fold=fold).load().test.ids for fold in range(2)]


@pytest.mark.parametrize(
    ("ending", "told"), [(".ogg", "cannot be decoded"), (".png", "a picture cannot")]
)
def test_a_damaged_file_is_named(packages, ending, told):
    file = (stamps_folder(packages) / "animals" / "birds" / "lark").with_suffix(ending)
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(BadInput, match=rf"lark\.ogg.*{told}"):
        reader(packages).load()
