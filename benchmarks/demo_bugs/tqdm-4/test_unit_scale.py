from tqdm import tqdm


def test_units_are_scaled_when_the_total_is_unknown():
    assert tqdm.format_meter(2, None, 1, unit_scale=10) == "20it [00:01, 20.00it/s]"


def test_units_are_scaled_when_the_total_is_known():
    assert "20/40" in tqdm.format_meter(2, 4, 1, unit_scale=10)


def test_the_total_may_be_unknown_without_a_scale():
    assert tqdm.format_meter(2, None, 1) == "2it [00:01,  2.00it/s]"


def test_a_scale_of_true_shortens_the_numbers():
    assert "2.00k" in tqdm.format_meter(2000, None, 1, unit_scale=True)
