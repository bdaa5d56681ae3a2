"""The body of a template rewritten as a Typst document: same words, paper, columns and sizes.

Made from the same HTML and style sheets, without a hand on it, so that it follows the template.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from bench.typst_styles import Declarations, Styles, edges, length
from docgen.fields import Field, Rows
from docgen.library import Template
from docgen.manifest import Layout, Variant
from docgen.rendering import flow

SPACE = re.compile(r"[ \t\r\n]+")  # no-break spaces stay
BLOCKS = {"div", "section", "header", "p", "h1", "h2", "h3", "ul", "ol", "table"}
WRAPPERS = {"strong": "strong", "em": "emph", "sup": "super", "sub": "sub"}

PREAMBLE = """\
#let narrowing = float(sys.inputs.at("leading", default: "1"))
#let hyphenated = sys.inputs.at("hyphenate", default: "yes") == "yes"
#let slot(values, name, lines) = {
  let value = values.at(name, default: "")
  if value != "" { text(weight: 600, value) }
  else { for _ in range(lines) { box(width: 1fr, height: 0.8em, stroke: (bottom: 0.4pt)) } }
}
"""

BODY = """\
#let body-%(number)d(values) = {
  let lead = %(lead)s * narrowing
  let gap = lead - %(size)s
  set text(font: "Source Sans Pro", size: %(size)s, lang: "fr", hyphenate: hyphenated)
  set text(top-edge: 0.75em, bottom-edge: -0.25em)
  set par(leading: gap, spacing: gap)
  set block(spacing: gap)
  set list(marker: [–], body-indent: 0.5em, spacing: gap)
  set enum(body-indent: 0.5em, spacing: gap)
  set table(stroke: none)
  [%(content)s]
}
"""

MAIN = """\
#for (n, person) in json(sys.inputs.people).enumerate() {
  if n > 0 { pagebreak(weak: true) }
  counter(page).update(1)
  bodies.at(person.variant)(person.values)
}
"""


class MarkPen:
    """Draws merge fields as marked elements, which the rewriting turns into Typst calls."""

    def field(self, field: Field, lines: int) -> Markup:
        """Mark the place of a merge field."""
        return Markup('<span data-field="{}" data-lines="{}"></span>').format(field.name, lines)

    def zone(self, name: str, label: str) -> Markup:
        """Leave the zone empty: it is signed on paper."""
        return Markup("")

    def rows(self, field: Field, blank: int) -> Rows:
        """Give no row: the charter compared has no table of rows."""
        return []


def typst_document(template: Template, layout: Layout) -> str:
    """Give one Typst source that makes a document for each person of `sys.inputs.people`."""
    variants = template.manifest.variants
    bodies = [_Body(template, layout, variant) for variant in variants]
    functions = [body.function(number) for number, body in enumerate(bodies)]
    names = (f"{json.dumps(each.name)}: body-{number}" for number, each in enumerate(variants))
    table = f"#let bodies = ({', '.join(names)})"
    return "\n".join([PREAMBLE, bodies[0].paper(), *functions, table, MAIN])


class _Body:
    """One variant of a body, on its way to Typst."""

    def __init__(self, template: Template, layout: Layout, variant: Variant) -> None:
        from weasyprint import HTML

        html = flow.body_html(template, layout, variant, MarkPen())
        root = HTML(string=html).etree_element
        self.styles = Styles(template.styles(layout), root)
        self.body = root.find("body")

    def paper(self) -> str:
        """Set the paper, the running title and the number of the page."""
        margin = _sides(self.styles.page["margin"])
        running = next((title.get("data-running") for title in self.body.iter("h1")), "")
        version = self.body.get("data-version", "")
        return (
            f'#set page(paper: "{self.styles.page["size"].lower()}", margin: {margin}, '
            f"header: text(8pt)[{_string(running)}], footer: text(8pt)["
            f"{_string(f'{version} · page ')}#context counter(page).display()])\n"
        )

    def function(self, number: int) -> str:
        """Give the Typst function that sets a person's document."""
        style = self.styles.of(self.body)
        size, lead = length(style["font-size"]), length(style["line-height"])
        content = self._content(self.body)
        return BODY % {"number": number, "size": size, "lead": lead, "content": content}

    def _content(self, element: Any) -> str:  # noqa: ANN401
        """Write what an element holds: its texts and its elements, in their order."""
        return "".join(self._pieces(element))

    def _pieces(self, element: Any) -> Iterator[str]:  # noqa: ANN401
        among_blocks = any(child.tag in BLOCKS for child in element)
        yield _text(element.text, among_blocks)
        for child in element:
            if isinstance(child.tag, str):  # a comment has no name
                yield self._element(child)
            yield _text(child.tail, among_blocks)

    def _element(self, element: Any) -> str:  # noqa: ANN401
        if name := element.get("data-field"):
            return f"#slot(values, {json.dumps(name)}, {element.get('data-lines')})"
        if element.tag == "br":
            return "#linebreak()"
        style = self.styles.of(element)
        if element.tag in BLOCKS:
            return _block(style, _lettered(style, self._inside(element, style)))
        return _inline(style, _lettered(style, self._inside(element, style)))

    def _inside(self, element: Any, style: Declarations) -> str:  # noqa: ANN401
        if element.tag == "table":
            return self._table(element)
        if element.tag in {"ul", "ol"}:
            items = ", ".join(f"[{self._content(item)}]" for item in element.findall("li"))
            return f"#{'list' if element.tag == 'ul' else 'enum'}({items})"
        if "grid-template-columns" in style:
            return self._grid(element, style)
        content = self._content(element)
        return f"#{WRAPPERS[element.tag]}[{content}]" if element.tag in WRAPPERS else content

    def _grid(self, element: Any, style: Declarations) -> str:  # noqa: ANN401
        columns = ", ".join(length(width) for width in style["grid-template-columns"].split())
        row, column, _, _ = edges(style.get("gap", "0"))
        cells = ", ".join(f"[{self._element(child)}]" for child in element)
        return f"#grid(columns: ({columns}), row-gutter: {row}, column-gutter: {column}, {cells})"

    def _table(self, table: Any) -> str:  # noqa: ANN401
        widths = (self.styles.of(column).get("width", "") for column in table.iter("col"))
        columns = ", ".join(length(width) if width else "1fr" for width in widths)
        return f"#table(columns: ({columns}), {', '.join(self._cells(table))})"

    def _cells(self, table: Any) -> Iterator[str]:  # noqa: ANN401
        for group in table:
            if group.tag == "colgroup":
                continue
            yield "table.hline(stroke: 0.5pt)"
            for cell in (cell for row in group for cell in row):
                style = self.styles.of(cell)
                asked = [f"inset: {_sides(style.get('padding', '0'))}"]
                asked += (f"{n}: {cell.get(n)}" for n in ("rowspan", "colspan") if cell.get(n))
                content = _lettered(style, self._content(cell))
                yield f"table.cell({', '.join(asked)})[{content}]"
        yield "table.hline(stroke: 0.5pt)"


def _block(style: Declarations, inside: str) -> str:
    """Wrap a block in what its style asks for."""
    if "columns" in style:
        gutter = length(style.get("column-gap", "1em"))
        inside = f"#columns({style['columns']}, gutter: {gutter})[{inside}]"
    if indent := style.get("text-indent"):
        inside = f"#par(first-line-indent: (amount: {length(indent)}, all: true))[{inside}]"
    asked = ["width: 100%"]
    if "padding" in style:
        asked.append(f"inset: {_sides(style['padding'])}")
    if style.get("border", "0") != "0":
        asked.append("stroke: 0.5pt")
    if "height" in style:
        asked.append(f"height: {length(style['height'])}")
    if style.get("break-inside") == "avoid":
        asked.append("breakable: false")
    if style.get("break-after") == "avoid":
        asked.append("sticky: true")
    block = f"#block({', '.join(asked)})[{inside}]"
    above, _, below, _ = edges(style.get("margin", "0"))
    above = length(style["margin-top"]) if "margin-top" in style else above
    below = length(style["margin-bottom"]) if "margin-bottom" in style else below
    if above.startswith("-"):  # stands in the top margin, and takes no place in the text
        return f"#place(top, dy: {above})[{block}]"
    return _gap(above) + block + _gap(below) + "\n"


def _inline(style: Declarations, inside: str) -> str:
    if "flex" in style:
        return f"#box(width: {style['flex']}fr, stroke: (bottom: 0.4pt))[{inside}]"
    if style.get("display") == "block":
        return f"#linebreak(){inside}#linebreak()"
    if style.get("display") == "inline-block" and "width" in style:
        return f"#box(width: {length(style['width'])})[{inside}]"
    return inside


def _lettered(style: Declarations, inside: str) -> str:
    """Set the letters of an element: size, weight and slope."""
    asked = []
    if "font-size" in style:
        asked.append(f"size: {length(style['font-size'])}")
    if style.get("font-weight", "").isdigit():
        asked.append(f"weight: {style['font-weight']}")
    if style.get("font-style") == "italic":
        asked.append('style: "italic"')
    return f"#text({', '.join(asked)})[{inside}]" if asked else inside


def _sides(text: str) -> str:
    top, right, bottom, left = edges(text)
    return f"(top: {top}, right: {right}, bottom: {bottom}, left: {left})"


def _gap(height: str) -> str:
    return "" if height == "0pt" else f"#v({height}, weak: true)"


def _text(text: str | None, among_blocks: bool) -> str:
    """Write a text; spaces between blocks are not text."""
    text = SPACE.sub(" ", text or "")
    return "" if not text or (among_blocks and text == " ") else _string(text)


def _string(text: str | None) -> str:
    escaped = (text or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'#"{escaped}"'
