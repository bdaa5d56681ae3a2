"""An attestation on paper and on file: its two documents, and what is kept to print them again.

The file kept (JSON) holds no name of a person: internal identifiers, serial numbers, classes. The
name of the head who signs comes from school.toml, at each printing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import msgspec

from docgen import library, single
from docgen.attestations import Attestation, Row, count
from docgen.errors import InvalidInput, Problem, PromiseBroken, reason
from docgen.jobfolder import INDEX, staged
from docgen.pagecode import Key
from docgen.records import NBSP, Head, School, school_facts
from docgen.region import Region, deliberation_date
from docgen.rendering.ticket import grouped

ATTESTATION, BORDEREAU = "attestation-cession", "bordereau-envoi"
MAX_BYTES = 64 * 2**20
FORMAT = 1
LATE = "t"
LATE_NOTE = (
    f"Le signe {LATE} marque une saisie tardive{NBSP}: la remise a eu lieu dans une période déjà "
    "attestée, et n’avait pas été saisie à temps."
)
Given = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept of an attestation: all that it says, to whom, and the digests of its files."""

    attestation: Attestation
    region: Region
    school: School
    references: dict[str, str]
    files: dict[str, str]
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Marked:
    """What a record says of its own format, whatever else it holds."""

    format: int


@dataclass(frozen=True, slots=True)
class Papers:
    """The documents of an attestation, by the name of their template and of their file."""

    documents: dict[str, single.Filled]
    names: dict[str, str]

    @property
    def files(self) -> dict[str, bytes]:
        """Their contents, by file name."""
        return {self.names[slug]: each.content for slug, each in self.documents.items()}

    @property
    def references(self) -> dict[str, str]:
        """The references printed on them, by the name of their template."""
        return {slug: each.reference for slug, each in self.documents.items()}

    @property
    def pages(self) -> int:
        """How many sides the attestation itself takes."""
        return self.documents[ATTESTATION].sides


def name(attestation: Attestation) -> str:
    """Name the files of an attestation: no two of a school share it."""
    return f"{attestation.school}-{attestation.school_year}-{attestation.number}"


def counted(attestation: Attestation) -> str:
    """Say how many cessions it lists, and how many it withdraws: « 19 cessions et 1 retrait »."""
    pieces = []
    for noun, rows in (("cession", attestation.rows), ("retrait", attestation.withdrawn)):
        if rows or noun == "cession":
            pieces.append(f"{grouped(len(rows))} {noun}{'s' if len(rows) > 1 else ''}")
    return " et ".join(pieces)


def check(attestation: Attestation, school: School, region: Region) -> None:
    """Refuse what could not be printed, before an attestation is frozen; nothing is laid out.

    Raises:
        InvalidInput: with every value of the attestation, the school or the region at fault.
    """
    facts = _shared(attestation, school, region)
    enclosed = {"designation": "-", "reference": "-", "pages": "1", "sheets": "1"}
    papers = {
        ATTESTATION: facts | _listed(attestation, region),
        BORDEREAU: _letter(facts, attestation, school, region, enclosed),
    }
    problems: dict[Problem, None] = {}
    for slug, given in papers.items():
        try:
            single.check(library.load(slug), given)
        except InvalidInput as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise InvalidInput(problems)


def press(
    attestation: Attestation, school: School, region: Region, key: Key, cache: Path
) -> Papers:
    """Lay out the attestation and its cover letter, with their codes.

    Raises:
        ValuesRejected, MissingGlyph: for values of the school or the region that cannot be printed.
        LayoutOverflows: for more sides than a page code can count.
    """
    facts = _shared(attestation, school, region)
    signed = single.fill(
        library.load(ATTESTATION), facts | _listed(attestation, region), key, cache
    )
    enclosed = {
        "designation": f"{facts['attestation_label']}, original signé",
        "reference": signed.reference,
        "pages": str(signed.sides),
        "sheets": str(-(-signed.sides // 2)),
    }
    given = _letter(facts, attestation, school, region, enclosed)
    letter = single.fill(library.load(BORDEREAU), given, key, cache)
    own = name(attestation)
    return Papers(
        {ATTESTATION: signed, BORDEREAU: letter},
        {ATTESTATION: f"attestation-{own}.pdf", BORDEREAU: f"bordereau-{own}.pdf"},
    )


def write(
    attestation: Attestation, school: School, region: Region, papers: Papers, out: Path
) -> list[Path]:
    """Write the files of an attestation and its record, all or none; give their paths.

    Raises:
        InvalidInput: when the folder holds a print job, or files of these names.
        Unavailable: when it cannot be written.
    """
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in papers.files.items()}
    unnamed = replace(school, head=Head("", "", school.head.title))
    record = Record(
        attestation=attestation,
        region=region,
        school=unnamed,
        references=papers.references,
        files=digests,
    )
    content = json.dumps(msgspec.to_builtins(record), ensure_ascii=False, indent=1) + "\n"
    return _written(
        {**papers.files, f"attestation-{name(attestation)}.json": content.encode()},
        out,
        # Another folder would start the numbers again.
        "Remettez dans ce dossier le fichier .json qui leur répond, puis recommencez.",
    )


def reprint(record: Record, head: Head, key: Key, cache: Path, out: Path) -> list[Path]:
    """Write the documents of a record again, byte for byte.

    Raises:
        PromiseBroken: when they would not be the same.
    """
    school = replace(record.school, head=head)
    papers = press(record.attestation, school, record.region, key, cache)
    digests = {file: hashlib.sha256(content).hexdigest() for file, content in papers.files.items()}
    if digests != record.files:
        what = "la réimpression ne serait pas identique à l’original."
        remedy = "Le chef d’établissement, le modèle ou la clé ont changé : reprenez le PDF gardé."
        raise PromiseBroken(Problem(what, f"attestation {record.attestation.label}", remedy))
    return _written(papers.files, out, "Choisissez un autre dossier.")


def read_records(paths: Iterable[Path]) -> list[Record]:
    """Read the records of former attestations.

    Raises:
        InvalidInput: with every file that is not one.
    """
    records, problems = [], []
    for path in dict.fromkeys(path.resolve() for path in paths):
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ValueError
            content = path.read_bytes()
            if msgspec.json.decode(content, type=Marked).format != FORMAT:
                what = "ce fichier est d’une autre version de docgen."
                problems.append(Problem(what, path.name, "Employez celle qui l’a écrit."))
                continue
            records.append(msgspec.json.decode(content, type=Record))
        except OSError as error:
            what = f"ce fichier ne peut pas être lu ({reason(error)})."
            problems.append(Problem(what, path.name, "Vérifiez son nom."))
        except (ValueError, RecursionError, msgspec.MsgspecError):
            what = "ce n’est pas le fichier d’une attestation."
            problems.append(Problem(what, path.name, "Donnez un attestation-….json de docgen."))
    if problems:
        raise InvalidInput(problems)
    return records


def records_in(folder: Path, school: School) -> list[Path]:
    """List the attestations of a school that a folder already holds."""
    return sorted(folder.glob(f"attestation-{school.uai}-*.json"))


def _shared(attestation: Attestation, school: School, region: Region) -> Given:
    facts = school_facts(school)
    kind = "Attestation complémentaire" if attestation.is_complementary else "Attestation"
    return {
        "attestation_label": f"{kind} n°{NBSP}{attestation.number} de l’année scolaire "
        f"{attestation.school_year}",
        "school_name": facts["school.name"],
        "school_address": ", ".join([*school.address, f"{school.postal_code} {school.city}"]),
        "school_uai": school.uai,
        "head_name": facts["school.head.name"],
        "head_title": facts["school.head.title"],
        "mailbox": region.mailbox,
    }


def _listed(attestation: Attestation, region: Region) -> Given:
    """Give what the attestation alone says."""
    stock = attestation.stock
    left = grouped(sum(line.count for line in stock)) if stock is not None else ""
    return {
        "region_name": region.name,
        "region_service": ", ".join(region.service),
        "period_start": attestation.period.start,
        "period_end": attestation.period.end,
        "deliberation_number": region.deliberation_number,
        "deliberation_date": deliberation_date(region),
        "ceded": counted(attestation),
        "stock_left": f"{left} (détail en fin d’annexe)" if stock else left,
        "fingerprint": " ".join(attestation.sha256[at : at + 4] for at in range(0, 16, 4)),
        "seal": attestation.sha256,
        "region_address": [
            {"line": line} for line in (region.name, *region.service, *region.address)
        ],
        "totals": _totals(attestation),
        "cessions": _cessions(attestation.rows),
        "notes": [{"text": LATE_NOTE}] if attestation.late else [],
        "contacts": [{"text": region.privacy_contact}] if region.privacy_contact else [],
        "withdrawn": [
            {
                "division": _division(row),
                "serial": row.serial,
                "day": f"{row.ceded_date:%d/%m/%Y}",
                "origin": row.origin,
            }
            for row in attestation.withdrawn
        ],
        "stock": [
            {"model": line.model, "state": line.state, "count": grouped(line.count)}
            for line in stock or ()
        ],
    }


def _letter(
    facts: Mapping[str, object],
    attestation: Attestation,
    school: School,
    region: Region,
    enclosed: Mapping[str, str],
) -> Given:
    return {
        **facts,
        "school_email": school.email,
        "school_phone": school.phone,
        "postal": [{"line": line} for line in region.postal],
        "city": school.city,
        "sent_date": attestation.issued_date,
        "period": str(attestation.period),
        "enclosed": [dict(enclosed)],
    }


def _totals(attestation: Attestation) -> list[dict[str, str]]:
    new, gone = count(attestation.rows), count(attestation.withdrawn)
    lines = [("first", "Sur cette attestation", new)]
    if attestation.late:
        lines.append(
            ("", "dont saisies après l’attestation de leur période", count(attestation.late))
        )
    if attestation.is_complementary or attestation.withdrawn:
        before = attestation.before
        total = (before[0] + new[0] - gone[0], before[1] + new[1] - gone[1])
        if attestation.withdrawn:
            taken = (-gone[0], -gone[1])
            lines.append(("", "Retirées d’attestations antérieures", taken))
        lines.append(("", f"Déjà attestées en {attestation.school_year}", before))
        lines.append(("sum", f"Total de l’année scolaire {attestation.school_year}", total))
    return [
        {
            "rank": rank,
            "label": label,
            "pupils": _signed(pupils),
            "teachers": _signed(teachers),
            "all": _signed(pupils + teachers),
        }
        for rank, label, (pupils, teachers) in lines
    ]


def _cessions(rows: Iterable[Row]) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = []
    classes = groupby(rows, key=lambda row: (row.audience, row.division))
    for group, (_, members) in enumerate(classes, 1):
        own = list(members)
        noun = "cession" if len(own) == 1 else "cessions"
        title = f"{_division(own[0])} · {grouped(len(own))} {noun}"
        listed += [
            {
                "group": f"{group:05}",
                "division": title,
                "rank": grouped(rank),
                "serial": row.serial,
                "day": f"{row.ceded_date:%d/%m/%Y}",
                "mark": LATE if row.origin else "",
            }
            for rank, row in enumerate(own, len(listed) + 1)
        ]
    return listed


def _division(row: Row) -> str:
    if row.audience == "teacher":
        return "Professeurs"
    return row.division or "Élèves sans classe (partis depuis la remise)"


def _signed(number: int) -> str:
    return f"−{grouped(-number)}" if number < 0 else grouped(number)


def _written(files: Mapping[str, bytes], out: Path, remedy: str) -> list[Path]:
    if (out / INDEX).exists():
        what = "ce dossier contient un lot d’impression."
        raise InvalidInput(Problem(what, str(out), "Choisissez un autre dossier."))
    if there := [file for file in files if (out / file).exists()]:
        what = f"ces fichiers existent déjà : {', '.join(there)}."
        if any(file.endswith(".json") for file in there):  # another command has just written it
            remedy = "Recommencez."
        raise InvalidInput(Problem(what, str(out), remedy))
    with staged(out, anew=True) as folder:
        for file, content in files.items():
            (folder / file).write_bytes(content)
    return [out / file for file in files]
