"""A document of free length: laid out whole, then given its codes like any other."""

from collections.abc import Mapping
from io import BytesIO

from docgen.fields import Rows
from docgen.library import Template
from docgen.manifest import Layout, Variant
from docgen.pagecode import Key
from docgen.rendering import flow
from docgen.rendering.compiling import from_pdf
from docgen.rendering.filling import Copy
from docgen.rendering.imposition import Imposition, SideZone, impose, zones_on_sides
from docgen.rendering.printfile import Document, Run, bind
from docgen.rendering.symbols import SymbolTable


def lay_out(
    template: Template,
    layout: Layout,
    variant: Variant,
    values: Mapping[str, str],
    rows: Mapping[str, Rows],
) -> bytes:
    """Lay a document out with its values, without codes."""
    pen = flow.TextPen(values, rows)
    return flow.written(flow.render(template, layout, variant, pen), pdf_forms=True)


def coded(
    content: bytes,
    *,
    template: Template,
    layout: Layout,
    number: bytes,
    reference: str,
    key: Key,
    symbols: SymbolTable,
) -> tuple[bytes, Imposition, list[SideZone]]:
    """Put the codes and the reference of a document on every side of a PDF laid out whole.

    Gives it with its sides, and where they are signed.
    """
    form = from_pdf(content)
    imposition = impose(form, layout, template.manifest.codes)
    run = Run(template.manifest, form, imposition, {}, key, symbols, padded=False)
    document = Document("", "", "", number, Copy("", "", {}, reference))
    stamped = BytesIO()
    bind(run, [document], stamped)
    return stamped.getvalue(), imposition, zones_on_sides(form, imposition, "")
