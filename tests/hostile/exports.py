"""Exports written piece by piece, so that a test shows the one oddity that it is about."""

from pathlib import Path

import pytest

from docgen.errors import RosterRejected
from docgen.records import Audience, Roster
from docgen.rosters import read
from samples.people import school

HEADER = (
    "<UAJ>0130010R</UAJ><ANNEE_SCOLAIRE>2026</ANNEE_SCOLAIRE><DATE_EXPORT>14/09/2026</DATE_EXPORT>"
)
NAME = "<NOM_DE_FAMILLE>MARTIN</NOM_DE_FAMILLE><PRENOM>Léa</PRENOM>"
BORN = "<DATE_NAISS>12/03/2010</DATE_NAISS>"
STS_HEADER = '<UAJ CODE="0130010R"><SIGLE>LGT</SIGLE></UAJ><ANNEE_SCOLAIRE ANNEE="2026"/>'
TEACHER = (
    "<SEXE>2</SEXE><CIVILITE>2</CIVILITE><NOM_USAGE>MARTIN</NOM_USAGE>"
    "<NOM_PATRONYMIQUE>MARTIN</NOM_PATRONYMIQUE><PRENOM>LÉA</PRENOM>"
    "<DATE_NAISSANCE>1980-03-12</DATE_NAISSANCE><FONCTION>ENS</FONCTION>"
)
MATHS = (
    '<DISCIPLINES><DISCIPLINE CODE="L1300"><LIBELLE_COURT>MATHEMATIQUES</LIBELLE_COURT>'
    "<NB_HEURES>18.00</NB_HEURES></DISCIPLINE></DISCIPLINES>"
)


def document(root: str, body: str, header: str = HEADER) -> str:
    """Write one export."""
    start = f'<?xml version="1.0" encoding="ISO-8859-15"?>\n<{root} VERSION="2.1">'
    return f"{start}<PARAMETRES>{header}</PARAMETRES><DONNEES>{body}</DONNEES></{root}>"


def pupil(body: str = NAME + BORN, key: str = "101", attributes: str = "") -> str:
    """Write a row of ELEVES."""
    return f'<ELEVE ELEVE_ID="{key}" {attributes}>{body}</ELEVE>'


def in_class(*codes: str, key: str = "101") -> str:
    """Write a row of STRUCTURES: `D:2DE 1` is a class, `G:LATIN` a group."""
    rows = "".join(
        f"<STRUCTURE><CODE_STRUCTURE>{code[2:]}</CODE_STRUCTURE>"
        f"<TYPE_STRUCTURE>{code[0]}</TYPE_STRUCTURE></STRUCTURE>"
        for code in codes
    )
    return f'<STRUCTURES_ELEVE ELEVE_ID="{key}">{rows}</STRUCTURES_ELEVE>'


def pupils(rows: str = "", structures: str = "", header: str = HEADER, more: str = "") -> str:
    """Write ElevesAvecAdresses.xml; one pupil in one class unless told otherwise."""
    body = f"<ELEVES>{rows or pupil()}</ELEVES>"
    body += f"<STRUCTURES>{structures or in_class('D:2DE 1')}</STRUCTURES>"
    return document("BEE_ELEVES", body + more, header)


def guardians(persons: str, links: str, more: str = "") -> str:
    """Write ResponsablesAvecAdresses.xml."""
    body = f"<PERSONNES>{persons}</PERSONNES><RESPONSABLES>{links}</RESPONSABLES>{more}"
    return document("BEE_RESPONSABLES", body)


def individual(body: str = TEACHER + MATHS, key: str = "14001", kind: str = "epp") -> str:
    """Write a row of INDIVIDUS."""
    return f'<INDIVIDU ID="{key}" TYPE="{kind}">{body}</INDIVIDU>'


def service(*teachers: str) -> str:
    """Write a class with a service of these teachers: `epp:14001`."""
    rows = "".join(
        f'<ENSEIGNANT ID="{each.partition(":")[2]}" TYPE="{each.partition(":")[0]}"/>'
        for each in teachers
    )
    services = f'<SERVICE CODE_MATIERE="1"><ENSEIGNANTS>{rows}</ENSEIGNANTS></SERVICE>'
    return f'<DIVISION CODE="2DE 1"><SERVICES>{services}</SERVICES></DIVISION>'


def sts(*rows: str, divisions: str = "", groups: str = "", header: str = STS_HEADER) -> str:
    """Write sts_emp; one teacher of mathematics unless told otherwise."""
    people = "".join(rows or [individual()])
    classes = f"<DIVISIONS>{divisions}</DIVISIONS><GROUPES>{groups}</GROUPES>"
    start = '<?xml version="1.0" encoding="ISO-8859-15"?>\n<STS_EDT>'
    body = f"<INDIVIDUS>{people}</INDIVIDUS><STRUCTURE>{classes}</STRUCTURE>"
    return f"{start}<PARAMETRES>{header}</PARAMETRES><DONNEES>{body}</DONNEES></STS_EDT>"


def load(folder: Path, *texts: str | bytes, audience: Audience = "pupil") -> Roster:
    """Read these exports together, under names that tell nothing."""
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"export{number}.xml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("iso8859-15"))
        paths.append(path)
    return read(paths, school=school(), audience=audience)


def refused(folder: Path, *texts: str | bytes, audience: Audience = "pupil") -> list[str]:
    """Give the problems that these exports are refused for."""
    with pytest.raises(RosterRejected) as caught:
        load(folder, *texts, audience=audience)
    return [str(problem) for problem in caught.value.problems]
