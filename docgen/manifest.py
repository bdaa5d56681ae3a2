"""manifest.toml: what a template is, what it asks for, and what paper it promises."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from docgen.errors import Problem, TemplateRejected
from docgen.fields import Field
from docgen.records import LOAN_SOURCES, PERSON_SOURCES, RUN_SOURCES

NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,49}")  # names become file names and form fields
LONGEST_VERSION, LONGEST_COPY = 20, 45  # characters; « , duplicata » may follow that of a copy
MOST_SIDES = 255  # a page code counts sides in one byte


class Layout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way of laying the text out, with its promise of pages, sides and sheets.

    `of` names the layout whose pages are reduced two to a side (imposition, not another text).
    """

    name: str
    title: str
    pages: int
    sides: int
    sheets: int
    styles: tuple[str, ...] = ()
    of: str = ""

    @property
    def base(self) -> str:
        """The layout that WeasyPrint lays out."""
        return self.of or self.name

    @property
    def per_side(self) -> int:
        """How many pages stand on one side of paper."""
        return 2 if self.of else 1


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reading of the same text for some of the people."""

    name: str
    title: str
    when: Literal["minor", "adult", "always"] = "always"


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A zone that somebody signs; the body places it with `signature(name)`."""

    name: str
    label: str
    required: bool = True
    variants: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of manifest.toml.

    `purpose` says in one sentence when somebody wants this document.
    `engine` says how it is filled: pressed from a form compiled once (a promise of pages), laid out
    whole for each document (`flow`, as many pages as it takes: a promise of 0), or a Word model
    that schools edit (`word`, a promise of 0 as well). `codes` is
    how many page codes a side carries: three on what matters most. `reference` is the two letters
    that open the reference of every document; `returns` says which sides must come back signed:
    all of them, or only those with a signature zone. What is `mailed` goes to the region's mailbox
    once it has come home signed.
    """

    slug: str
    kind: Literal["charter", "convention", "attestation", "notice", "form"]
    title: str
    purpose: str = ""
    version: str
    audience: Literal["pupil", "teacher"]
    reference: str
    returns: Literal["all", "signed"]
    mailed: bool = False
    layouts: tuple[Layout, ...]
    variants: tuple[Variant, ...]
    fields: tuple[Field, ...]
    signatures: tuple[Signature, ...] = ()
    body: str = "body.html"
    styles: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    default_copies: int = 1
    engine: Literal["press", "flow", "word"] = "press"
    codes: Literal[2, 3] = 2

    def layout(self, name: str) -> Layout:
        """Give a layout by its name.

        Raises:
            TemplateRejected: when the template has no such layout.
        """
        for layout in self.layouts:
            if layout.name == name:
                return layout
        known = ", ".join(layout.name for layout in self.layouts)
        raise TemplateRejected(
            Problem(
                f"la mise en page « {name} » n’existe pas.", self.slug, f"Choisissez : {known}."
            )
        )

    def variant(self, is_adult: bool) -> Variant:
        """Give the variant that suits a minor or an adult."""
        by_age = {variant.when: variant for variant in self.variants}
        return by_age.get("adult" if is_adult else "minor") or by_age["always"]


def read_manifest(path: Path) -> Manifest:
    """Read and check one manifest.

    Raises:
        TemplateRejected: with everything that is wrong in it.
    """
    try:
        manifest = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Manifest)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise TemplateRejected(Problem(f"manifeste illisible ({error}).", str(path))) from error
    problems = [
        Problem(text, f"{path.parent.name}/{path.name}") for text in _problems(manifest, path)
    ]
    if problems:
        raise TemplateRejected(problems)
    return manifest


def shared_folders(folder: Path) -> list[Path]:
    """List what templates share: the folders of their kind, then of their shelf, named _….

    A link is none of them: it could lead anywhere.
    """
    kind = folder.parent
    found = (each for place in (kind, kind.parent) for each in sorted(place.glob("_*")))
    return [each for each in found if each.is_dir() and not each.is_symlink()]


def _problems(manifest: Manifest, path: Path) -> Iterator[str]:
    if manifest.slug != path.parent.name:
        yield f"le dossier doit porter le nom du modèle, « {manifest.slug} »."
    if not re.fullmatch("[A-Z]{2}", manifest.reference):
        yield f"« {manifest.reference} » : la référence s’ouvre par deux lettres capitales."
    if not 1 <= manifest.default_copies <= 9:
        yield "« default_copies » doit aller de 1 à 9."
    if not 1 <= len(manifest.version) <= LONGEST_VERSION:
        yield f"« version » : de 1 à {LONGEST_VERSION} caractères."
    if any(len(name) > LONGEST_COPY for name in manifest.copies):
        yield f"« copies » : {LONGEST_COPY} caractères au plus pour chacune."
    if not manifest.layouts:
        yield "il faut au moins une mise en page."
    if manifest.mailed and manifest.kind != "attestation":
        yield "« mailed » : seule une attestation part à la Région."
    yield from _name_problems(manifest)
    yield from _variant_problems(manifest)
    yield from _field_problems(manifest)
    yield from _layout_problems(manifest)
    yield from _file_problems(manifest, path.parent)


def _name_problems(manifest: Manifest) -> Iterator[str]:
    names = {manifest.slug: None}
    for group in (manifest.layouts, manifest.variants, manifest.fields, manifest.signatures):
        counts = Counter(item.name for item in group)
        yield from (f"« {name} » est déclaré {n} fois." for name, n in counts.items() if n > 1)
        names |= dict.fromkeys(counts)
    for name in names:
        if not NAME.fullmatch(name):
            yield f"« {name} » : un nom a de 1 à 50 lettres sans accent, chiffres, - et _."


def _field_problems(manifest: Manifest) -> Iterator[str]:
    for field in manifest.fields:
        if field.source and field.source not in RUN_SOURCES | PERSON_SOURCES | LOAN_SOURCES:
            yield f"champ « {field.name} » : la source « {field.source} » n’existe pas."
        if field.type == "rows" and (manifest.engine != "flow" or not field.columns):
            yield f"champ « {field.name} » : des lignes demandent des colonnes et le moteur flow."
        if field.type == "choice" and not field.choices:
            yield f"champ « {field.name} » : il faut des choix (choices)."
        if field.type not in {"rows", "tick"} and not (field.sample and field.longest):
            yield f"champ « {field.name} » : il faut un exemple (sample) et le plus long (longest)."
        yield from _column_problems(field)


def _column_problems(field: Field) -> Iterator[str]:
    for column in field.columns:
        if column.type == "rows" or not NAME.fullmatch(column.name):
            yield f"champ « {field.name} » : la colonne « {column.name} » ne convient pas."
        elif column.source and column.source not in PERSON_SOURCES:
            yield f"colonne « {column.name} » : la source « {column.source} » n’existe pas."
        elif column.type != "tick" and not column.longest:
            yield f"colonne « {column.name} » : il faut la valeur la plus longue (longest)."


def _variant_problems(manifest: Manifest) -> Iterator[str]:
    ages = Counter(variant.when for variant in manifest.variants)
    if not ("always" in ages or ages.keys() >= {"minor", "adult"}):
        yield "les variantes doivent couvrir les mineurs et les majeurs."
    elif any(count > 1 for count in ages.values()):
        yield "deux variantes visent les mêmes personnes."
    known = {variant.name for variant in manifest.variants}
    for zone in manifest.signatures:
        for name in zone.variants:
            if name not in known:
                yield f"signature « {zone.name} » : la variante « {name} » n’existe pas."


def _layout_problems(manifest: Manifest) -> Iterator[str]:
    bases = {layout.name for layout in manifest.layouts if not layout.of}
    for layout in manifest.layouts:
        if layout.of and layout.of not in bases:
            yield f"« {layout.name} » : « {layout.of} » n’est pas une mise en page de base."
        if manifest.engine != "press":
            if layout.of or (layout.pages, layout.sides, layout.sheets) != (0, 0, 0):
                yield f"« {layout.name} » : une longueur libre ne promet rien (pages = 0)."
            continue
        sides = -(-layout.pages // layout.per_side)
        if layout.sides != sides or layout.sheets != -(-sides // 2):
            yield f"« {layout.name} » : pages, faces et feuilles promises se contredisent."
        if not 1 <= layout.sides <= MOST_SIDES:
            yield f"« {layout.name} » : un document a de 1 à {MOST_SIDES} faces."


def _file_problems(manifest: Manifest, folder: Path) -> Iterator[str]:
    styles = [style for layout in manifest.layouts for style in layout.styles]
    own = folder.resolve()
    roots = (own.parent, *shared_folders(own))
    for name in dict.fromkeys((manifest.body, *manifest.styles, *styles)):
        path = (folder / name).resolve()
        if not any(path.is_relative_to(root) for root in roots):
            yield f"le fichier « {name} » est hors des modèles."
        elif not path.is_file():
            yield f"le fichier « {name} » manque."
