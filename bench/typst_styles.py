"""The style sheets of a layout, asked element by element: what Typst is to be told of them."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cssselect2  # type: ignore[import-untyped]
import tinycss2  # type: ignore[import-untyped]

Declarations = dict[str, str]
VARIABLE = re.compile(r"var\((--[\w-]+)\)")
LENGTH = re.compile(r"(-?[\d.]+)(mm|pt|em|lh|%)")


class Styles:
    """Tells which declarations hold for an element; variables are those of the body."""

    def __init__(self, paths: Iterable[Path], root: Any) -> None:  # noqa: ANN401
        self._matcher = cssselect2.Matcher()
        self._page: Declarations = {}
        for path in paths:
            text = path.read_text(encoding="utf-8")
            for rule in tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True):
                self._learn(rule)
        wrapped = cssselect2.ElementWrapper.from_html_root(root).iter_subtree()
        self._wrapped = {element.etree_element: element for element in wrapped}
        self._variables: Declarations = {}
        self._variables = self.of(root.find("body"))

    @property
    def page(self) -> Declarations:
        """Give the declarations of the paper: its size and its margins."""
        return self._page

    def of(self, element: Any) -> Declarations:  # noqa: ANN401
        """Give the declarations of an element; the weightiest has the last word."""
        found: Declarations = {}
        for _, _, _, declarations in sorted(
            self._matcher.match(self._wrapped[element]), key=lambda match: match[:2]
        ):
            found |= declarations
        return {
            name: VARIABLE.sub(lambda use: self._variables.get(use[1], use[0]), value)
            for name, value in found.items()
        }

    def _learn(self, rule: Any) -> None:  # noqa: ANN401
        if rule.type == "at-rule" and rule.at_keyword == "page":
            if not tinycss2.serialize(rule.prelude).strip():
                self._page |= _declared(rule.content)
        elif rule.type == "qualified-rule":
            declarations = _declared(rule.content)
            for selector in cssselect2.compile_selector_list(rule.prelude):
                if selector.pseudo_element is None:
                    self._matcher.add_selector(selector, declarations)


def length(text: str) -> str:
    """Write a CSS length for Typst: `lh` is a line, what is no length is nought."""
    found = LENGTH.fullmatch(text.strip())
    if found is None:
        return "0pt"
    number, unit = found.groups()
    return f"{number} * lead" if unit == "lh" else number + unit


def edges(text: str) -> tuple[str, str, str, str]:
    """Read the one to four lengths of a margin or a padding: top, right, bottom, left."""
    parts = [length(part) for part in text.split()] or ["0pt"]
    top = parts[0]
    right = parts[1] if len(parts) > 1 else top
    return top, right, parts[2] if len(parts) > 2 else top, parts[3] if len(parts) > 3 else right


def _declared(content: Any) -> Declarations:  # noqa: ANN401
    parsed = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    return {
        each.lower_name: tinycss2.serialize(each.value).strip()
        for each in parsed
        if each.type == "declaration"
    }
