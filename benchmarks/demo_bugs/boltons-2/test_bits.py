from boltons.mathutils import Bits


def test_leading_zeros_are_in_the_list():
    assert Bits("0001").as_list() == [False, False, False, True]


def test_a_length_that_was_asked_for_is_kept_in_the_list():
    assert Bits(2, 3).as_list() == [False, True, False]


def test_bits_without_leading_zeros_make_a_list():
    assert Bits("101").as_list() == [True, False, True]


def test_leading_zeros_are_in_the_binary_text():
    assert Bits("0001").as_bin() == "0001"
