"""Compiled forms kept in a folder, named by everything that decides what they look like."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import msgspec

from docgen.files import write_whole
from docgen.library import Template
from docgen.manifest import Layout
from docgen.rendering.form import Form

# Raised when the meaning of a stored form changes.
FORMAT = 1
MAKERS = ("weasyprint", "pydyf", "pypdf", "font-source-sans-pro")
DIGEST = 32  # bytes of SHA-256 after the form: a damaged file is compiled again


def load_form(template: Template, layout: Layout, folder: Path) -> Form:
    """Load a compiled form, or compile it and keep it.

    Several processes may do so at once: each writes the same bytes, whole, under the same name.

    Raises:
        LayoutOverflows, TemplateRejected: when the layout cannot be compiled.
    """
    facts = [str(FORMAT), template.checksum, layout.base, *(f"{m} {version(m)}" for m in MAKERS)]
    checksum = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    path = folder / "forms" / f"{checksum}.form"
    if path.is_file() and (form := _read(path.read_bytes())):
        return form
    from docgen.rendering.compiling import compile_form

    form = compile_form(template, template.manifest.layout(layout.base), checksum)
    body = msgspec.msgpack.encode(form)
    write_whole(path, body + hashlib.sha256(body).digest())
    return form


def _read(content: bytes) -> Form | None:
    body, digest = content[:-DIGEST], content[-DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        return None
    return msgspec.msgpack.decode(body, type=Form)
