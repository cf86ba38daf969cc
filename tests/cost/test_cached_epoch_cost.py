"""With frozen towers an epoch from the cache costs a small part of one through the towers."""

from dataclasses import replace
from time import perf_counter

import pytest
import torch
from lightning_fabric import Fabric
from trials import dataset, spec

from harness.engine.assembly import build_model, visible
from harness.engine.feature_cache import FeatureCache
from harness.engine.loop import Job, fit
from harness.engine.terms import build_terms
from harness.engine.training_step import Learner, TrainingStep
from harness.spec import LossTerm, VariantRef
from harness.types import Padded

pytestmark = pytest.mark.slow

FRAMES, SIZE, CLIPS = 8, 224, 16


def with_frames(clips):
    frames = torch.randint(0, 256, (CLIPS, FRAMES, 3, SIZE, SIZE), dtype=torch.uint8)
    kept = clips.take(torch.arange(CLIPS) % len(clips))
    ids = tuple(f"{n}" for n in range(CLIPS))
    return replace(kept, ids=ids, frames=Padded(frames, torch.ones(CLIPS, FRAMES, dtype=torch.bool)))


def test_a_cached_epoch_of_a_frozen_vit_b_32_is_at_least_20_times_faster(tmp_path):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    data = dataset()
    data = replace(data, train=with_frames(data.train), valid=with_frames(data.valid))
    what = spec(
        "teacher",
        model=VariantRef(
            name="clip_video", tower="ViT-B-32", cross_frame=False, vision_layers_trained=0
        ),
        losses={"task_ce": LossTerm(), "task_l1": LossTerm(), "step1": LossTerm()},
        max_epochs=1,
        batch_size=8,
    )
    fabric = Fabric(accelerator="cpu", devices=1)
    cache = FeatureCache(tmp_path, "frames")

    def epoch(name, cached):
        model = build_model(what, data)
        train, valid = (visible(what, model, clips) for clips in (data.train, data.valid))
        if cached:
            train, valid = (
                cache.precomputed(fabric, model, clips, torch.float32) for clips in (train, valid)
            )
        step = TrainingStep(Learner(what, model, build_terms(what, data.info)))
        job = Job(
            what, train, valid, None, None, torch.float32, tmp_path / name, lambda epoch, metrics: None
        )
        start = perf_counter()
        fit(fabric, step, job)
        return perf_counter() - start

    epoch("warm", cached=True)
    through, stored = [], []
    for turn in range(3):
        through.append(epoch(f"through{turn}", cached=False))
        stored.append(epoch(f"stored{turn}", cached=True))
    ratio = sorted(slow / fast for slow, fast in zip(through, stored, strict=True))[1]
    print(f"\ncached epoch: {ratio:.1f} x faster; through the tower {through} s, cached {stored} s")
    assert ratio >= 20
