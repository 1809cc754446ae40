from __future__ import annotations

import pytest

from swesearch.code.repomap import RepositoryMap, facts_of, rank

FILES = {
    "core.py": b"def central():\n    pass\n\ndef lonely_one():\n    pass\n",
    "a.py": b"from core import central\n\ndef from_a():\n    central()\n",
    "b.py": b"from core import central\n\ndef from_b():\n    central()\n",
    "main.py": b"from a import from_a\n\nfrom_a()\n",
    "data.txt": b"central central central",
}


def draw(files: dict[str, bytes], most: int = 10_000, maps: RepositoryMap | None = None, **about) -> str:
    blobs = {path: f"{hash(data)}" for path, data in files.items()}
    return (maps or RepositoryMap()).text(f"{hash(tuple(files.items()))}", blobs, files.__getitem__, most, **about)


def test_what_is_used_by_many_comes_first_and_only_code_is_shown():
    assert draw(FILES).split("\n")[:3] == ["core.py", "  1: def central():", "  4: def lonely_one():"]
    assert "data.txt" not in draw(FILES)


def test_a_map_is_about_what_it_is_asked_for():
    assert draw(FILES, paths={"b.py": 1.0}).startswith("b.py\n")
    assert draw(FILES, names=["from_a"]).startswith("a.py\n")


def test_a_map_is_as_short_as_asked_and_the_same_each_time():
    for most in (0, 10, 60, 100, 500):
        assert len(draw(FILES, most)) <= most
    assert draw(FILES, 500) == draw(dict(reversed(FILES.items())), 500)
    assert draw({}) == ""


def test_the_most_used_definitions_of_a_large_file_are_shown_below_their_classes():
    methods = b"".join(b"    def method_%d(self):\n        pass\n" % n for n in range(40))
    files = {"big.py": b"class Large:\n" + methods, "user.py": b"Large().method_33()\n"}
    shown = draw(files).split("\n")
    assert shown[:2] == ["big.py", "  1: class Large:"]
    assert "    68: def method_33(self):" in shown
    assert "  (27 more)" in shown


def test_names_that_many_files_define_link_nothing():
    files = {f"m{n}.py": b"def common():\n    pass\n" for n in range(9)} | {"user.py": b"common()\n"}
    ranks, weights = rank({path: facts_of(data) for path, data in files.items()}, {}, ())
    assert weights == {}
    assert len({round(value, 6) for value in ranks.values()}) == 1


def test_ranks_are_personalised_pagerank():
    ranks, _ = rank({path: facts_of(data) for path, data in FILES.items() if path.endswith(".py")}, {"main.py": 1.0}, ())
    even = 0.1 / 4
    main = 0.9 + even
    a = even + 0.7 * main  # main.py uses nothing but a.py, and that nothing but core.py
    core = even + 0.7 * a + 0.7 * even
    assert ranks == pytest.approx({"main.py": main, "a.py": a, "b.py": even, "core.py": core}, abs=0.02)


def test_a_file_that_did_not_change_is_not_read_again_to_rank_it():
    read: list[str] = []
    maps = RepositoryMap()

    def reading(path: str) -> bytes:
        read.append(path)
        return FILES[path]

    blobs = {path: f"blob of {path}" for path in FILES}
    maps.text("one", blobs, reading, 10)
    first = len(read)
    maps.text("two", {**blobs, "a.py": "another blob"}, reading, 10)
    assert first == 5  # four to rank them, one that would be shown
    assert read[first:] == ["a.py", "core.py"]
    maps.text("two", {**blobs, "a.py": "another blob"}, reading, 10)
    assert len(read) == first + 2
