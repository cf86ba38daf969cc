"""The contrastive objective against loops."""

import numpy as np
import pytest
import torch
from loss_samples import DATA, of_embedding

from harness.contracts import Adapts
from harness.losses.crd import CRD, CRDConfig

DRAW = np.random.default_rng(0)
STUDENT, TEACHER = DRAW.normal(size=(8, 5)), DRAW.normal(size=(8, 6))


def adapted(clips=24, **config):
    train = DATA.train.take(torch.arange(clips) % len(DATA.train))
    torch.manual_seed(0)
    loss = CRD(CRDConfig(**config), DATA.info)
    loss.adapt(of_embedding(STUDENT), of_embedding(TEACHER), train)
    return loss.double()


def value(loss, student=STUDENT, teacher=TEACHER):
    return loss(of_embedding(student), DATA.train, of_embedding(teacher)).item()


def projected(projection, vector):
    weight, bias = (projection.linear.get_parameter(n).detach().numpy() for n in ("weight", "bias"))
    found = weight @ vector + bias
    return found / np.linalg.norm(found)


@pytest.mark.parametrize(("temperature", "clips"), [(0.07, 24), (0.5, 1000)])
def test_it_is_the_log_likelihood_of_telling_own_pairs_from_others(temperature, clips):
    loss, expected = adapted(clips, width=4, temperature=temperature), 0.0
    for i in range(8):
        for j in range(8):
            g_s, g_t = projected(loss.of_student, STUDENT[i]), projected(loss.of_teacher, TEACHER[j])
            likeness = np.exp(g_t @ g_s / temperature)
            h = likeness / (likeness + 7 / clips)
            expected -= np.log(h if i == j else 1 - h) / 8
    assert value(loss) == pytest.approx(expected)


def same_maps(loss):
    """Both projections are the identity."""
    for projection in (loss.of_student, loss.of_teacher):
        projection.linear.load_state_dict({"weight": torch.eye(6), "bias": torch.zeros(6)})
    return loss


def test_a_student_that_agrees_clip_by_clip_pays_less_than_one_that_mixes_clips_up():
    loss = CRD(CRDConfig(width=6), DATA.info)
    loss.adapt(of_embedding(TEACHER), of_embedding(TEACHER), DATA.train)
    same_maps(loss).double()
    assert value(loss, TEACHER) < value(loss, np.roll(TEACHER, 1, axis=0)) - 1


def test_the_lengths_of_projected_vectors_do_not_count():
    loss = CRD(CRDConfig(width=6), DATA.info)
    loss.adapt(of_embedding(TEACHER), of_embedding(TEACHER), DATA.train)
    same_maps(loss).double()
    scale = DRAW.uniform(0.1, 10, size=(8, 1))
    assert value(loss, scale * TEACHER) == pytest.approx(value(loss, TEACHER))


def test_the_number_of_training_clips_is_the_critics_prior():
    few, many = (value(adapted(clips, width=4)) for clips in (10, 1000))
    assert many > few + 1


def test_the_projections_are_the_losss_own():
    loss = adapted(width=4)
    assert isinstance(loss, Adapts)
    assert {name: tuple(p.shape) for name, p in loss.named_parameters()} == {
        "of_student.linear.weight": (4, 5),
        "of_student.linear.bias": (4,),
        "of_teacher.linear.weight": (4, 6),
        "of_teacher.linear.bias": (4,),
    }
