"""Exports of school systems: an .xml file or the .xml files of an archive, read row after row."""

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

from docgen import identifiers
from docgen.rosters.archives import opened
from docgen.rosters.gathering import Findings
from docgen.rosters.markup import Row, declared_encoding, rows
from docgen.rosters.opening import HEAD_BYTES, kind, refusal, text_kind
from docgen.rosters.text import Codec, sniff

Handler: TypeAlias = Callable[[Row, str], None]
Handlers: TypeAlias = Callable[[str, str], Mapping[str, Handler]]

# Roots of the files that are given by mistake, whoever is looked for.
OTHER_ROOTS = {
    "EDT_STS": "le fichier emp_sts, qui va de l’emploi du temps vers STS-Web",
    "ficAlimMENESR": "un export de l’annuaire fédérateur (AAF), qui n’est pas lu",
}


def read_export(path: Path, handlers: Handlers, findings: Findings, wanted: str) -> None:
    """Give each row of one .xml or .zip file to the handler of its tag.

    `handlers` is asked once for each document, with its root and where it is; it may refuse it.

    Raises:
        RosterRejected: when the file cannot be read at all; `wanted` says what to give instead.
    """
    if kind(path) == "xml":
        _read(path.name, lambda: path.open("rb"), handlers, findings)
        return
    with opened(path) as archive:
        for where, member in _members(path, archive, findings, wanted):
            with findings.collecting():
                _read(where, partial(archive.open, member), handlers, findings)


def check_school(found: str, uai: str, where: str, findings: Findings, system: str) -> None:
    """Refuse the export of another school; `system` is where to export it from again."""
    if found != uai:
        # Shown when it is what it should be, and not whatever else stands in its place.
        other = found if identifiers.UAI_SHAPE.fullmatch(found) else "d’un autre code"
        what = f"ce fichier est celui de l’établissement {other}, et non de {uai}."
        remedy = f"Faites l’export dans la base {system} de {uai} (cité scolaire ?)."
        findings.problem(what, where, remedy)


def school_year(year: str) -> str:
    """Write the year of the rentrée as the school year: 2026 is 2026-2027."""
    return f"{year}-{int(year) + 1}" if re.fullmatch("20[0-9]{2}", year) else ""


def _members(
    path: Path, archive: zipfile.ZipFile, findings: Findings, wanted: str
) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield the XML members; what macOS adds to its archives is no file of the school."""
    found, others = [], 0
    for member in archive.infolist():
        name = member.filename.rpartition("/")[2]
        if not name or member.filename.startswith("__MACOSX/") or name.startswith("."):
            continue
        with archive.open(member) as stream:
            head = stream.read(HEAD_BYTES)
        if head.startswith(b"PK\x03\x04"):
            what = "cette archive en contient une autre."
            raise refusal(path.name, what, "Décompressez-la, et donnez les fichiers .xml.")
        if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            shown = "".join(filter(str.isprintable, name))[:80]
            found.append((f"{path.name} ({shown})", member))
        else:
            others += 1
    if not found:
        raise refusal(path.name, "cette archive ne contient aucun export XML.", wanted)
    if others:
        sentence = f"{others} fichier(s) de l’archive ignoré(s) : ce n’est pas du XML."
        findings.notice(sentence, path.name)
    return iter(found)


def _read(
    where: str, opening: Callable[[], IO[bytes]], handlers: Handlers, findings: Findings
) -> None:
    codec = _codec(where, opening, findings)
    with opening() as stream:
        found = rows(stream, where, codec)
        by_tag = handlers(next(found).tag, where)
        for row in found:
            if handler := by_tag.get(row.tag):
                handler(row, where)


def _codec(where: str, opening: Callable[[], IO[bytes]], findings: Findings) -> Codec:
    """Find the encoding in the bytes, and say so when the file declares another one."""
    with opening() as stream:
        head = stream.read(HEAD_BYTES)
        text_kind(head, where)
    with opening() as stream:
        codec = sniff(stream)
    declared = declared_encoding(head)
    one_byte = codec in {"iso8859-15", "cp1252"}
    if codec != "ascii" and one_byte == declared.startswith("utf"):
        found = "ISO-8859-15" if one_byte else "UTF-8"
        findings.notice(f"déclaré en {declared.upper()}, ce fichier est lu en {found}.", where)
    return codec
