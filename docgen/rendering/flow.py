"""A template laid out whole by Jinja and WeasyPrint.

One body serves three readings, told apart by the pen that draws a merge field:

- `CompilePen`: an empty form field, whose place the press reads;
- `BlankPen`: a labelled form field over a line to write on, for the accessible fillable form;
- `ValuePen`: the value itself, in a box of the same size.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from docgen.errors import Problem, TemplateRejected
from docgen.fields import Field, Rows
from docgen.library import Template
from docgen.manifest import Layout, Variant
from docgen.rendering.fillable import join_namesakes
from docgen.rendering.fonts import font_css, font_file
from docgen.typography import french

SLOTS_CSS = Path(__file__).with_name("slots.css")
# field, which of its slots, value -> share of the slot's size, lines
Fit = Callable[[str, int, str], tuple[float, list[str]]]


class Pen(Protocol):
    """Draws merge fields and signature zones into the HTML of a body."""

    def field(self, field: Field, lines: int) -> Markup:
        """Draw one merge field on so many lines."""

    def zone(self, name: str, label: str) -> Markup:
        """Draw the zone that somebody signs."""

    def rows(self, field: Field, blank: int) -> Rows:
        """Give the rows of a table, or so many blank ones."""


class CompilePen:
    """Draws empty form fields: their rectangles are all that the press needs."""

    def field(self, field: Field, lines: int) -> Markup:
        """Draw a form field that carries its name and its number of lines."""
        return Markup('<input class="slot" style="height:{}lh" name="{}/{}">').format(
            lines, field.name, lines
        )

    def zone(self, name: str, label: str) -> Markup:
        """Draw a form field that fills the zone."""
        return _zone(name, label)

    def rows(self, field: Field, blank: int) -> Rows:
        """Give so many blank rows."""
        return _blank_rows(field, blank)


class TextPen:
    """Writes values as running text: nothing is promised of their place (engine `flow`)."""

    def __init__(self, values: Mapping[str, str], rows: Mapping[str, Rows]) -> None:
        self.values = values
        self._rows = rows

    def field(self, field: Field, lines: int) -> Markup:
        """Write a value, or a line to write on when there is none."""
        if value := self.values.get(field.name, ""):
            return Markup('<span class="value">{}</span>').format(value)
        return Markup('<span class="slot" style="height:{}lh">{}</span>').format(
            lines, _lines_to_write_on(lines)
        )

    def zone(self, name: str, label: str) -> Markup:
        """Draw a form field that fills the zone: it shows nothing, and tells where it is."""
        return _zone(name, label)

    def rows(self, field: Field, blank: int) -> Rows:
        """Give the rows, or so many blank ones when there are none."""
        return self._rows.get(field.name) or _blank_rows(field, blank)


class BlankPen:
    """Draws labelled form fields, for a form to be filled by hand or on screen."""

    def field(self, field: Field, lines: int) -> Markup:
        """Draw a form field over a line; its label is read aloud (PDF/UA)."""
        return _blank(field, lines, field.name, field.label)

    def zone(self, name: str, label: str) -> Markup:
        """Leave the zone empty: it is signed on paper."""
        return Markup('<span class="slot zone"></span>')

    def rows(self, field: Field, blank: int) -> Rows:
        """Give so many rows whose cells are form fields, told apart by their row."""
        return [
            {
                column.name: _blank(
                    column,
                    1,
                    f"{field.name}-{number}-{column.name}",
                    f"{field.label}, ligne {number} : {column.label}",
                )
                for column in field.columns
            }
            for number in range(1, blank + 1)
        ]


class ValuePen:
    """Draws the values themselves, fitted as the press fits them."""

    def __init__(self, values: Mapping[str, str], fit: Fit) -> None:
        self.values = values
        self.fit = fit
        self._drawn: Counter[str] = Counter()

    def field(self, field: Field, lines: int) -> Markup:
        """Draw a value, or a line to write on when there is none."""
        value = self.values.get(field.name, "")
        occurrence = self._drawn[field.name]
        self._drawn[field.name] += 1
        if not value:
            return Markup('<span class="slot" style="height:{}lh">{}</span>').format(
                lines, _lines_to_write_on(lines)
            )
        share, pieces = self.fit(field.name, occurrence, value)
        text = Markup("<br>").join(escape(piece) for piece in pieces)
        return Markup(
            '<span class="slot" style="height:{}lh">'
            '<span style="font-size:{:.5f}em;line-height:0">{}</span></span>'
        ).format(lines, share, text)

    def zone(self, name: str, label: str) -> Markup:
        """Leave the zone empty: it is signed on paper."""
        return Markup('<span class="slot zone"></span>')

    def rows(self, field: Field, blank: int) -> Rows:
        """Give so many blank rows."""
        return _blank_rows(field, blank)


def _zone(name: str, label: str) -> Markup:
    return Markup('<input class="slot zone" name="signature:{}/1" title="{}">').format(name, label)


def _blank(field: Field, lines: int, name: str, label: str) -> Markup:
    """Draw a form field: a box to tick, a line, or several."""
    if field.type == "tick":
        return Markup('<input type="checkbox" class="slot blank" name="{}" title="{}">').format(
            name, label
        )
    tag = Markup(
        '<textarea class="slot blank" style="height:{}lh" name="{}" title="{}"></textarea>'
    )
    if lines == 1:
        tag = Markup('<input class="slot blank" style="height:{}lh" name="{}" title="{}">')
    return tag.format(lines, name, label)


def _blank_rows(field: Field, count: int) -> Rows:
    return [dict.fromkeys((column.name for column in field.columns), "") for _ in range(count)]


def _lines_to_write_on(lines: int) -> Markup:
    """Draw a line at the foot of every other line, from the last: a hand writes larger."""
    kinds = ("slot-space" if (lines - line) % 2 == 0 else "slot-line" for line in range(lines))
    return Markup().join(Markup('<span class="{}"></span>').format(kind) for kind in kinds)


def body_html(template: Template, layout: Layout, variant: Variant, pen: Pen) -> str:
    """Give the HTML of a body, its merge fields drawn by a pen.

    Raises:
        TemplateRejected: for an unknown field or zone, or a fault in the body.
    """
    manifest = template.manifest
    fields = {field.name: field for field in manifest.fields}
    zones = {zone.name: zone for zone in manifest.signatures}

    def field(name: str, lines: int = 1) -> Markup:
        if not isinstance(lines, int) or lines < 1:
            raise TemplateRejected(Problem(f"champ « {name} » : {lines!r} lignes.", manifest.slug))
        return pen.field(_known(name, fields, "champ", manifest.slug), lines)

    def signature(name: str) -> Markup:
        zone = _known(name, zones, "zone de signature", manifest.slug)
        return pen.zone(zone.name, zone.label)

    def rows(name: str, blank: int = 0) -> Rows:
        return pen.rows(_known(name, fields, "champ", manifest.slug), blank)

    environment = ImmutableSandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, loader=FunctionLoader(template.included)
    )
    environment.filters["typo"] = french
    facts = {"variant": variant.name, "layout": layout.base}
    try:
        body = environment.from_string(template.text(manifest.body))
        return body.render(
            facts,
            field=field,
            signature=signature,
            rows=rows,
            title=manifest.title,
            version=manifest.version,
        )
    except TemplateRejected:
        raise
    except Exception as error:  # a body may divide by zero as well as name what does not exist
        where = f"{manifest.slug}/{manifest.body}"
        raise TemplateRejected(Problem(f"corps du modèle fautif ({error}).", where)) from error


def document(html: str, styles: Iterable[Path], roots: Iterable[Path]) -> Any:  # noqa: ANN401
    """Lay HTML out with the pinned fonts; only files under `roots` may be read.

    Returns a `weasyprint.Document`, which has no types of its own.

    Raises:
        TemplateRejected: when the body asks for a file or an address that it may not read.
    """
    roots = list(roots)
    fetcher = TemplateFetcher([*roots, SLOTS_CSS.parent, font_file("Regular").parent])
    fonts = FontConfiguration()
    try:
        sheets = [CSS(string=font_css(), url_fetcher=fetcher, font_config=fonts)]
        for path in (SLOTS_CSS, *styles):
            sheets.append(CSS(filename=path, url_fetcher=fetcher, font_config=fonts))
        html_object = HTML(string=html, base_url=roots[0].as_uri() + "/", url_fetcher=fetcher)
        return html_object.render(stylesheets=sheets, font_config=fonts, pdf_forms=True)
    except FatalURLFetchingError as error:
        raise _forbidden(error) from error


def render(template: Template, layout: Layout, variant: Variant, pen: Pen) -> Any:  # noqa: ANN401
    """Lay a template out with a pen; gives a `weasyprint.Document`."""
    html = body_html(template, layout, variant, pen)
    return document(html, template.styles(layout), template.folders)


def blank(template: Template, layout: Layout, variant: Variant) -> bytes:
    """Give the empty form: tagged, labelled, fillable (PDF/UA-1, ISO 14289-1)."""
    laid_out = render(template, layout, variant, BlankPen())
    return join_namesakes(written(laid_out, pdf_variant="pdf/ua-1", pdf_forms=True))


def written(laid_out: Any, **options: Any) -> bytes:  # noqa: ANN401
    """Write a `weasyprint.Document` as PDF.

    Raises:
        TemplateRejected: when it attaches a file that it may not read.
    """
    try:
        return bytes(laid_out.write_pdf(**options))
    except FatalURLFetchingError as error:
        raise _forbidden(error) from error


def _forbidden(error: BaseException) -> TemplateRejected:
    return TemplateRejected(f"Le modèle appelle une ressource interdite ou absente ({error}).")


def _known(name: str, known: Mapping[str, Any], what: str, slug: str) -> Any:  # noqa: ANN401
    if name not in known:
        remedy = f"Connus : {', '.join(known)}."
        raise TemplateRejected(Problem(f"{what} « {name} » inconnu.", slug, remedy))
    return known[name]


class TemplateFetcher(URLFetcher):  # type: ignore[misc]
    """Reads files of the template and of the fonts, and nothing else."""

    def __init__(self, roots: Iterable[Path]) -> None:
        super().__init__(
            allowed_protocols={"file", "data"}, allow_redirects=False, fail_on_errors=True
        )
        self._roots = [root.resolve() for root in roots]

    def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
        """Fetch a file under the allowed folders, or data written in the page itself."""
        if url.lower().startswith("file:"):
            path = Path(url2pathname(urlsplit(url).path)).resolve()
            if not any(path.is_relative_to(root) for root in self._roots):
                raise ValueError(f"fichier hors du modèle : {path.name}")
        return super().fetch(url, headers)
