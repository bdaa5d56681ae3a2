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
        manifest = self.manifest
        names = ["manifest.toml", manifest.body, *manifest.styles]
        names += [style for layout in manifest.layouts for style in layout.styles]
        for name in names:
            content = (self.folder / name).read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()


def slugs(shelf: Path = SHELF) -> list[str]:
    """List the templates of a shelf by name."""
    return sorted(path.parent.name for path in shelf.glob("*/*/manifest.toml"))


def load(slug: str, shelf: Path = SHELF) -> Template:
    """Load one template.

    Raises:
        TemplateRejected: when there is none of that name, or when it does not hold together.
    """
    # Matched among names found, never joined to a path: a slug cannot walk out of the shelf.
    for path in shelf.glob("*/*/manifest.toml"):
        if path.parent.name == slug:
            return Template(path.parent, read_manifest(path))
    known = ", ".join(slugs(shelf)) or "aucun"
    raise TemplateRejected(
        Problem(f"le modèle « {slug} » n’existe pas.", str(shelf.name), f"Modèles : {known}.")
    )


def load_all(shelf: Path = SHELF) -> Iterator[Template]:
    """Load every template of a shelf."""
    return (load(slug, shelf) for slug in slugs(shelf))
