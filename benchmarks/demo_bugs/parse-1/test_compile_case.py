import parse


def test_a_compiled_format_can_tell_upper_from_lower_case():
    strict = parse.compile("SPAM {}", case_sensitive=True)
    assert strict.parse("spam eggs") is None


def test_a_compiled_format_ignores_case_by_default():
    assert parse.compile("SPAM {}").parse("spam eggs")[0] == "eggs"


def test_a_compiled_format_knows_its_extra_types():
    shout = parse.compile("{:shout}", {"shout": lambda text: text.upper()})
    assert shout.parse("hello")[0] == "HELLO"
