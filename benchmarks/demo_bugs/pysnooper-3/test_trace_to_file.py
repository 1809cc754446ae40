import io

import pysnooper


def double(number):
    twice = 2 * number
    return twice  # noqa: RET504  # the local variable is what the trace shows


def test_a_trace_can_be_written_to_a_file(tmp_path):
    trace = tmp_path / "trace.log"
    assert pysnooper.snoop(str(trace))(double)(4) == 8
    assert "twice = 8" in trace.read_text()


def test_a_trace_can_be_written_to_a_stream():
    stream = io.StringIO()
    assert pysnooper.snoop(stream)(double)(4) == 8
    assert "twice = 8" in stream.getvalue()


def test_a_trace_goes_to_standard_error(capsys):
    assert pysnooper.snoop()(double)(4) == 8
    assert "twice = 8" in capsys.readouterr().err
