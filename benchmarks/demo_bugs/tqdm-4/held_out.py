import io

import pytest
from tqdm import tqdm


@pytest.mark.parametrize("scale", [2, 0.5, 1024])
def test_any_scale_works_without_a_total(scale):
    assert tqdm.format_meter(8, None, 4, unit_scale=scale).startswith("{}it [00:04".format(8 * scale))


def test_a_scale_still_scales_the_total():
    assert "16/32" in tqdm.format_meter(4, 8, 1, unit_scale=4)
    assert " 50%" in tqdm.format_meter(4, 8, 1, unit_scale=4)


def test_a_given_rate_is_scaled_without_a_total():
    assert "30.00it/s" in tqdm.format_meter(1, None, 1, rate=3, unit_scale=10)


def test_a_bar_over_a_generator_runs_to_its_end():
    stream = io.StringIO()
    with tqdm((i for i in range(5)), unit_scale=100, unit="B", file=stream, mininterval=0) as bar:
        assert list(bar) == [0, 1, 2, 3, 4]
    assert "500B" in stream.getvalue()
