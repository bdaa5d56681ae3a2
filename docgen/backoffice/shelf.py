"""Templates as they were when something was printed from them, whatever the shelf holds now."""

import fcntl
import io
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    facts = (row.checksum, row.slug, bytes(row.archive))
    found = _unpacked(*facts)
    if not found.folder.is_dir():  # somebody emptied the cache since
        _unpacked.cache_clear()
        found = _unpacked(*facts)
    return found


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
    with _alone(root.parent):
        found = _intact(root, slug, checksum)
        if found is None:  # never unpacked, or half of it, or harmed since
            shutil.rmtree(root, ignore_errors=True)
            with zipfile.ZipFile(io.BytesIO(archive)) as kept:
                kept.extractall(root)
            found = _intact(root, slug, checksum)
    if found is None:
        what = "la copie de ce modèle n’est plus celle qui a servi à imprimer."
        raise TemplateRejected(Problem(what, slug, "Rendez sa sauvegarde à la base de données."))
    return found


def _intact(root: Path, slug: str, checksum: str) -> Template | None:
    for path in root.glob(f"*/{slug}/manifest.toml"):
        try:
            template = Template(path.parent, read_manifest(path))
        except TemplateRejected:
            return None
        return template if template.checksum == checksum else None
    return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from unpacking meanwhile: what they write would be read half."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
