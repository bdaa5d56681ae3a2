"""WeasyPrint: each document laid out whole, as kindly as its public interface allows."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from bench import shared
from bench.clock import Clock, Sample
from docgen.fields import Field, Rows
from docgen.library import Template
from docgen.manifest import Layout
from docgen.rendering import flow
from docgen.rendering.fonts import font_css, font_file

MARK = re.compile(r"\[\[(\w+)/(\d+)\]\]")
LayOut = Callable[[str], Any]  # HTML -> weasyprint.Document, which has no types of its own


class MarkPen:
    """Draws a mark in the place of each merge field, so that Jinja reads a body only once."""

    def field(self, field: Field, lines: int) -> Markup:
        """Mark the place of a field."""
        return Markup("[[{}/{}]]").format(field.name, lines)

    def zone(self, name: str, label: str) -> Markup:
        """Leave the zone empty, as a value pen does."""
        return Markup('<span class="slot zone"></span>')

    def rows(self, field: Field, blank: int) -> Rows:
        """Give no row: the charter compared has no table of rows."""
        return []


class Writer:
    """Puts a person's values in the body of a template, read once."""

    def __init__(self, template: Template, layout: Layout) -> None:
        manifest = template.manifest
        self._fields = {field.name: field for field in manifest.fields}
        self._bodies = {
            variant.name: flow.body_html(template, layout, variant, MarkPen())
            for variant in manifest.variants
        }

    def html(self, person: shared.Values) -> str:
        """Give the HTML of a person's document; values are in the boxes that the press fills."""
        pen = flow.ValuePen(person["values"], lambda *given: (1.0, [given[-1]]))

        def drawn(mark: re.Match[str]) -> str:
            return pen.field(self._fields[mark[1]], int(mark[2]))

        return MARK.sub(drawn, self._bodies[person["variant"]])


def press(work: Path, count: int) -> Sample:
    """Lay so many documents out and write each to its file.

    Style sheets, fonts, hyphenation, the picture of the letterhead and the body's template are
    read once, before the clock, with a first document: what is left is layout and writing.
    """
    template, layout = shared.charter(work)
    writer, lay_out = Writer(template, layout), _layout_engine(template, layout)
    people = shared.people(work, count)
    lay_out(writer.html(people[0])).write_pdf()
    sides = 0
    with tempfile.TemporaryDirectory(dir=work) as folder:
        with Clock() as clock:
            for number, person in enumerate(people):
                document = lay_out(writer.html(person))
                document.write_pdf(Path(folder) / f"{number}.pdf")
                sides += len(document.pages)
        size = shared.size(Path(folder))
    return clock.sample(count, sides, size)


def _layout_engine(template: Template, layout: Layout) -> LayOut:
    """Read style sheets and fonts, and give what lays a body out with them."""
    folder = template.folder
    pinned = font_file("Regular").parent
    fetcher = flow.TemplateFetcher([*template.folders, flow.SLOTS_CSS.parent, pinned])
    fonts = FontConfiguration()
    sheets = [CSS(string=font_css(), url_fetcher=fetcher, font_config=fonts)]
    sheets += [
        CSS(filename=path, url_fetcher=fetcher, font_config=fonts)
        for path in (flow.SLOTS_CSS, *template.styles(layout))
    ]
    pictures: dict[str, Any] = {}
    base = folder.as_uri() + "/"

    def lay_out(html: str) -> Any:  # noqa: ANN401
        document = HTML(string=html, base_url=base, url_fetcher=fetcher)
        return document.render(stylesheets=sheets, font_config=fonts, cache=pictures)

    return lay_out
