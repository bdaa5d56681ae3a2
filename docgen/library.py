"""The shelf of templates: find them, load one, know when one has changed."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from docgen.errors import Problem, TemplateRejected
from docgen.manifest import Layout, Manifest, read_manifest, shared_folders
from docgen.places import data_folder

SHELF = Path(__file__).resolve().parent.parent / "templates"
PLACE = "*/*/manifest.toml"  # of a manifest on a shelf
OWN, IN_SERVICE = "modeles", "en-service"  # in the data folder
INSTALLED = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True)
class Template:
    """A template folder, read and checked."""

    folder: Path
    manifest: Manifest

    def text(self, name: str) -> str:
        """Read one of the template's text files."""
        return (self.folder / name).read_text(encoding="utf-8")

    def included(self, name: str) -> str | None:
        """Read a page that the body includes, its own or a shared one; None when there is none."""
        for folder in self.folders:
            path = (folder / name).resolve()
            is_ours = path.is_relative_to(folder.resolve()) and path.suffix == ".html"
            if is_ours and path.is_file():
                return path.read_text(encoding="utf-8")
        return None

    def styles(self, layout: Layout) -> list[Path]:
        """List the style sheets of a layout, the shared ones first."""
        base = self.manifest.layout(layout.base)
        return [self.folder / name for name in (*self.manifest.styles, *base.styles)]

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of everything that decides how the template looks."""
        digest = hashlib.sha256()
        for name, path in sorted(self.files.items()):
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    @property
    def folders(self) -> list[Path]:
        """The folders that a body may read: its own, and those that are shared (_…)."""
        return [self.folder, *shared_folders(self.folder)]

    @property
    def files(self) -> dict[str, Path]:
        """Give all that may decide how the template looks, by name from its folder."""
        manifest = self.manifest
        named = (*manifest.styles, *(style for each in manifest.layouts for style in each.styles))
        found = {path for folder in self.folders for path in folder.rglob("*")}
        found.update(self.folder / name for name in named)
        return {
            os.path.relpath(path, self.folder): path
            for path in found
            if path.is_file() and path.name != "sample.toml"
        }


def shelves() -> list[Path]:
    """Give our shelf, then those that DOCGEN_TEMPLATES names, as PATH names folders."""
    more = os.environ.get("DOCGEN_TEMPLATES", "").split(os.pathsep)
    return [SHELF, *(Path(folder) for folder in more if folder)]


def own_shelves() -> list[Path]:
    """Give the shelves of what was installed here, one for each template: its files in service.

    `modeles/<slug>/en-service` in the data folder names one of the folders beside it; a folder of
    that name that is not there, or no such file, leaves ours in service.
    """
    found = []
    for pointer in sorted((data_folder() / OWN).glob(f"*/{IN_SERVICE}")):
        name = pointer.read_text(encoding="utf-8").strip()
        if INSTALLED.fullmatch(name):
            found.append(pointer.with_name(name))
    return found


def slugs(shelf: Path | None = None) -> list[str]:
    """List the templates of a shelf by name, or of all the shelves."""
    return sorted({path.parent.name for path in _manifests(shelf)})


def load(slug: str, shelf: Path | None = None) -> Template:
    """Load one template.

    Raises:
        TemplateRejected: when there is none of that name, or when it does not hold together.
    """
    # Matched among names found, never joined to a path: a slug cannot walk out of the shelf.
    found = [path for path in _manifests(shelf) if path.parent.name == slug]
    if len(found) == 1:
        told = found[0].stat()
        return Template(found[0].parent, _read(found[0], told.st_mtime_ns, told.st_size))
    if found:
        places = ", ".join(sorted(path.parent.parent.name for path in found))
        raise TemplateRejected(
            Problem(f"deux modèles s’appellent « {slug} ».", places, "Renommez l’un d’eux.")
        )
    known = ", ".join(slugs(shelf)) or "aucun"
    raise TemplateRejected(
        Problem(f"le modèle « {slug} » n’existe pas.", (shelf or SHELF).name, f"Modèles : {known}.")
    )


def load_all(shelf: Path | None = None) -> Iterator[Template]:
    """Load every template of a shelf, or of all the shelves."""
    return (load(slug, shelf) for slug in slugs(shelf))


@lru_cache(maxsize=128)
def _read(path: Path, changed: int, size: int) -> Manifest:
    """Read a manifest once, until it changes: pages list all of them, at 15 ms each."""
    return read_manifest(path)


def _manifests(shelf: Path | None) -> Iterator[Path]:
    if shelf:
        yield from shelf.glob(PLACE)
        return
    own = [path for each in own_shelves() for path in each.glob(PLACE)]
    yield from own
    # What was installed here stands in for the template of that name.
    replaced = {path.parent.name for path in own}
    for each in shelves():
        yield from (path for path in each.glob(PLACE) if path.parent.name not in replaced)
