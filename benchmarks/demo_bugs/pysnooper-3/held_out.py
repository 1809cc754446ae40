import pysnooper
from pysnooper.pysnooper import get_write_function


def test_a_path_object_is_a_file_too(tmp_path):
    trace = tmp_path / "trace.log"

    @pysnooper.snoop(trace, variables=("left + right",))
    def add(left, right):
        return left + right

    assert add(1, 2) == 3
    assert "left = 1" in trace.read_text()


def test_what_the_file_held_before_is_kept(tmp_path):
    trace = tmp_path / "trace.log"
    trace.write_text("before\n")
    get_write_function(str(trace))("first\n")
    get_write_function(str(trace))("second\n")
    assert trace.read_text() == "before\nfirst\nsecond\n"


def test_two_files_do_not_mix(tmp_path):
    one, other = (get_write_function(str(tmp_path / name)) for name in ("one", "other"))
    one("1")
    other("2")
    assert (tmp_path / "one").read_text() + (tmp_path / "other").read_text() == "12"
