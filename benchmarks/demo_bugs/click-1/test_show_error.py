import io

import click


def test_an_error_is_shown_on_the_stream_that_was_given():
    stream = io.StringIO()
    click.ClickException("no such file").show(file=stream)
    assert stream.getvalue() == "Error: no such file\n"


def test_an_error_is_shown_on_standard_error(capsys):
    click.ClickException("no such file").show()
    assert capsys.readouterr() == ("", "Error: no such file\n")


def test_a_usage_error_is_shown_on_the_stream_that_was_given():
    stream = io.StringIO()
    click.UsageError("too many arguments").show(file=stream)
    assert stream.getvalue() == "Error: too many arguments\n"


def test_an_error_formats_its_message():
    assert click.ClickException("no such file").format_message() == "no such file"
