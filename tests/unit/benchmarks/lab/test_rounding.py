"""Rounding to 8 bits moves no weight by more than half a step of its row."""

import pytest

torch = pytest.importorskip("torch")

from benchmarks.lab.rounding import round_to_int8  # noqa: E402 - torch is an extra


def test_no_weight_moves_more_than_half_a_step_and_rows_keep_their_own_scale():
    weight = (
        torch.randn(16, 64, generator=torch.Generator().manual_seed(1)) * torch.logspace(-3, 2, 16)[:, None]
    )
    rounded = round_to_int8(weight)
    step = weight.abs().amax(dim=1, keepdim=True) / 127
    assert ((rounded - weight).abs() <= step / 2 * 1.0001).all()
    assert not torch.equal(rounded, weight)


def test_rounding_twice_changes_nothing_more():
    weight = torch.randn(8, 32, generator=torch.Generator().manual_seed(2))
    once = round_to_int8(weight)
    assert torch.allclose(round_to_int8(once), once, atol=1e-6)


def test_a_row_of_zeros_stays_zero():
    assert torch.equal(round_to_int8(torch.zeros(2, 4)), torch.zeros(2, 4))
