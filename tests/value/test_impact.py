"""Which tests a change reaches, and in which order they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from swesearch.base import Edit, Replace
from swesearch.store import Store
from swesearch.value.impact import is_test_file, reached

Open = Callable[[Mapping[str, str | bytes]], Store]
FILES = {
    "src/pkg/__init__.py": "from .core import total\n",
    "src/pkg/core.py": "def total():\n    return 1\n",
    "src/pkg/shapes.py": "from pkg import (\n    core,\n)\n\n\ndef area():\n    return core.total()\n",
    "src/pkg/lonely.py": "def alone():\n    return 1\n",
    "src/pkg/table.json": "{}\n",
    "tests/conftest.py": "X = 1\n",
    "tests/helpers.py": "import pkg.shapes\n",
    "tests/test_core.py": "from pkg import total\n\n\ndef test_total():\n    assert total() == 1\n",
    "tests/test_shapes.py": "from helpers import pkg\n\n\ndef test_area():\n    assert pkg.shapes.area()\n",
    "tests/test_lonely.py": "import pkg.lonely\n\n\ndef test_alone():\n    assert pkg.lonely.alone()\n",
    "tests/test_data.py": "def test_table():\n    assert open('src/pkg/table.json')\n",
    "tests/test_nothing.py": "def test_nothing():\n    pass\n",
    "setup.cfg": "[tool:pytest]\n",
    "README.md": "words\n",
}


@pytest.mark.parametrize(
    ("edit", "tests"),
    [
        (Replace("src/pkg/core.py", b"return 1", b"return 2"), ["test_core", "test_lonely", "test_shapes"]),  # the package imports it
        (Replace("src/pkg/shapes.py", b"area", b"size"), ["test_shapes"]),
        (Replace("src/pkg/lonely.py", b"return 1", b"return 2"), ["test_lonely"]),
        (Replace("src/pkg/table.json", b"{}", b"[]"), ["test_data"]),
        (Replace("tests/test_nothing.py", b"pass", b"..."), ["test_nothing"]),
        (Replace("tests/helpers.py", b"import pkg.shapes", b"import pkg.shapes\n"), ["test_shapes"]),
        (Replace("README.md", b"words", b"more"), []),
    ],
)
def test_a_change_reaches_the_tests_that_import_or_name_what_changed(open_store: Open, edit: Edit, tests: list[str]) -> None:
    store = open_store(FILES)
    base = store.root()
    assert list(reached(store, base, store.apply(base, [edit]))) == [f"tests/{name}.py" for name in tests]


@pytest.mark.parametrize("path", ["setup.cfg", "tests/conftest.py"])
def test_what_serves_all_tests_reaches_all_of_them(open_store: Open, path: str) -> None:
    store = open_store(FILES)
    base = store.root()
    before = store.read(base, path)
    head = store.apply(base, [Replace(path, before, before + b"# more\n")])
    assert {name for name in FILES if is_test_file(name)} == set(reached(store, base, head))
