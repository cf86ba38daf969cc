"""A teacher that is told wrong classes and given a clean cue, and what a student has of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from harness.metrics.retrieval import match_ap, retrieval_metrics
from harness.registry import LOSSES, discover
from harness.spec import VariantRef
from harness.teachers.match_score.config import MatchScoreConfig
from harness.teachers.match_score.model import MatchScore
from harness.types import Batch, DataInfo, Outputs, Padded

pytestmark = pytest.mark.slow
discover()
CLASSES, WRONG = 10, 0.3
WIDTHS = {"vision": 64, "audio": 32, "text": 16}
NOISE = {"vision": 2.0, "audio": 1.4, "text": 0.5}
INFO = DataInfo(
    task="retrieval",
    label_range=(0.0, CLASSES - 1.0),
    classes=tuple(f"class {number}" for number in range(CLASSES)),
    views=frozenset(WIDTHS),
    **{f"{view}_width": width for view, width in WIDTHS.items()},
    **{f"{view}_steps": 1 for view in WIDTHS},
)
DRAW = torch.Generator().manual_seed(0)
SHAPES = {view: torch.randn(CLASSES, width, generator=DRAW) for view, width in WIDTHS.items()}


def shown(label, view):
    means = SHAPES[view][label].unsqueeze(1)
    values = means + NOISE[view] * torch.randn(means.shape, generator=DRAW)
    return Padded(values, torch.ones(len(label), 1, dtype=torch.bool))


def truly(count):
    """Clips and their true classes."""
    names = tuple(str(number) for number in range(count))
    label = torch.randint(CLASSES, (count,), generator=DRAW)
    return Batch(names, names, label, **{view: shown(label, view) for view in WIDTHS})


def mistaken(clips):
    """The same clips, some of them with another class than their own."""
    other = torch.randint(1, CLASSES, (len(clips),), generator=DRAW)
    is_wrong = torch.rand(len(clips), generator=DRAW) < WRONG
    return replace(clips, target=torch.where(is_wrong, (clips.target + other) % CLASSES, clips.target))


class TwoTowers(nn.Module):
    def __init__(self):
        super().__init__()
        self.audio, self.vision = (
            nn.Sequential(nn.Linear(WIDTHS[view], 64), nn.ReLU(), nn.Linear(64, 32))
            for view in ("audio", "vision")
        )

    def forward(self, clips):
        return Outputs(
            audio_embedding=self.audio(clips.audio.mean()),
            vision_embedding=self.vision(clips.vision.mean()),
        )


def trained(model, clips, losses, epochs, advice=None):
    """The model in eval mode after so many epochs of the losses' sum."""
    torch.manual_seed(0)
    terms = [LOSSES.build(VariantRef(name=name), INFO) for name in losses]
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(clips)).split(64):
            batch, told = clips.take(rows), advice and advice.take(rows)
            outputs = model.train()(batch)
            optimiser.zero_grad()
            sum(term(outputs, batch, told) for term in terms).backward()
            optimiser.step()
    return model.eval()


def mean_ap(student, clips):
    found = student(clips)
    audio, vision = found.audio_embedding.numpy(), found.vision_embedding.numpy()
    return retrieval_metrics(audio, vision, clips.target.numpy(), "full")["map"]


def echo(clips):
    """A teacher that repeats the classes it was told."""
    certain = 50 * torch.eye(CLASSES)[clips.target]
    return Outputs(class_logits=certain)


def test_a_teacher_sees_through_wrong_labels_and_its_student_learns_more_than_from_them():
    truth, test = truly(600), truly(600)
    train = mistaken(truth)
    torch.manual_seed(0)
    teacher = MatchScore(MatchScoreConfig(sees=("vision", "audio", "text")), INFO)
    teacher = trained(teacher, train, ("match_regression", "task_ce", "match_step1"), epochs=8)
    with torch.no_grad():
        advice = teacher(train)
        judged = np.nanmean(match_ap(advice.match.numpy(), truth.target.numpy()))
    assert judged > 0.88
    found = {}
    for name, losses, told in (
        ("teacher", ("match_step2",), advice),
        ("labels", ("match_classes",), echo(train)),
        ("truth", ("match_classes",), echo(truth)),
    ):
        torch.manual_seed(1)
        student = trained(TwoTowers(), train, losses, 40, told)
        with torch.no_grad():
            found[name] = mean_ap(student, test)
    assert found["labels"] + 0.05 < found["teacher"] < found["truth"]
