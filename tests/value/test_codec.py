"""Our data as JSON and back."""

import json
from pathlib import Path

import pytest

from sandbox.base import Kind
from swesearch.base import Action, Attempt, Check, Create, Delete, Evaluation, Measurement, Rename, Replace, State, Task
from swesearch.code.localise import Localisation, Suspicion
from swesearch.codec import decode, encode


@pytest.mark.parametrize(
    "value",
    [
        Task(Path("/a b/ü"), (Check(("pytest", "-q")),), "it fails"),
        Attempt(
            Action((Replace("a.py", b"\xff\r\n", b"\x00", 3), Create("b", b"", True), Delete("c"), Rename("d", "e")), "why", 0.25),
            State("f" * 40),
            Evaluation(0.5, False, (Measurement("tests", 0.5, solved=False, facts={"fixed": ("t",)}),), "feedback"),
        ),
        Localisation(
            (Suspicion("a.py", 3, 1.0),), {"a.py:3": {"x": (Kind("int", ("real",), "1"),)}}, ("1",), (("KeyError", "'a'"),), ("a",)
        ),
    ],
)
def test_a_value_comes_back_as_it_went(value):
    assert decode(json.loads(json.dumps(encode(value)))) == value


def test_a_foreign_class_is_refused():
    with pytest.raises(TypeError, match="object has no JSON form"):
        encode(object())
