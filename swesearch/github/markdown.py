"""What somebody wrote on GitHub, without what a reader of the page does not see; and what we write there, with nothing that acts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from swesearch.agents.clean import CODE_OR_COMMENT, cleaned, visible
from swesearch.report.markdown import fenced

IMAGE = re.compile(r"!\[[^\]\n]{0,1000}\]\(\s*<?([^)\s>]{1,2000})>?[^)\n]{0,1000}\)")
IMAGE_TAG = re.compile(r"<img\b[^>]{0,4000}>", re.IGNORECASE)
SOURCE = re.compile(r"""\bsrc\s*=\s*["']?([^"'\s>]{1,2000})""", re.IGNORECASE)
TITLE = re.compile(r"""(\]\(\s*<?[^)\s>]{1,2000}>?)\s+(?:"[^"\n]{0,1000}"|'[^'\n]{0,1000}'|\([^)\n]{0,1000}\))(?=\s*\))""")
DEFINITION = re.compile(r"^ {0,3}(\[[^\]\n]{1,1000}\]:\s*\S{1,2000})[^\n]*$", re.MULTILINE)
NOWHERE = re.compile(r"\]:\s*(?:#|<>)$")  # what people use for comments
TAG = re.compile(
    r"<(/?(?:a|abbr|b|blockquote|br|code|dd|del|details|div|dl|dt|em|font|h[1-6]|hr|i|ins|kbd|li|ol|p|picture|pre|q|s|samp|small|source|span"
    r"|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|tt|ul|var|video))\s+[^>]{1,4000}>",
    re.IGNORECASE,
)
PICTURE = "[picture]"
ACTIVE = re.compile(r"\bgh-(?=\d)", re.IGNORECASE)  # GH-12 is a link to an issue
SAFE = re.compile(r"[^\w \t.,:;()\[\]{}'\"=+!?%&*<>$|^~-]")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader sees, the addresses of the pictures, and how much of which kind was hidden."""

    text: str
    pictures: tuple[str, ...] = ()
    removed: Mapping[str, int] = field(default_factory=dict)


def as_seen(text: str) -> Seen:
    """Take out comments, invisible characters, and words in places that are not shown: attributes, titles, texts behind pictures."""
    clean = cleaned(text)
    removed: Counter[str] = Counter(clean.removed)
    pictures: list[str] = []

    def image(match: re.Match[str]) -> str:
        pictures.append(match[1])
        return PICTURE

    def image_tag(match: re.Match[str]) -> str:
        pictures.extend(SOURCE.findall(match[0])[:1])
        return PICTURE

    def definition(match: re.Match[str]) -> str:
        removed["link titles"] += match[1] != match[0].strip()
        return "" if NOWHERE.search(match[1]) else match[1]

    def shown(prose: str) -> str:
        prose = IMAGE.sub(image, IMAGE_TAG.sub(image_tag, prose))
        prose, titles = TITLE.subn(r"\1", prose)
        prose, attributes = TAG.subn(r"<\1>", prose)
        removed.update({"link titles": titles, "attributes": attributes})
        return DEFINITION.sub(definition, prose)

    return Seen(_outside_code(clean.text, shown).strip(), tuple(pictures), {kind: count for kind, count in removed.items() if count})


def code(text: str | bytes, most: int = 400) -> str:
    """`text` on one line as a code span: nothing in it is a mention, a link, a keyword or HTML."""
    flat = " ".join(visible(text).split())
    flat = flat if len(flat) <= most else flat[: most - 3] + "..."
    marks = "`" * (max(map(len, re.findall("`+", flat)), default=0) + 1)
    return f"{marks} {flat} {marks}" if flat.startswith("`") or flat.endswith("`") else f"{marks}{flat or ' '}{marks}"


def cell(text: str | bytes, most: int = 400) -> str:
    """A code span for a cell of a table. A bar would end the cell, and an escaped one is not always one: another sign stands for it."""
    return code(text, most).replace("|", "\u00a6")


def block(text: str | bytes, language: str = "") -> str:
    """`text` as a block of code that it cannot end, without what nobody sees."""
    return fenced(visible(text), language)


def title(text: str, most: int = 100) -> str:
    """`text` for a title or a commit message, where there are no code spans: no mention, no number of an issue, no address."""
    flat = " ".join(SAFE.sub(" ", ACTIVE.sub("GH ", visible(text))).split())
    return flat if len(flat) <= most else flat[: most - 3].rstrip() + "..."


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """`text` with its prose changed and its code left alone."""
    pieces, end = [], 0
    for match in CODE_OR_COMMENT.finditer(text):
        pieces += [change(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*pieces, change(text[end:])])
