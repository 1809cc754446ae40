import pytest
from boltons.mathutils import Bits


@pytest.mark.parametrize("text", ["0", "1", "00", "01", "10", "0000", "0110", "00010000", "1111111100000000"])
def test_a_list_says_the_same_as_the_binary_text(text):
    bits = Bits(text)
    assert bits.as_bin() == text
    assert bits.as_list() == [c == "1" for c in text]
    assert Bits.from_list(bits.as_list()) == bits


def test_a_hexadecimal_start_keeps_four_bits_for_each_digit():
    assert Bits("0x1f").as_list() == [False, False, False, True, True, True, True, True]


def test_a_list_is_as_long_as_the_bits():
    for length in range(3, 12):
        assert len(Bits(5, length).as_list()) == length
