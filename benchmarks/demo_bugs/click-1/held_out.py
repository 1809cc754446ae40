import io

import click
import pytest
from click.testing import CliRunner


@click.command()
def fails():
    raise click.ClickException("it went wrong")


def test_a_failing_command_keeps_standard_output_clean():
    result = CliRunner(mix_stderr=False).invoke(fails)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "Error: it went wrong\n")


@pytest.mark.parametrize("message", ["", "plain", "with {braces} and %s", "üñí"])
def test_the_message_goes_to_the_stream_as_it_is(message, capsys):
    stream = io.StringIO()
    click.ClickException(message).show(stream)
    assert stream.getvalue() == "Error: {}\n".format(message)
    assert capsys.readouterr() == ("", "")


def test_a_file_error_goes_to_the_stream_too():
    stream = io.StringIO()
    click.FileError("a.txt", hint="gone").show(stream)
    assert "a.txt" in stream.getvalue()
    assert "gone" in stream.getvalue()
