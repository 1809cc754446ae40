"""The report of a run as one HTML file: no network, no framework. All that others wrote is data, and becomes text, never markup."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

SCRIPTS = ("base.js", "model.js", "layout.js", "map.js", "outline.js", "details.js", "timeline.js", "account.js")


def page(story: Mapping[str, Any], live: Mapping[str, str] | None = None) -> str:
    """The page of a story (see report/story.py). `live`: where the page hears what is new, for a server that follows the run."""
    data = {"story": story, "live": live}
    scripts = (*SCRIPTS, *(("steer.js",) if live else ()), "app.js")
    return document("page.html", f"{_name(story)}: swesearch", data, scripts, connect=bool(live))


def document(template: str, title: str, data: object, scripts: tuple[str, ...], connect: bool = False) -> str:
    """The head and a body of this folder with title, data, style and scripts filled in. `connect`: it may ask its own server."""
    script = '"use strict";\n(() => {\n' + "\n".join(map(source, scripts)) + "\n})();\n"
    style = source("page.css")
    return Template(source("head.html") + source(template)).substitute(
        policy=policy(style, script, connect), title=text(title), style=style, script=script, story=embedded(data)
    )


def policy(style: str, script: str = "", connect: bool = False, marks: bool = False) -> str:
    """A Content-Security-Policy under which nothing but these two texts can act: no other script, no address, no form.

    `marks`: single elements may have a style of their own, for a page that is drawn without a script.
    """
    may = {
        "default-src": "'none'",
        "script-src": _hash(script) if script else "'none'",
        "style-src": _hash(style),
        "img-src": "data:",
        "connect-src": "'self'" if connect else "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    } | ({"style-src-attr": "'unsafe-inline'"} if marks else {})
    return "; ".join(f"{name} {value}" for name, value in may.items())


def embedded(data: object) -> str:
    """JSON that cannot end the script element it stands in, nor begin a comment there: `<` is escaped, and all that is not ASCII."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def text(words: str) -> str:
    """Words as HTML. What is no text, as bytes of a path that are not UTF-8, becomes a question mark."""
    return escape(words.encode("utf-8", "replace").decode())


@cache
def source(name: str) -> str:
    """A file of this folder."""
    return files(__package__).joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _name(story: Mapping[str, Any]) -> str:
    return str(story["repo"]).rstrip("/").rpartition("/")[2] or "run"
