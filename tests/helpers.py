"""What several tests need: small templates, orders of them, and other programs' eyes on a PDF."""

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp

from docgen import library
from docgen.datafolder import data_folder
from docgen.errors import DocgenError, Problem
from docgen.library import Template
from docgen.pagecode import Key, PageCode, parse
from docgen.press import Job, Order, prepare
from docgen.records import Guardian, Person, Roster
from docgen.rendering import pictures
from docgen.rendering.printfile import Document, Volume, bind
from samples.people import school

SHELF = Path(__file__).parent / "templates"
KEY = Key(3, b"a key of the tests, never printed")
ON = date(2026, 9, 14)
PERSON = Person(
    "E1", "ESSAI", "Zoé", "", date(2010, 3, 1), "2DE 1", guardians=(Guardian("ESSAI", "Odile"),)
)


@cache
def small_charter() -> Template:
    """Give the small template of the tests: three pages, minors and adults."""
    return library.load("petite-charte", SHELF)


def edited(
    folder: Path, edits: Mapping[str, Iterable[tuple[str, str]]], slug: str = "petite-charte"
) -> Template:
    """Copy a template of the tests, with some texts of its files replaced, and load it."""
    (original,) = SHELF.glob(f"*/{slug}")
    copied = folder / "shelf" / original.relative_to(SHELF)
    shutil.copytree(original, copied, dirs_exist_ok=True)
    for name, changes in edits.items():
        text = (copied / name).read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{name} does not hold {old!r}"
            text = text.replace(old, new, 1)
        (copied / name).write_text(text, encoding="utf-8")
    return library.load(slug, folder / "shelf")


def with_body(folder: Path, inner: str, slug: str = "avis") -> Template:
    """Give a template of the tests, of one page by default, with more at the top of its body."""
    return edited(folder, {"body.html": [("<section>", f"<section>{inner}")]}, slug)


def people(count: int, **changes: Any) -> list[Person]:  # noqa: ANN401
    """Give so many people of one class, told apart by id and name."""
    return [
        replace(PERSON, id=f"E{n:04}", family_name=f"ESSAI {_letters(n)}", **changes)
        for n in range(count)
    ]


def _letters(number: int) -> str:
    return "".join(chr(65 + number // 26**power % 26) for power in (2, 1, 0))


def order(persons: Iterable[Person], layout: str = "entier", **options: Any) -> Order:  # noqa: ANN401
    """Order the small template for people."""
    template = options.pop("template", None) or small_charter()
    roster = options.pop("roster", None) or Roster(tuple(persons))
    place = options.pop("school", None) or school()
    on = options.pop("on", ON)
    return Order(template, template.manifest.layout(layout), place, roster, on, **options)


def job(persons: Iterable[Person], layout: str = "entier", **options: Any) -> Job:  # noqa: ANN401
    """Make an order of the small template ready; its form is compiled once for all tests."""
    return prepare(order(persons, layout, **options), KEY, data_folder() / "cache")


def bound(made: Job, documents: Iterable[Document] | None = None) -> tuple[bytes, Volume]:
    """Bind the documents of a job in one volume."""
    content = BytesIO()
    chosen = list(made.documents() if documents is None else documents)
    volume = bind(made.run, chosen, content)
    return content.getvalue(), volume


def refusal(call: Callable[[], object], kind: type[DocgenError]) -> tuple[Problem, ...]:
    """Give the problems of the error that a call must raise, of that very class."""
    with pytest.raises(kind) as caught:
        call()
    assert type(caught.value) is kind
    return caught.value.problems


def poppler(tool: str, content: bytes, *options: str) -> str:
    """Read a PDF with a program of poppler."""
    command = [tool, *options, "-"] + (["-"] if tool == "pdftotext" else [])
    done = subprocess.run(command, input=content, check=True, capture_output=True)
    assert done.stderr == b""
    return done.stdout.decode()


def text_of(content: bytes, page: int) -> str:
    """Give the text of one page, counted from 1, as a reader copies it."""
    return poppler("pdftotext", content, "-layout", "-f", str(page), "-l", str(page))


def qpdf_check(content: bytes, folder: Path) -> None:
    """Have qpdf go through a file: its syntax, its tables, its streams."""
    program = shutil.which("qpdf")
    assert program, "qpdf is not installed: the shape of PDF files cannot be checked"
    path = folder / "checked.pdf"
    path.write_bytes(content)
    done = subprocess.run([program, "--check", path], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stderr


def codes_of(picture: pictures.Grey, key: Key = KEY) -> set[PageCode]:
    """Read and authenticate the codes of a picture."""
    found = zxingcpp.read_barcodes(
        np.ascontiguousarray(picture), formats=zxingcpp.BarcodeFormat.QRCodeModel2
    )
    return {parse(each.text, {key.number: key}) for each in found}
