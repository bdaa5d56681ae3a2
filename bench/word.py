"""Word conventions, ours beside plain docxtpl: the same model, values and text, in one run."""

import io
import re
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

from docxtpl import DocxTemplate
from jinja2 import Environment, StrictUndefined

from bench.clock import NotMeasured
from docgen import library
from docgen.cli import output
from docgen.rendering import office
from docgen.rendering.wordmodel import Filling, Model, Properties

TEMPLATE = "convention-pret-eleve"
DECLARED = re.compile(r"<w:t[ >][^<]*</w:t>|<w:t>[^<]*</w:t>")


@dataclass(frozen=True, slots=True)
class WordMeasure:
    """Milliseconds a document, median of the rounds; the compile once, and LibreOffice."""

    documents: int
    ours: float
    peer: float
    compile: float
    office_start: float
    office_each: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.peer / self.ours

    def as_json(self) -> dict[str, float]:
        """Give what was measured."""
        return {
            "documents": self.documents,
            "docgen_ms": round(self.ours, 3),
            "docxtpl_ms": round(self.peer, 3),
            "ratio": round(self.ratio, 1),
            "compile_ms": round(self.compile, 1),
            "office_start_s": round(self.office_start, 2),
            "office_each_s": round(self.office_each, 3),
        }


def compare(documents: int = 100, rounds: int = 3) -> WordMeasure:
    """Fill so many conventions both ways, in turn, and make .doc of ours.

    Raises:
        NotMeasured: when the texts differ: speeds would compare nothing.
    """
    template = library.load(TEMPLATE)
    path = template.folder / template.manifest.body
    began = time.perf_counter()
    model = Model(path.read_bytes(), template.manifest)
    compiled = (time.perf_counter() - began) * 1000
    wanted = [_filling(template, number) for number in range(documents)]
    few = max(3, documents // 5)
    ours, peer = [], []
    for _ in range(rounds):
        ours.append(_milliseconds(lambda index: model.fill(wanted[index]), documents))
        peer.append(_milliseconds(lambda index: _docxtpl(path, wanted[index]), few))
    if _texts(model.fill(wanted[0])) != _texts(_docxtpl(path, wanted[0])):
        raise NotMeasured("The texts of docgen and docxtpl differ: nothing can be compared.")
    start, each = _office([model.fill(one) for one in wanted])
    return WordMeasure(documents, median(ours), median(peer), compiled, start, each)


def say(measure: WordMeasure) -> None:
    """Print what was measured."""
    output.say()
    output.say(f"Word conventions ({TEMPLATE}), same model, values and text")
    rows = [
        ("docgen, model compiled once", f"{measure.ours:.2f}", f"{1000 / measure.ours:,.0f}"),
        ("docxtpl, document by document", f"{measure.peer:.2f}", f"{1000 / measure.peer:,.0f}"),
    ]
    output.table(("Way", "ms a document", "documents/s"), rows)
    output.say(
        f"{measure.ratio:.0f} times as fast; compiling the model takes {measure.compile:.0f} ms. "
        f"LibreOffice to .doc: {measure.office_start:.1f} s for one, then "
        f"{measure.office_each:.3f} s a document for {measure.documents}."
    )


def _filling(template: library.Template, number: int) -> Filling:
    values = {field.name: field.sample for field in template.manifest.fields}
    values["eleve_nom"] = f"Dupont & Fils <{number}>"
    properties = Properties(title=template.manifest.title, author="", on=date(2026, 9, 1))
    return Filling(name=f"PE-{number}", values=values, variant="mineur", properties=properties)


def _docxtpl(path: Path, filling: Filling) -> bytes:
    document = DocxTemplate(path)
    values = {**filling.values, "mineur": True, "majeur": False}
    document.render(values, Environment(autoescape=True, undefined=StrictUndefined))
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _texts(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = ("word/document.xml", "word/header1.xml", "word/footer1.xml")
        return [
            re.sub("<[^>]*>", "", text)
            for part in parts
            for text in DECLARED.findall(archive.read(part).decode())
        ]


def _milliseconds(make: Callable[[int], bytes], count: int) -> float:
    began = time.perf_counter()
    for index in range(count):
        make(index)
    return (time.perf_counter() - began) * 1000 / count


def _office(documents: list[bytes]) -> tuple[float, float]:
    """Give the seconds for one document, and those each of many takes beyond a start."""
    with tempfile.TemporaryDirectory(prefix="docgen-bench-") as name:
        folder = Path(name)
        files = []
        for number, content in enumerate(documents):
            files.append(folder / f"PE-{number}.docx")
            files[-1].write_bytes(content)
        began = time.perf_counter()
        office.convert(files[:1], "doc", folder)
        start = time.perf_counter() - began
        (folder / "all").mkdir()
        began = time.perf_counter()
        office.convert(files, "doc", folder / "all")
        return start, max(0.0, time.perf_counter() - began - start) / len(files)


if __name__ == "__main__":
    say(compare())
