"""The text of a Word document that is seen on paper: what is « masqué » in Word is not.

A run is hidden by itself, by its style of characters, by that of its paragraph or of a table
around it, or by the defaults of the document. Where two styles disagree, readers do too: one that
hides is enough, unless the run itself says that it is shown.
"""

from collections.abc import Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from docgen.rendering.wordparts import filled_parts, main_part, related

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
OFF = ("0", "false", "off")
Node: TypeAlias = Element


def seen_text(contents: Mapping[str, bytes]) -> str:
    """Give the text of a document and of its headers, footers and notes, hidden text left out."""
    styles = _Styles(contents)
    return "\n".join(_seen(fromstring(contents[name]), styles) for name in filled_parts(contents))


class _Styles:
    """What the styles of a document say of hiding."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self.known: dict[str, Node] = {}
        self.usual: dict[str, str] = {}  # the style of a kind that is not told
        self.told: dict[tuple[str, str], bool] = {}
        self.hides_all = False
        for name in related(contents, main_part(contents), "styles"):
            root = fromstring(contents[name])
            self.hides_all = _says(root, f"{W}docDefaults/{W}rPrDefault/{W}rPr") or self.hides_all
            for style in root.iter(W + "style"):
                key = style.get(W + "styleId", "")
                self.known[key] = style
                if style.get(W + "default", "0") not in OFF:
                    self.usual[style.get(W + "type", "")] = key

    def hide(self, kind: str, key: str) -> bool:
        """Tell whether a style, or the one that it builds on, hides its text."""
        if (kind, key) not in self.told:
            self.told[kind, key] = self._hide(kind, key)
        return self.told[kind, key]

    def _hide(self, kind: str, key: str) -> bool:
        met: set[str] = set()
        key = key or self.usual.get(kind, "")
        while key in self.known and key not in met:
            met.add(key)
            style = self.known[key]
            told = _says(style, W + "rPr")
            if told is not None:
                return told
            # A table may hide some of its cells only: which, its readers do not agree on.
            if any(_says(part, W + "rPr") for part in style.iter(W + "tblStylePr")):
                return True
            key = _value(style, W + "basedOn")
        return False


def _seen(root: Node, styles: _Styles) -> str:
    """Walk a part without recursion: it may be a stranger's."""
    texts: list[str] = []
    waiting = [(root, styles.hides_all, False)]
    while waiting:
        element, around, hidden = waiting.pop()
        if element.tag == W + "tbl":
            around = around or styles.hide("table", _value(element, f"{W}tblPr/{W}tblStyle"))
        elif element.tag == W + "p":
            style = _value(element, f"{W}pPr/{W}pStyle")
            hidden = around or styles.hide("paragraph", style)
            texts.append("\n")
        elif element.tag == W + "r":
            told = _says(element, W + "rPr")
            style = _value(element, f"{W}rPr/{W}rStyle")
            hidden = (hidden or styles.hide("character", style)) if told is None else told
        elif element.tag == W + "t" and not hidden:
            texts.append(element.text or "")
        waiting += [(child, around, hidden) for child in reversed(element)]
    return "".join(texts)


def _says(element: Node, properties: str) -> bool | None:
    """Tell what properties say of hiding; None when they say nothing."""
    found = element.find(f"{properties}/{W}vanish")
    return None if found is None else found.get(W + "val", "1").lower() not in OFF


def _value(element: Node, path: str) -> str:
    found = element.find(path)
    return "" if found is None else found.get(W + "val", "")
