"""Typst: one compile for all the documents of a job."""

import json
import shutil
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from bench import shared
from bench.clock import Clock, NotMeasured, Sample
from docgen.library import Template
from docgen.manifest import Layout
from docgen.rendering.fonts import FACES, font_file

SOURCE, FONTS, INPUTS, ONE = "charter.typ", "fonts", "typst.json", "one.json"
NARROWEST = 90  # hundredths of the leading: further, it is no longer the same page
GET_IT = "typst is not installed: « make setup » brings it, a dependency of developers"


def make(work: Path, template: Template, layout: Layout) -> dict[str, Any]:
    """Write the source, and bring it to the promised pages by its leading, as little as it takes.

    Typst breaks lines and columns by its own rules: at the same leading it may need more pages.
    """
    from bench.typst_text import typst_document

    (work / FONTS).mkdir(exist_ok=True)
    for face in FACES:
        shutil.copy(font_file(face), work / FONTS)
    (work / SOURCE).write_text(typst_document(template, layout), encoding="utf-8")
    values = {field.name: field.sample for field in template.manifest.fields}
    pages: list[int] = []
    for hundredths in range(100, NARROWEST - 1, -1):
        inputs = {"people": ONE, "leading": str(hundredths / 100)}
        pages.clear()
        for variant in template.manifest.variants:
            shared.keep(work, [{"variant": variant.name, "values": values}], ONE)
            pages.append(_pages(compiled(work, inputs)))
        if max(pages) <= layout.pages:
            break
    (work / INPUTS).write_text(json.dumps(inputs), encoding="utf-8")
    return {"leading": inputs["leading"], "pages": pages}


def press(work: Path, count: int) -> Sample:
    """Compile so many documents at once; fonts are read, and one document made, beforehand."""
    try:
        compiler = _compiler(work)
    except ImportError as error:
        raise NotMeasured(GET_IT) from error
    inputs = json.loads((work / INPUTS).read_text(encoding="utf-8"))
    shared.keep(work, shared.people(work, 1), ONE)
    compiler.compile(sys_inputs={**inputs, "people": ONE}, pdf_tags=False)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        path = Path(folder) / "all.pdf"
        shared.keep(work, shared.people(work, count), f"{count}.json")
        inputs["people"] = f"{count}.json"
        with Clock() as clock:
            compiler.compile(output=str(path), sys_inputs=inputs, pdf_tags=False)
        content = path.read_bytes()
    return clock.sample(count, _pages(content), len(content))


def compiled(work: Path, inputs: dict[str, str]) -> bytes:
    """Compile the source of a work folder."""
    content = _compiler(work).compile(sys_inputs=inputs, pdf_tags=False)
    if not isinstance(content, bytes):
        raise NotMeasured("typst gave no PDF.")
    return content


def _compiler(work: Path) -> Any:  # noqa: ANN401
    import typst

    return typst.Compiler(
        str(work / SOURCE),
        root=str(work),
        font_paths=[str(work / FONTS)],
        ignore_system_fonts=True,
    )


def _pages(content: bytes) -> int:
    from pypdf import PdfReader

    return len(PdfReader(BytesIO(content)).pages)
