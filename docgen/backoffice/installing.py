"""Templates of the region's own: sent as a .zip, tried, put in service, and taken back.

What was sent is a stranger's: it is unpacked within bounds, then checked in a child process
(`rendering.trying`), and nothing of it serves before somebody says so. In the data folder:

    modeles/.essais/<trial>/        what was sent, and the report of its check
    modeles/<slug>/<checksum>/      a shelf of its own for each version that was installed
    modeles/<slug>/en-service       which of them serves; without it, the one that docgen brings
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
from django.utils import timezone

from docgen import library
from docgen.backoffice.events import tell
from docgen.backoffice.models import TemplateVersion
from docgen.backoffice.templatezip import Sent, unpack
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem, TemplateRejected
from docgen.files import write_whole
from docgen.library import IN_SERVICE, INSTALLED, OWN, SHELF, Template
from docgen.manifest import read_manifest, shared_folders
from docgen.rendering import trying

OURS = "docgen"  # the version that docgen brings
TRIALS, REPORT, LOCK = ".essais", "essai.json", "verrou"
SHORT = 16  # digits of a checksum that name a version
KEPT = 86_400  # seconds that a trial is kept: somebody looks at its report, and decides
BY_NAME = ("attestation", "convention")  # kinds whose fields the program itself fills, by name


class Report(msgspec.Struct):
    """What the check of a template found, and when."""

    checked_at: datetime
    problems: list[tuple[str, str, str]]


class Trial(msgspec.Struct):
    """A template that was sent: what it says it is, and all that does not hold."""

    slug: str
    kind: str
    title: str
    version: str
    checksum: str
    problems: list[tuple[str, str, str]]

    def told(self) -> list[Problem]:
        """Give the problems."""
        return [Problem(*each) for each in self.problems]


@dataclass(frozen=True, slots=True)
class Installed:
    """A version that can serve: its name in addresses, and whether it serves now."""

    name: str
    version: str
    is_serving: bool
    is_ours: bool


def receive(path: Path) -> UUID:
    """Unpack a template that somebody sent, and check it; give the trial.

    Raises:
        TemplateRejected: for a file that is not a template's, with all that is wrong.
        InvalidInput: while another is being checked.
    """
    sent = unpack(path)
    with _alone():
        _forget_old()
        trial = uuid4()
        place = _place(trial)
        try:
            folder = _written(sent, place)
            problems = trying.problems_of(folder)
            _note(place, sent, folder, problems)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return trial


def _written(sent: Sent, place: Path) -> Path:
    """Write what was sent on a shelf of its own, with what templates of its kind share."""
    folder = place / sent.kind_folder / sent.slug
    for name, content in sent.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for shared in _shared(sent):
        is_of_kind = shared.parent.name == sent.kind_folder
        target = (folder.parent if is_of_kind else place) / shared.name
        shutil.copytree(shared, target, dirs_exist_ok=True)
    return folder


def _shared(sent: Sent) -> list[Path]:
    """Give the folders that the template may use: those of the one that it replaces, or ours."""
    ours = SHELF / sent.kind_folder / sent.slug
    if not ours.is_dir() and sent.slug in library.slugs():
        return shared_folders(library.load(sent.slug).folder)
    return shared_folders(ours)


def _note(place: Path, sent: Sent, folder: Path, problems: list[Problem]) -> None:
    title = version = checksum = ""
    try:
        found = Template(folder, read_manifest(folder / "manifest.toml"))
    except TemplateRejected:  # the report of the check says it already
        pass
    else:
        title, version = found.manifest.title, found.manifest.version
        checksum = found.checksum
        problems = problems + list(_clashes(found))
    told = [(each.what, each.where, each.remedy) for each in problems]
    trial = Trial(sent.slug, sent.kind, title, version, checksum, told)
    write_whole(place / REPORT, msgspec.json.encode(trial))


def _clashes(sent: Template) -> Iterator[Problem]:
    """Say why a template that holds together cannot take the place of the one that serves."""
    manifest, where = sent.manifest, f"{sent.manifest.slug}/manifest.toml"
    seen = TemplateVersion.objects.filter(slug=manifest.slug, version=manifest.version)
    other = "Donnez un autre numéro de version\u00a0: il est imprimé sur chaque page."
    if manifest.slug in library.slugs():
        serving = library.load(manifest.slug)
        if serving.checksum == sent.checksum:
            yield Problem("c’est la version qui est déjà en service.", where)
            return
        if serving.manifest.kind != manifest.kind:
            what = "un modèle d’une autre nature (kind) porte déjà ce nom."
            yield Problem(what, where, "Donnez-lui un autre nom.")
        elif manifest.kind in BY_NAME and _names(serving) != _names(sent):
            what = "docgen remplit lui-même ce modèle\u00a0: ses champs ne sont plus les mêmes."
            names = ", ".join(sorted(_names(serving)))
            yield Problem(what, where, f"Gardez ces champs\u00a0: {names}.")
        if serving.manifest.version == manifest.version:
            yield Problem("la version en service porte déjà ce numéro.", where, other)
            return
    if seen.exclude(checksum=sent.checksum).exists():
        what = "ce numéro de version a déjà servi, pour un autre contenu."
        yield Problem(what, where, other)


def _names(template: Template) -> set[str]:
    return {field.name for field in template.manifest.fields}


def trial(identifier: UUID) -> Trial | None:
    """Give a trial; None when it is not kept, or no longer."""
    report = _place(identifier) / REPORT
    if not report.is_file():
        return None
    return msgspec.json.decode(report.read_bytes(), type=Trial)


def install(identifier: UUID, by: str) -> str:
    """Put a template that was tried in service; give its slug.

    Raises:
        InvalidInput: when its check found problems, or when it no longer fits what serves.
    """
    tried = trial(identifier)
    if tried is None:
        raise InvalidInput(Problem("cet essai n’est plus gardé.", "", "Envoyez le fichier."))
    if tried.problems:
        raise InvalidInput(tried.told())
    place = _place(identifier)
    (manifest,) = place.glob(library.PLACE)
    found = Template(manifest.parent, read_manifest(manifest))
    if problems := list(_clashes(found)):
        raise InvalidInput(problems)
    name = found.checksum[:SHORT]
    target = _own(tried.slug) / name
    if target.exists():
        shutil.rmtree(place)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        (place / REPORT).unlink()
        place.rename(target)
    _keep_report(found.checksum, [])
    serve(tried.slug, name, by)
    return tried.slug


def forget(identifier: UUID) -> None:
    """Drop a trial."""
    shutil.rmtree(_place(identifier), ignore_errors=True)


def serve(slug: str, name: str, by: str) -> str:
    """Put a version in service, by its name; give the name of the one that served.

    Raises:
        InvalidInput: when it is not installed.
    """
    versions = {each.name: each for each in installed(slug)}
    if name not in versions:
        what = "cette version n’est pas installée."
        raise InvalidInput(Problem(what, slug, "Choisissez-en une de la liste."))
    before = next((each.name for each in versions.values() if each.is_serving), OURS)
    pointer = _own(slug) / IN_SERVICE
    if name == OURS:
        pointer.unlink(missing_ok=True)
    else:
        write_whole(pointer, name.encode())
    tell("template-served", slug, actor=by, version=versions[name].version, checksum=name)
    return before


def installed(slug: str) -> list[Installed]:
    """List the versions of a template that can serve: those installed here, then ours."""
    serving = {each.name for each in library.own_shelves() if each.parent.name == slug}
    found = []
    for place in sorted(_own(slug).glob("*")):
        for manifest in place.glob(library.PLACE) if INSTALLED.fullmatch(place.name) else ():
            version = read_manifest(manifest).version
            found.append(Installed(place.name, version, place.name in serving, is_ours=False))
    for shelf in library.shelves():
        for manifest in shelf.glob(f"*/{slug}/manifest.toml"):
            version = read_manifest(manifest).version
            found.append(Installed(OURS, version, not serving, is_ours=True))
    return found


def report(template: Template) -> Report | None:
    """Give what the last check of a template found; None when it never was checked here."""
    path = _report(template.checksum)
    return msgspec.json.decode(path.read_bytes(), type=Report) if path.is_file() else None


def check(template: Template) -> list[Problem]:
    """Check a template, in a child; its report is kept.

    Raises:
        InvalidInput: while another is being checked.
    """
    with _alone():
        problems = trying.problems_of(template.folder)
    _keep_report(template.checksum, problems)
    return problems


def _keep_report(checksum: str, problems: list[Problem]) -> None:
    told = [(each.what, each.where, each.remedy) for each in problems]
    path = _report(checksum)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(Report(timezone.now(), told)))


def _report(checksum: str) -> Path:
    return data_folder() / "cache" / "checks" / f"{checksum}.json"


def _own(slug: str) -> Path:
    return data_folder() / OWN / slug


def _place(identifier: UUID) -> Path:
    return data_folder() / OWN / TRIALS / str(identifier)


def _forget_old() -> None:
    for place in (data_folder() / OWN / TRIALS).glob("*-*"):
        if place.stat().st_mtime < time.time() - KEPT:
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _alone() -> Iterator[None]:
    """Check one template at a time: each takes a processor and a gigabyte."""
    folder = data_folder() / OWN / TRIALS
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        what = "un autre modèle est en cours de contrôle."
        raise InvalidInput(Problem(what, "", "Réessayez dans une minute.")) from error
    finally:
        os.close(handle)
