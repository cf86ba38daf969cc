"""What files of audio-visual features hold, a few clips a class."""

import h5py
import numpy as np
import pytest

from harness.spec import BadInput

CLASSES = (0, 1, 2)
TRAIN, TEST = 10, 4
D_AUDIO, D_VISION = 5, 7


def split(name, each, *, labels=CLASSES):
    """`each` clips of every class, in a mixed order: audio, vision and label arrays."""
    random = np.random.default_rng(len(name))
    found = random.permutation(np.repeat(np.array(labels), each))
    return {
        "audio": random.normal(size=(len(found), D_AUDIO)).astype(np.float32),
        "vision": random.normal(3, 2, size=(len(found), D_VISION)).astype(np.float32),
        "labels": found.astype(np.int64),
    }


def splits(labels=CLASSES):
    return {"train": split("train", TRAIN, labels=labels), "test": split("test", TEST, labels=labels)}


def write_h5(file, content):
    file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(file, "w") as target:
        for key, values in content.items():
            target.create_dataset(key, data=values)
    return file


def fault_of(load):
    """The one line that loading ends in."""
    with pytest.raises(BadInput) as caught:
        load()
    said = str(caught.value)
    assert "\n" not in said
    return said


def by_clip(data):
    """Clip id to its class, sound and picture, over all splits."""
    return {
        clip: (
            int(batch.target[row]),
            batch.audio.values[row].tolist(),
            batch.vision.values[row].tolist(),
        )
        for batch in (data.train, data.valid, data.test)
        for row, clip in enumerate(batch.ids)
    }
