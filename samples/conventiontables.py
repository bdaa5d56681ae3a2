"""The tables of our Word models: those of the conventions by name, and plain lines."""

from collections.abc import Callable, Sequence
from typing import Any

from docx.document import Document as Word
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm
from docx.table import Table

from samples.conventionstyles import widths

WIDTH = 170.0  # mm between the margins
SHADE = "EEF1F6"
Rows = Sequence[Sequence[str]]
MINOR, END = ("{%tr if mineur %}",), ("{%tr endif %}",)
THE_SCHOOL = (
    ("L’établissement", "{{ etablissement_nom }} (UAI\u00a0{{ etablissement_uai }})"),
    (
        "",
        "{{ etablissement_adresse }}, {{ etablissement_code_postal }} {{ etablissement_ville }}",
    ),
    ("", "Tél.\u00a0{{ etablissement_telephone }} – {{ etablissement_courriel }}"),
    ("", "représenté par {{ chef_nom }}, {{ chef_qualite }}"),
)
ITEMS = (
    "Bloc d’alimentation",
    "Câble de charge",
    "Étui ou clavier",
    "Carte mémoire",
    "Autre\u00a0: ",
)


def _grid(word: Word, shares: tuple[float, ...], title: str, about: str) -> Table:
    table: Table = word.add_table(rows=0, cols=len(shares), style="Table Grid")
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
    properties = table._tbl.tblPr
    for tag, text in (("w:tblCaption", title), ("w:tblDescription", about)):
        element = OxmlElement(tag)
        element.set(qn("w:val"), text)
        properties.append(element)
    for column, width in zip(table.columns, widths(WIDTH, shares), strict=True):
        column.width = width
    return table


WRITTEN = 7.0  # mm: a line that may be filled by hand


def _row(
    table: Table,
    texts: Sequence[str],
    *,
    heading: bool = False,
    first: str = "Cellule",
    height: float = 0,
) -> None:
    row = table.add_row()  # type: ignore[no-untyped-call]
    properties = row._tr.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if heading:
        properties.append(OxmlElement("w:tblHeader"))
    if height:
        row.height, row.height_rule = Mm(height), WD_ROW_HEIGHT_RULE.AT_LEAST
    for index, cell in enumerate(row.cells):
        if index and height == WRITTEN:
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
        cell.width = table.columns[index].width
        text = texts[index] if index < len(texts) else ""
        paragraph = cell.paragraphs[0]
        style = "Intitulé" if heading else (first if index == 0 else "Cellule")
        paragraph.style = "Balise" if text.startswith("{%") else style
        paragraph.add_run(text)
        if heading or (index == 0 and first == "Intitulé"):
            _shade(cell)


def _shade(cell: Any) -> None:  # noqa: ANN401 - python-docx's own cell
    shade = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", SHADE)):
        shade.set(qn(f"w:{key}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _parties(word: Word, person: Rows) -> None:
    table = _grid(word, (2.6, 9), "Les parties", "Qui prête et qui reçoit le matériel.")
    lines = (*THE_SCHOOL, *person)
    starts = []
    for index, line in enumerate(lines):
        is_tag = line[0].startswith("{%")
        is_condition = any(cell.startswith("{%") for cell in line)
        height = WRITTEN if index >= len(THE_SCHOOL) and not is_condition else 0
        _row(table, line, first="Balise" if is_tag else "Intitulé", height=height)
        if line[0] and not line[0].startswith("{%"):
            starts.append(len(table.rows) - 1)
    _merge_groups(table, starts, [i for i, line in enumerate(lines) if line[0].startswith("{%")])


def _merge_groups(table: Table, starts: list[int], tags: list[int]) -> None:
    """Let a heading stand beside all its lines."""
    for start in starts:
        end = start
        while end + 1 < len(table.rows) and end + 1 not in (*starts, *tags):
            end += 1
        if end > start:
            for index in range(start + 1, end + 1):
                for paragraph in table.cell(index, 0).paragraphs:
                    paragraph.style = "Intitulé"
            merged = table.cell(start, 0).merge(table.cell(end, 0))
            for extra in merged.paragraphs[1:]:
                extra._p.getparent().remove(extra._p)


def _if_any(name: str, usage: str) -> Rows:
    """Give the line of a usage name: none for who has none, unless all is left to write."""
    tag = f"{{%tr if {usage} or not {name} %}}"
    return (
        ("", tag),
        ("", f"Nom d’usage\u00a0: {{{{ {usage} }}}}"),
        ("", *END),
    )


def _parties_pupil(word: Word) -> None:
    guardians = (
        MINOR,
        ("Ses représentants légaux", "{{ representant1_nom }}"),
        ("", "{{ representant2_nom }}"),
        END,
    )
    _parties(
        word,
        (
            ("L’élève", "Nom de famille\u00a0: {{ eleve_nom }}"),
            *_if_any("eleve_nom", "eleve_nom_usage"),
            ("", "Prénom\u00a0: {{ eleve_prenom }}"),
            ("", "Né(e) le {{ eleve_naissance }} – classe\u00a0: {{ eleve_classe }}"),
            *guardians,
        ),
    )


def _parties_staff(word: Word) -> None:
    _parties(
        word,
        (
            ("L’agent", "Nom de famille\u00a0: {{ agent_civilite }} {{ agent_nom }}"),
            *_if_any("agent_nom", "agent_nom_usage"),
            ("", "Prénom\u00a0: {{ agent_prenom }}"),
            ("", "Fonction\u00a0: {{ agent_fonction }}"),
            ("", "Adresse professionnelle\u00a0: celle de l’établissement"),
        ),
    )


def _equipment(word: Word) -> None:
    about = "Chaque élément prêté, son numéro, son état à la remise et au retour."
    table = _grid(word, (3.3, 3.3, 3.3, 3.3), "Le matériel prêté", about)
    titles = ("Matériel", "N° de série ou référence", "État à la remise", "État au retour")
    _row(table, [title.replace("N° ", "N°\u00a0") for title in titles], heading=True)
    _row(
        table,
        (
            "Tablette, modèle\u00a0: {{ tablette_modele }}",
            "{{ tablette_serie }}",
            "{{ etat_remise }}",
        ),
        first="Intitulé",
        height=11,
    )
    for item in ITEMS:
        _row(table, (item,), first="Intitulé", height=9)


def _findings(word: Word) -> None:
    about = "Dates et signatures des constats d’état, à la remise et au retour."
    table = _grid(word, (2.6, 5, 5), "Constats d’état", about)
    _row(table, ("Constat", "À la remise", "Au retour"), heading=True)
    _row(table, ("Date", "", ""), first="Intitulé", height=8)
    _row(table, ("Observations", "", ""), first="Intitulé", height=16)
    _row(table, ("Pour l’établissement", "", ""), first="Intitulé", height=14)
    _row(table, ("Pour l’emprunteur", "", ""), first="Intitulé", height=14)


def _signatures(word: Word, groups: Sequence[tuple[Sequence[str], str]]) -> None:
    table = _grid(word, (1, 1), "Signatures", "Qui signe, à quelle date.")
    for titles, condition in groups:
        if condition:
            _row(table, (f"{{%tr if {condition} %}}",), first="Balise")
        _row(table, titles, heading=False, first="Cellule")
        _strengthen(table, "Intitulé")
        _row(table, ("Le", "Le") if titles[1] else ("Le", ""), height=27)
        if condition:
            _row(table, ("{%tr endif %}",), first="Balise")


def _strengthen(table: Table, style: str) -> None:
    for cell in table.rows[-1].cells:
        cell.paragraphs[0].style = style
        cell.paragraphs[0].paragraph_format.keep_with_next = True
        if cell.text:
            _shade(cell)


def start_lines(word: Word, title: str) -> None:
    """Start a table of labels and values; `add_line` gives it its lines."""
    _grid(word, (3.4, 9), title, "Un intitulé et sa valeur par ligne.")


def add_line(word: Word, line: str) -> None:
    """Add `| label | value |` to the last table; a third cell is the least height (mm)."""
    label, value, *height = (cell.strip() for cell in line.strip("|").split("|"))
    _row(word.tables[-1], (label, value), first="Intitulé", height=float(*height))


# As manifest.toml says them: that is how a zone is found on paper.
SCHOOL_SIGNS = "Signature et cachet de l’établissement"


def _signatures_pupil(word: Word) -> None:
    guardian = "Signature du représentant légal"
    guardians = (f"{guardian}\u00a01", f"{guardian}\u00a02 (s’il y a lieu)")
    _signatures(word, (((SCHOOL_SIGNS, "Signature de l’élève"), ""), (guardians, "mineur")))


def _signatures_staff(word: Word) -> None:
    _signatures(word, (((SCHOOL_SIGNS, "Signature de l’agent"), ""),))


def _receipt(word: Word, who: str) -> None:
    about = "Ce que l’établissement reconnaît avoir reçu, et les réserves qu’il fait."
    table = _grid(word, (3.4, 9), "Reçu de restitution", about)
    _row(table, ("Rendu par", who), first="Intitulé", height=WRITTEN)
    _row(table, ("Tablette", "N°\u00a0{{ tablette_serie }}"), first="Intitulé", height=WRITTEN)
    _row(table, ("Date de restitution", ""), first="Intitulé", height=8)
    _row(table, ("Éléments manquants ou abîmés", ""), first="Intitulé", height=14)
    _row(table, ("Nom, signature et cachet", ""), first="Intitulé", height=22)


TABLES: dict[str, Callable[[Word], None]] = {
    "parties-eleve": _parties_pupil,
    "parties-personnel": _parties_staff,
    "materiel": _equipment,
    "constats": _findings,
    "signatures-eleve": _signatures_pupil,
    "signatures-personnel": _signatures_staff,
    "recu-eleve": lambda word: _receipt(word, "{{ eleve_nom }} {{ eleve_prenom }}"),
    "recu-personnel": lambda word: _receipt(word, "{{ agent_nom }} {{ agent_prenom }}"),
}
