"""The files of a school on their way in: looked at first, kept once somebody saw what they change.

Files that wait are in a folder of their own, for an hour at most, under a name that nobody guesses;
of files that are refused, only the report stays, which names nobody.
"""

import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import msgspec
from django.conf import settings

from docgen import records, rosters
from docgen.backoffice import registers
from docgen.backoffice.models import Cession, Device, Person, School
from docgen.errors import Problem, RosterRejected
from docgen.records import Audience

SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
MOST_FILES = 16
HOUR = 3600
FOLDER, FACTS, REPORT = "import-", "parcel.json", "report.json"
# What of a person may change from one import to the next, and is worth telling.
TOLD = ("family_name", "first_name", "usage_name", "birth_date", "division", "level", "function")


class Upload(Protocol):
    """A file as it was sent."""

    name: str | None

    def chunks(self) -> Iterator[bytes]:
        """Give its content, piece by piece."""


class Parcel(msgspec.Struct, frozen=True):
    """Files written where their readers find them; `names` are those that their sender knows."""

    folder: str
    audience: Audience
    names: dict[str, str]
    files: list[str]
    stock: str = ""
    cessions: str = ""
    uai: str = ""


class Change(msgspec.Struct, frozen=True):
    """What files would change: people by their internal identifier, classes before and after."""

    school_year: str
    people: int
    new: int
    changed: int
    gone: list[str]
    fields: dict[str, int]
    classes: list[tuple[str, int, int]]
    devices: tuple[int, int, int] | None
    cessions: int


class Look(msgspec.Struct, frozen=True):
    """What a look at files found: what they change, or all that is to be mended."""

    audience: Audience
    names: list[str]
    change: Change | None = None
    notices: list[str] = []
    problems: list[tuple[str, str, str]] = []


def write(
    folder: Path,
    audience: Audience,
    files: Sequence[Upload],
    stock: Upload | None = None,
    cessions: Upload | None = None,
    *,
    uai: str = "",
) -> Parcel:
    """Write files into a folder, under names that say nothing."""
    names: dict[str, str] = {}
    ours = []
    for number, file in enumerate((*files, stock, cessions), 1):
        if file is None:
            ours.append("")
            continue
        given = file.name or ""
        suffix = Path(given).suffix
        path = folder / f"fichier-{number}{suffix if SUFFIX.fullmatch(suffix) else ''}"
        with path.open("wb") as stream:
            stream.writelines(file.chunks())
        names[path.name] = given
        ours.append(path.name)
    return Parcel(str(folder), audience, names, ours[:-2], ours[-2], ours[-1], uai)


def read(school: School, given: Parcel) -> records.Roster:
    """Read files; what is told of them bears the names that their sender knows.

    Raises:
        RosterRejected: with every problem of all the files.
    """
    folder = Path(given.folder)
    with _as_named(given.names):
        roster = rosters.read(
            [folder / name for name in given.files],
            school=registers.school(school),
            audience=given.audience,
            stock=folder / given.stock if given.stock else None,
            cessions=folder / given.cessions if given.cessions else None,
        )
    return replace(roster, notices=tuple(_named(each, given.names) for each in roster.notices))


def put_aside(
    school: School,
    audience: Audience,
    files: Sequence[Upload],
    stock: Upload | None = None,
    cessions: Upload | None = None,
) -> str:
    """Put files aside and look at them; give the token under which they wait, or their report."""
    sweep()
    token = secrets.token_urlsafe(32)
    folder = settings.UPLOADS / f"{FOLDER}{token}"
    folder.mkdir(mode=0o700)
    try:
        parcel = write(folder, audience, files, stock, cessions, uai=school.pk)
        found = _looked_at(school, parcel)
        (folder / FACTS).write_bytes(msgspec.json.encode(parcel))
        (folder / REPORT).write_bytes(msgspec.json.encode(found))
    except BaseException:
        forget(token)
        raise
    return token


def _looked_at(school: School, parcel: Parcel) -> Look:
    names = sorted(parcel.names.values())
    try:
        roster = read(school, parcel)
        if problems := registers.unkept(school, parcel.audience, roster):
            raise RosterRejected(problems)
    except RosterRejected as refused:
        for path in Path(parcel.folder).iterdir():
            path.unlink()
        told = [(each.what, each.where, each.remedy) for each in refused.problems]
        return Look(parcel.audience, names, problems=told)
    change = compare(school, parcel.audience, roster)
    return Look(parcel.audience, names, change=change, notices=list(roster.notices))


def look(token: str, school: School) -> Look | None:
    """Give what was found in files that wait; None once they are gone."""
    folder = _waiting(token, school)
    return msgspec.json.decode((folder / REPORT).read_bytes(), type=Look) if folder else None


def keep(token: str, school: School, by: str) -> dict[str, int] | None:
    """Keep files that wait; None once they are gone.

    Raises:
        RosterRejected: when what they say can no longer be kept.
    """
    folder = _waiting(token, school)
    if folder is None:
        return None
    parcel = msgspec.json.decode((folder / FACTS).read_bytes(), type=Parcel)
    counts = registers.keep_roster(school, parcel.audience, read(school, parcel), by)
    forget(token)
    return counts


def forget(token: str) -> None:
    """Take away files that wait."""
    if TOKEN.fullmatch(token):
        shutil.rmtree(settings.UPLOADS / f"{FOLDER}{token}", ignore_errors=True)


def sweep() -> None:
    """Take away what waited for more than an hour."""
    for folder in Path(settings.UPLOADS).glob(f"{FOLDER}*"):
        if _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)


def compare(school: School, audience: Audience, roster: records.Roster) -> Change:
    """Tell what a roster would change in a school."""
    rows = Person.objects.filter(school=school, audience=audience, is_present=True)
    before = {row["internal_id"]: row for row in rows.values("internal_id", *TOLD)}
    after = {person.id: person for person in roster.people}
    fields: Counter[str] = Counter()
    changed = 0
    for key in before.keys() & after.keys():
        other = [name for name in TOLD if before[key][name] != getattr(after[key], name)]
        fields.update(other)
        changed += bool(other)
    return Change(
        school_year=roster.school_year,
        people=len(after),
        new=len(after.keys() - before.keys()),
        changed=changed,
        gone=sorted(before.keys() - after.keys()),
        fields=dict(fields),
        classes=_classes(
            Counter(str(row["division"]) for row in before.values()),
            Counter(person.division for person in roster.people),
        ),
        devices=_devices(school, roster.devices) if roster.devices else None,
        cessions=_cessions(school, roster.cessions),
    )


def _classes(before: Counter[str], after: Counter[str]) -> list[tuple[str, int, int]]:
    names = sorted(before.keys() | after.keys())
    return [(name, before[name], after[name]) for name in names]


def _devices(school: School, given: Mapping[str, records.Device]) -> tuple[int, int, int]:
    """Count the tablets that the files hold, those that are new, and those that are gone."""
    known = set(Device.objects.filter(school=school).values_list("serial", flat=True))
    return len(given), len(given.keys() - known), len(known - given.keys())


def _cessions(school: School, given: Mapping[str, records.Cession]) -> int:
    """Count the cessions that are new, or dated anew."""
    rows = Cession.objects.filter(school=school, cancelled_at=None)
    dates = dict(rows.values_list("serial", "ceded_date"))
    return sum(
        each.serial not in dates
        or (each.ceded_date is not None and dates[each.serial] != each.ceded_date)
        for each in given.values()
    )


def _waiting(token: str, school: School) -> Path | None:
    """Give the folder of files that wait for this school."""
    if not TOKEN.fullmatch(token):
        return None
    folder: Path = settings.UPLOADS / f"{FOLDER}{token}"
    try:
        if _is_old(folder):
            return None
        parcel = msgspec.json.decode((folder / FACTS).read_bytes(), type=Parcel)
    except FileNotFoundError:
        return None
    return folder if parcel.uai == school.pk else None


def _is_old(folder: Path) -> bool:
    with suppress(FileNotFoundError):
        return folder.stat().st_mtime < time.time() - HOUR
    return True


@contextmanager
def _as_named(names: Mapping[str, str]) -> Iterator[None]:
    """Tell problems with the names that the sender knows."""
    try:
        yield
    except RosterRejected as refused:
        raise RosterRejected(
            Problem(*(_named(text, names) for text in (each.what, each.where, each.remedy)))
            for each in refused.problems
        ) from None


def _named(text: str, names: Mapping[str, str]) -> str:
    for ours, given in names.items():
        # A number is whole: fichier-1 is not the beginning of fichier-12.
        text = re.sub(rf"{re.escape(ours)}(?![0-9])", given.replace("\\", "/"), text)
    return text
