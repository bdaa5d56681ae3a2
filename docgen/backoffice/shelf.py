"""Templates as they were when something was printed from them, whatever the shelf holds now."""

import io
import os
import zipfile
from functools import lru_cache
from pathlib import Path

import msgspec

from docgen.backoffice.models import CompiledForm, TemplateVersion
from docgen.datafolder import data_folder
from docgen.errors import Problem, TemplateRejected
from docgen.library import Template
from docgen.manifest import Layout, read_manifest
from docgen.rendering.cache import load_form
from docgen.rendering.form import Form

EPOCH = (1980, 1, 1, 0, 0, 0)


def remembered(template: Template) -> TemplateVersion:
    """Give the row of a template as it is now, with a copy of its folder."""
    manifest = template.manifest
    row, _ = TemplateVersion.objects.get_or_create(
        checksum=template.checksum,
        defaults={
            "slug": manifest.slug,
            "version": manifest.version,
            "archive": _archive(template),
        },
    )
    return row


def template(row: TemplateVersion) -> Template:
    """Give a template as it was, its folder unpacked once on this machine.

    Raises:
        TemplateRejected: when what was kept is not what was printed from.
    """
    return _unpacked(row.checksum, row.slug, bytes(row.archive))


def form(row: TemplateVersion, layout: Layout) -> Form:
    """Give the compiled layout of a template as first compiled; it is compiled if it never was.

    Raises:
        LayoutOverflows, TemplateRejected: when it cannot be compiled.
    """
    kept = CompiledForm.objects.filter(template=row, base=layout.base).first()
    if kept is None:
        made = load_form(template(row), layout, data_folder() / "cache")
        kept, _ = CompiledForm.objects.get_or_create(
            template=row, base=layout.base, defaults={"form": msgspec.msgpack.encode(made)}
        )
    return msgspec.msgpack.decode(bytes(kept.form), type=Form)


def _archive(template: Template) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(template.files.items()):
            # From the shelf: conventions/convention-pret-eleve/manifest.toml
            place = os.path.normpath(Path(template.folder.parent.name, template.folder.name, name))
            archive.writestr(zipfile.ZipInfo(place, EPOCH), path.read_bytes())
    return content.getvalue()


@lru_cache(maxsize=32)
def _unpacked(checksum: str, slug: str, archive: bytes) -> Template:
    root = data_folder() / "cache" / "templates" / checksum
    with zipfile.ZipFile(io.BytesIO(archive)) as kept:
        for name in kept.namelist():
            path = root / name
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, kept.read(name))
    (found,) = (path for path in root.glob("*/*/manifest.toml") if path.parent.name == slug)
    template = Template(found.parent, read_manifest(found))
    if template.checksum != checksum:
        what = "la copie de ce modèle n’est plus celle qui a servi à imprimer."
        raise TemplateRejected(Problem(what, slug, "Effacez le dossier cache/templates."))
    return template


def _write(path: Path, content: bytes) -> None:
    from docgen.files import write_whole

    write_whole(path, content)
