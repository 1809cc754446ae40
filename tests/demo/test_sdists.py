"""Source archives come from the user's index, as they were pinned, and nothing in them is run. A server here plays the index."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks import sdists

FILE = "thing-1.0.tar.gz"


def archive(**members: str) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The output belongs to the tests."""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a simple index with the project `thing`."""
    folder = tmp_path / "index"
    (folder / "simple" / "thing").mkdir(parents=True)
    (folder / "files").mkdir()
    (folder / "simple" / "thing" / "index.html").write_text(f'<a href="../../files/{FILE}#sha256=0">{FILE}</a>')
    (folder / "files" / FILE).write_bytes(archive(**{"thing-1.0/setup.py": "raise SystemExit", "thing-1.0/thing.py": "x = 1\n"}))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_address[1]}/simple")
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


def pin(index: Path) -> str:
    return hashlib.sha256((index / "files" / FILE).read_bytes()).hexdigest()


def test_an_archive_is_found_on_the_configured_index_and_kept(index: Path, tmp_path: Path) -> None:
    first = sdists.fetch("thing", FILE, pin(index), tmp_path / "cache")
    known = pin(index)
    (index / "files" / FILE).unlink()
    assert sdists.fetch("thing", FILE, known, tmp_path / "cache") == first


def test_another_file_than_the_pinned_one_is_refused(index: Path, tmp_path: Path) -> None:
    with pytest.raises(sdists.Unavailable, match="another file"):
        sdists.fetch("thing", FILE, "0" * 64, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_kept_file_that_was_changed_is_fetched_again(index: Path, tmp_path: Path) -> None:
    kept = sdists.fetch("thing", FILE, pin(index), tmp_path / "cache")
    kept.write_bytes(b"changed")
    assert sdists.fetch("thing", FILE, pin(index), tmp_path / "cache").read_bytes() == (index / "files" / FILE).read_bytes()


def test_a_file_that_the_index_does_not_have_is_named(index: Path, tmp_path: Path) -> None:
    with pytest.raises(sdists.Unavailable, match=r"thing-9\.tar\.gz is not on the package index"):
        sdists.fetch("thing", "thing-9.tar.gz", "0" * 64, tmp_path)


def test_offline_the_message_says_that_the_network_is_needed(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    with pytest.raises(sdists.Unavailable, match="needs the network once"):
        sdists.fetch("thing", FILE, pin(index), tmp_path)


def test_unpacking_gives_the_projects_folder(index: Path, tmp_path: Path) -> None:
    top = sdists.unpack(index / "files" / FILE, tmp_path / "new")
    assert top == tmp_path / "new" / "thing-1.0"
    assert (top / "thing.py").read_text() == "x = 1\n"


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped-from-archive", "thing/../../escaped"])
def test_an_archive_that_writes_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "bad.tar.gz").write_bytes(archive(**{name: "x"}))
    if name.startswith("/"):  # an absolute name is taken below the folder
        assert sdists.unpack(tmp_path / "bad.tar.gz", tmp_path / "new").is_relative_to(tmp_path / "new")
    else:
        with pytest.raises(sdists.Unavailable, match="cannot be unpacked"):
            sdists.unpack(tmp_path / "bad.tar.gz", tmp_path / "new")
    assert not (tmp_path / "escaped").exists()


def test_something_that_is_no_archive_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "bad.tar.gz").write_bytes(b"not an archive")
    with pytest.raises(sdists.Unavailable, match="cannot be unpacked"):
        sdists.unpack(tmp_path / "bad.tar.gz", tmp_path / "new")
