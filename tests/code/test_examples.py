"""What can be run of an issue."""

from swesearch.code.examples import examples


def test_a_session_gives_its_statements_and_its_answers():
    found = examples(
        "It fails:\n\n>>> from pkg import f\n>>> f(1,\n...   2)\n3\n>>> f(0)\nTraceback (most recent call last):\nValueError: zero\n"
    )

    assert found.statements == ("from pkg import f", "f(1, 2)", "f(0)")
    assert "ValueError: zero" in found.answers


def test_a_fenced_block_is_code_up_to_where_its_output_begins():
    found = examples("```python\nimport pkg\nprint(pkg.f(1))\nTypeError: no\n```\n")

    assert found.statements == ("import pkg", "print(pkg.f(1))")
    assert "TypeError: no" in found.answers


def test_what_a_comment_says_comes_out_is_an_answer():
    assert "[1, 2]" in examples("```py\nimport pkg\npkg.f()  # [1, 2]\n```").answers


def test_blocks_of_other_languages_and_prose_are_not_run():
    found = examples("```bash\nrm -rf build\n```\n```json\n{}\n```\nPlease mend it. It is wrong, I think.\n")

    assert found.statements == ()
    assert found.tests == ()


def test_a_test_in_an_issue_is_kept_whole():
    found = examples("```python\nimport pytest\n\ndef test_it():\n    assert False\n```\n")

    assert found.statements == ()
    assert "def test_it():" in found.tests[0]


def test_an_expression_between_backticks_is_a_question_and_a_name_is_not():
    found = examples("`0**-oo` gives `0`, not `zoo`; see `pkg.f` and `f(x)`.")

    assert found.statements == ("0**-oo", "f(x)")
    assert "zoo" in found.answers


def test_an_interactive_shell_other_than_pythons_is_read_too():
    found = examples("In [1]: import pkg\n\nIn [2]: pkg.f(2)\nOut[2]: 44\n")

    assert found.statements == ("import pkg", "pkg.f(2)")
    assert "44" in found.answers


def test_code_for_another_python_is_read_as_far_as_it_can_be():
    assert examples("```python\nx = f(1)\nprint x\n```").statements == ("x = f(1)",)
