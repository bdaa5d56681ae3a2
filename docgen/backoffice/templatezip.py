"""A template sent as a .zip: read within bounds, and refused with every reason at once.

Nothing is unpacked by its own name before each of its parts was looked at, and no size that the
file tells is believed.
"""

import re
import stat
import tomllib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from docgen.errors import Problem, TemplateRejected
from docgen.manifest import NAME

MOST_SENT = 8 * 2**20  # bytes; the largest of ours is 60 kB
MOST_BYTES = 24 * 2**20  # unpacked
MOST_FILES = 100
DEEPEST = 8  # folders within one another; ours have two
MOST_MANIFEST = 64 * 2**10  # bytes; the longest of ours is 11 kB
MANIFEST = "manifest.toml"
SUFFIXES = (".toml", ".html", ".css", ".svg", ".png", ".jpg", ".jpeg", ".docx", ".md", ".txt")
KINDS = ("charter", "convention", "attestation", "notice", "form")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# A part of a path: no place above, no disk, nothing hidden, no other way to write it.
PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_-]{0,79}(\.[A-Za-z0-9_-]{1,20}){0,3}")
IGNORED = ("__MACOSX", ".DS_Store")  # what a Mac adds to every archive
AGAIN = "Compressez le dossier du modèle, et lui seul, puis renvoyez-le."


@dataclass(frozen=True, slots=True)
class Sent:
    """A template as it was sent: what it says it is, and its files by their place in its folder."""

    slug: str
    kind: str
    files: dict[str, bytes]

    @property
    def kind_folder(self) -> str:
        """The folder of its kind, as on our shelf."""
        return f"{self.kind}s"


def unpack(path: Path) -> Sent:
    """Read a template that somebody sent.

    Raises:
        TemplateRejected: for what is not a template in a .zip, with every reason.
    """
    if path.stat().st_size > MOST_SENT:
        what = f"ce fichier pèse plus de {MOST_SENT >> 20}\u00a0Mo."
        raise TemplateRejected(Problem(what, "", "Allégez ses images."))
    try:
        with zipfile.ZipFile(path) as archive:
            files = _files(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        what = "ce fichier n’est pas un .zip lisible."
        raise TemplateRejected(Problem(what, "", AGAIN)) from error
    return _sent(_from_their_folder(files))


def _files(archive: zipfile.ZipFile) -> dict[str, bytes]:
    entries = [each for each in archive.infolist() if not _is_ignored(each)]
    if len(entries) > MOST_FILES:
        what = f"{len(entries)} fichiers, pour {MOST_FILES} au plus."
        raise TemplateRejected(Problem(what, "", AGAIN))
    if problems := list(_problems(entries)):
        raise TemplateRejected(problems)
    files: dict[str, bytes] = {}
    left = MOST_BYTES
    for entry in entries:
        with archive.open(entry) as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            what = f"décompressé, ce modèle pèse plus de {MOST_BYTES >> 20}\u00a0Mo."
            raise TemplateRejected(Problem(what, "", "Allégez ses images."))
        files[entry.filename] = content
    return files


def _is_ignored(entry: zipfile.ZipInfo) -> bool:
    parts = entry.filename.split("/")
    is_folder = entry.filename.endswith("/")  # zipfile's own question fails on an empty name
    return is_folder or parts[0] in IGNORED or parts[-1] in IGNORED


def _problems(entries: list[zipfile.ZipInfo]) -> Iterator[Problem]:
    names, folders = set[str](), set[str]()
    for number, entry in enumerate(entries, 1):
        name, where = entry.filename, f"fichier {number} de l’archive"
        parts = name.split("/")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if len(parts) > DEEPEST or not all(PART.fullmatch(part) for part in parts):
            what = "ce chemin sort du dossier, ou son nom ne convient pas."
            remedy = "Un nom a des lettres sans accent, des chiffres, - _ et un point."
            yield Problem(what, where, remedy)
        elif kind not in (0, stat.S_IFREG):
            yield Problem("ce n’est pas un fichier (un lien, peut-être).", name, "Retirez-le.")
        elif PurePosixPath(name).suffix.lower() not in SUFFIXES:
            what = "un modèle n’a pas de fichier de cette sorte."
            yield Problem(what, name, f"Sortes\u00a0: {', '.join(SUFFIXES)}.")
        elif entry.flag_bits & 1 or entry.compress_type not in METHODS:
            what = "il est chiffré, ou compressé d’une manière que docgen ne lit pas."
            yield Problem(what, name, AGAIN)
        elif name.casefold() in names:
            yield Problem("ce nom est deux fois dans l’archive.", name, "Gardez-en un.")
        names.add(name.casefold())
        above = range(1, min(len(parts), DEEPEST))
        folders |= {"/".join(parts[:count]).casefold() for count in above}
    for name in sorted(names & folders):
        yield Problem("c’est à la fois un fichier et un dossier.", name, "Renommez l’un des deux.")


def _from_their_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    """Name files from the folder of the template, which may be the only one of the archive."""
    if MANIFEST in files or not files:
        return files
    tops = {name.split("/")[0] for name in files}
    if len(tops) != 1:
        return files
    (top,) = tops
    return {name.removeprefix(f"{top}/"): content for name, content in files.items()}


def _sent(files: dict[str, bytes]) -> Sent:
    manifest = files.get(MANIFEST)
    if manifest is None:
        what = "le fichier manifest.toml manque, ou il y a plusieurs modèles."
        raise TemplateRejected(Problem(what, "", AGAIN))
    if len(manifest) > MOST_MANIFEST:
        what = f"il pèse plus de {MOST_MANIFEST >> 10}\u00a0ko."
        raise TemplateRejected(Problem(what, MANIFEST, "Raccourcissez-le."))
    try:
        told = tomllib.loads(manifest.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        what = "ce manifeste n’est pas du TOML en UTF-8."
        raise TemplateRejected(Problem(what, MANIFEST, "Repartez d’un modèle fourni.")) from error
    slug, kind = told.get("slug"), told.get("kind")
    problems = []
    if not isinstance(slug, str) or not NAME.fullmatch(slug):
        what = "« slug » : un nom a de 1 à 50 lettres sans accent, chiffres, - et _."
        problems.append(Problem(what, MANIFEST))
    if kind not in KINDS:
        problems.append(Problem(f"« kind » : choisissez parmi {', '.join(KINDS)}.", MANIFEST))
    if problems:
        raise TemplateRejected(problems)
    return Sent(str(slug), str(kind), files)
