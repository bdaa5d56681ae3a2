"""The shelf of templates: find them, load one, know when one has changed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from docgen.errors import Problem, TemplateRejected
from docgen.manifest import Layout, Manifest, read_manifest

SHELF = Path(__file__).resolve().parent.parent / "templates"


@dataclass(frozen=True)
class Template:
    """A template folder, read and checked."""

    folder: Path
    manifest: Manifest

    def text(self, name: str) -> str:
        """Read one of the template's text files."""
        return (self.folder / name).read_text(encoding="utf-8")

    def styles(self, layout: Layout) -> list[Path]:
        """List the style sheets of a layout, the shared ones first."""
        base = self.manifest.layout(layout.base)
        return [self.folder / name for name in (*self.manifest.styles, *base.styles)]

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of everything that decides how the template looks."""
        digest = hashlib.sha256()
        for path in sorted(self._files()):
            content = path.read_bytes()
            name = path.relative_to(self.folder.resolve().parent).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def _files(self) -> Iterator[Path]:
        """Give the template's files, pictures and all, and those it shares with its kind."""
        manifest = self.manifest
        styles = (*manifest.styles, *(style for each in manifest.layouts for style in each.styles))
        named = ((self.folder / name).resolve() for name in styles)
        shared = self.folder.parent.glob("_*/**/*")
        for path in {path.resolve() for path in (*self.folder.rglob("*"), *shared, *named)}:
            if path.is_file() and path.name != "sample.toml":
                yield path


def slugs(shelf: Path = SHELF) -> list[str]:
    """List the templates of a shelf by name."""
    return sorted(path.parent.name for path in shelf.glob("*/*/manifest.toml"))


def load(slug: str, shelf: Path = SHELF) -> Template:
    """Load one template.

    Raises:
        TemplateRejected: when there is none of that name, or when it does not hold together.
    """
    # Matched among names found, never joined to a path: a slug cannot walk out of the shelf.
    found = [path for path in shelf.glob("*/*/manifest.toml") if path.parent.name == slug]
    if len(found) == 1:
        return Template(found[0].parent, read_manifest(found[0]))
    if found:
        places = ", ".join(sorted(path.parent.parent.name for path in found))
        raise TemplateRejected(
            Problem(f"deux modèles s’appellent « {slug} ».", places, "Renommez l’un d’eux.")
        )
    known = ", ".join(slugs(shelf)) or "aucun"
    raise TemplateRejected(
        Problem(f"le modèle « {slug} » n’existe pas.", str(shelf.name), f"Modèles : {known}.")
    )


def load_all(shelf: Path = SHELF) -> Iterator[Template]:
    """Load every template of a shelf."""
    return (load(slug, shelf) for slug in slugs(shelf))
