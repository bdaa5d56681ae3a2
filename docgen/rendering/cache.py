"""Compiled forms kept in a folder, named by everything that decides what they look like."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import msgspec

from docgen.errors import Problem, Unavailable, reason
from docgen.files import keep, kept
from docgen.library import Template
from docgen.manifest import Layout
from docgen.rendering.form import Form

MAKERS = ("weasyprint", "pydyf", "pypdf", "font-source-sans-pro")
OURS = ("compiling.py", "flow.py", "fonts.py", "form.py", "slots.css")
HERE = Path(__file__).parent


def load_form(template: Template, layout: Layout, folder: Path) -> Form:
    """Load a compiled form, or compile it and keep it.

    Several processes may do so at once: each writes the same bytes, whole, under the same name.

    Raises:
        LayoutOverflows, TemplateRejected: when the layout cannot be compiled.
        Unavailable: when the folder cannot be written.
    """
    facts = f"{template.checksum}\n{layout.base}\n{_makers()}"
    checksum = hashlib.sha256(facts.encode()).hexdigest()
    path = folder / "forms" / f"{checksum}.form"
    if content := kept(path):
        return msgspec.msgpack.decode(content, type=Form)
    from docgen.rendering.compiling import compile_form

    form = compile_form(template, template.manifest.layout(layout.base), checksum)
    try:
        keep(path, msgspec.msgpack.encode(form))
    except OSError as error:
        what = f"le dossier de données ne peut pas être écrit ({reason(error)})."
        raise Unavailable(Problem(what, folder.name, "Indiquez un autre DOCGEN_DATA.")) from error
    return form


def _makers() -> str:
    """Tell all that turns a template into a form: packages by version, our code by digest."""
    ours = (hashlib.sha256((HERE / name).read_bytes()).hexdigest() for name in OURS)
    return "\n".join((*(f"{name} {version(name)}" for name in MAKERS), *ours))
