"""The files of the project that a file imports: what they define can be called there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from swesearch.agents.templates.source import File
from swesearch.base import UsageError

MOST = 8  # files
LARGEST = 200_000  # bytes


def neighbours(file: File, read: Callable[[str], bytes]) -> Iterator[File]:
    """The first few files of the project that `file` imports."""
    found = 0
    for path in dict.fromkeys(_paths(file)):
        if found >= MOST or path == file.path:
            continue
        try:
            data = read(path)
        except (UsageError, OSError):
            continue
        if len(data) <= LARGEST:
            found += 1
            yield File(path, data)


def _paths(file: File) -> Iterator[str]:
    """Where the imported modules may stand: seen from the root, from `src`, and from the file's own folder."""
    here = PurePosixPath(file.path).parent
    for module in _modules(file):
        dots = len(module) - len(module.lstrip("."))
        parts = [p for p in module.lstrip(".").split(".") if p]
        bases = (
            [here.parents[dots - 2] if dots > 1 and dots - 2 < len(here.parents) else here]
            if dots
            else [PurePosixPath(), PurePosixPath("src"), here]
        )
        for base in bases:
            for kept in (parts, parts[:-1]) if len(parts) > 1 else (parts,):
                if kept:
                    yield f"{base.joinpath(*kept)}.py"
        if parts:
            yield str(bases[0].joinpath(*parts, "__init__.py"))


def _modules(file: File) -> Iterator[str]:
    """The dotted names of imported modules, those named in `from m import n` also as m.n."""
    for node in file.root.named_children:
        if node.type == "import_from_statement":
            module = node.child_by_field_name("module_name")
            name = file.text(module) if module is not None else ""
            yield name
            for child in node.children_by_field_name("name"):
                yield f"{name}{'' if name.endswith('.') else '.'}{file.text(child).split(' ')[0]}"
        elif node.type == "import_statement":
            for child in node.children_by_field_name("name"):
                yield file.text(child).split(" ")[0]
