"""Small teachers, noisy clips and small architectures, for the tests of `clip_video`."""

from dataclasses import replace

import open_clip
import torch
from toy import Toy, ToyConfig

from harness.registry import TEACHERS, discover
from harness.spec import VariantRef
from harness.teachers.clip_video.model import ClipVideo
from harness.types import Padded

discover()
DATA = Toy(ToyConfig()).load()
TINY = TEACHERS.get("clip_video").tiny
PLAIN = {"cross_frame": False, "integration": False, "enhanced_prompts": False}
"""The mean over frames against the class prompts, and nothing else."""

TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}
SMALL = {
    "small-vit": {"image_size": 16, "patch_size": 8, "width": 16, "head_width": 8, "layers": 2},
    "small-resnet": {"image_size": 32, "width": 4, "layers": [1, 1, 1, 1]},
    "small-timm-vit": {"image_size": 160, "timm_model_name": "test_vit", "timm_pool": ""},
    "small-timm-net": {"image_size": 32, "timm_model_name": "test_convnext", "timm_pool": "avg"},
}
UNUSABLE = {
    "small-coca": {"vision_cfg": SMALL["small-vit"], "text_cfg": TEXT, "multimodal_cfg": TEXT},
    "small-untold": {
        "vision_cfg": SMALL["small-vit"],
        "text_cfg": {**TEXT, "hf_tokenizer_name": "./no/such/tokenizer"},
    },
    "small-siglip": {"vision_cfg": SMALL["small-vit"], "text_cfg": TEXT},
}


def configure(**changes):
    params = changes if "tower" in changes else {**TINY, **changes}
    return TEACHERS.configure(VariantRef(name="clip_video", **params))


def build(seed=0, info=DATA.info, **changes):
    """A tiny teacher in eval mode; of a named tower, if one is named."""
    torch.manual_seed(seed)
    return ClipVideo(configure(**changes), info).eval()


def film(clips=3, steps=4, size=16, lengths=(4, 1, 2)):
    """Clips of noise."""
    draw = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (clips, steps, 3, size, size), generator=draw, dtype=torch.uint8)
    mask = torch.arange(steps) < torch.tensor(lengths).unsqueeze(1)
    frames = Padded(pixels * mask.view(clips, steps, 1, 1, 1), mask)
    return replace(DATA.train.take(torch.arange(clips)), frames=frames)


def picture_size(name):
    """The pixels a side that a small architecture looks at."""
    return SMALL[name]["image_size"]


def names(model, trained=None):
    """The names of the model's parameters; of the trained or the frozen ones."""
    return {
        name
        for name, value in model.named_parameters()
        if trained is None or value.requires_grad is trained
    }


def checkpoint(name, file, **changes):
    """open_clip's own model of that name, and the file that its weights were saved to."""
    torch.manual_seed(1)
    clip = open_clip.create_model(name, **changes).eval()
    torch.save({"state_dict": clip.state_dict()}, file)
    return clip
