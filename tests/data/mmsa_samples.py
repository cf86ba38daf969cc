"""What MMSA files hold, a few clips a split."""

import numpy as np

SIZES = {"train": 6, "valid": 3, "test": 4}
L, T_AUDIO, T_VISION = 5, 7, 4


def split(name, count, *, aligned=False):
    """What MMSA files hold, unaligned unless told otherwise; existing steps are 1 and more."""
    random = np.random.default_rng(len(name))
    tokens = random.integers(1, L + 1, count)
    steps = {"text": L, "audio": L if aligned else T_AUDIO, "vision": L if aligned else T_VISION}
    widths = {"text": 3, "audio": 2, "vision": 6}
    mask = (np.arange(L) < tokens[:, None]).astype(np.int64)
    content = {
        "raw_text": [f"clip {row} of {name}" for row in range(count)],
        "id": [f"{name}{row // 2}$_${row:04d}" for row in range(count)],
        "text_bert": np.stack([mask * 7, mask, mask * 0], 1),
        "annotations": ["Neutral"] * count,
        "regression_labels": random.uniform(-3, 3, count).astype(np.float32),
    }
    for view, longest in steps.items():
        exist = tokens if view == "text" or aligned else random.integers(1, longest + 1, count)
        values = random.uniform(1, 2, (count, longest, widths[view])).astype(np.float32)
        content[view] = values * (np.arange(longest) < exist[:, None])[..., None]
        if view != "text" and not aligned:
            content[f"{view}_lengths"] = exist.tolist()
    return content
