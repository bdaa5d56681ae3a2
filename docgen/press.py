"""The press: records and a template become the volumes of a print job, or every problem at once."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal

from docgen import pagecode
from docgen.errors import InvalidInput, Problem, ValuesRejected
from docgen.fields import clean
from docgen.library import Template
from docgen.manifest import Layout, Variant
from docgen.pagecode import Key
from docgen.records import (
    Fact,
    Person,
    Roster,
    School,
    joined,
    person_facts,
    school_facts,
)
from docgen.rendering.cache import load_form
from docgen.rendering.filling import Copy
from docgen.rendering.imposition import impose
from docgen.rendering.pdfx import read_intent
from docgen.rendering.printfile import Document, Run
from docgen.rendering.symbols import load_table

VOLUME = 500  # documents in a volume: what a shop opens at ease, and the unit of a retry
# Letters that Unicode does not take apart, as French readers look for them.
LETTERS = str.maketrans(
    {
        **dict(zip("ŁłØøĐđÐðĦħıŊŋŦŧ", "LlOoDdDdHhiNnTt", strict=True)),
        "Œ": "OE",
        "œ": "oe",
        "Æ": "AE",
        "æ": "ae",
        "Þ": "TH",
        "þ": "th",
    }
)
COPIES = ("Exemplaire établissement", "Exemplaire famille")
Ordering = Literal["class", "name"]


@dataclass(frozen=True)
class Order:
    """What is to be pressed: a template and a layout, for which people of a school, and how.

    `on` is the day on which people are minors or adults, unless their tablet has a date. With the
    ICC `profile` of a press, the files are PDF/X-4.
    """

    template: Template
    layout: Layout
    school: School
    roster: Roster
    on: date
    classes: tuple[str, ...] = ()
    copies: int = 0
    separators: bool = False
    volume: int = VOLUME
    ordering: Ordering = "class"
    profile: Path | None = None

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """The mark of each copy; a single copy has none."""
        manifest = self.template.manifest
        count = self.copies or manifest.default_copies
        if count == 1:
            return ("",)
        names = manifest.copies or COPIES
        more = (f"Exemplaire {n}" for n in range(len(names) + 1, count + 1))
        return (*names[:count], *more)

    @cached_property
    def identity(self) -> tuple[str, ...]:
        """What makes two jobs print the same documents, and so the same codes."""
        manifest = self.template.manifest
        year = self.roster.school_year
        return (manifest.slug, manifest.version, self.layout.name, self.school.uai, year)


@dataclass
class Job:
    """An order made ready: its run, and its documents one by one, in the order of printing.

    `constants` are the values that are the same for everybody. `count` is how many documents there
    will be when nothing is refused. `problems` grows as the documents are drawn; a job with
    problems must not be delivered.
    """

    order: Order
    key: Key
    cache: Path
    people: Iterable[Person]
    count: int
    constants: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def run(self) -> Run:
        """The run of the job, its layout compiled when first asked for.

        Raises:
            LayoutOverflows: when the template breaks its promise of pages.
            InvalidInput: for a template with colours, or a profile that is not a press's.
        """
        order, manifest = self.order, self.order.template.manifest
        form = load_form(order.template, order.layout, self.cache)
        if order.profile and not form.grey:
            what = "ce modèle a des couleurs, et les fichiers PDF/X-4 sont faits pour le noir seul."
            raise InvalidInput(Problem(what, manifest.slug, "Imprimez-le sans --pdf-x."))
        imposition = impose(form, order.layout, manifest.codes)
        symbols = load_table(self.cache)
        intent = read_intent(order.profile, manifest.title, order.on) if order.profile else None
        return Run(
            *(manifest, form, imposition, self.constants, self.key, symbols),
            separators=order.separators,
            by_class=order.ordering == "class",
            intent=intent,
        )

    def documents(self) -> Iterator[Document]:
        """Give the documents; people whose values are refused are left out and reported."""
        self.problems.clear()
        fields = [each for each in self.order.template.manifest.fields if not each.is_constant]
        taken: set[str] = set()
        for person in self.people:
            cession = self.order.roster.cessions.get(person.id)
            device = self.order.roster.devices.get(cession.serial) if cession else None
            facts = person_facts(person, cession, device)
            values: dict[str, Fact] = {each.name: facts.get(each.source) for each in fields}
            where = f"personne {person.id}"
            try:
                variant = self._variant(person, cession.ceded_date if cession else None, where)
                cleaned = clean(fields, values, where)
            except ValuesRejected as error:
                self.problems += error.problems
                continue
            for mark in self.order.marks:
                number, reference = self._numbered(person, mark, cleaned, taken)
                copy = Copy(where, variant.name, cleaned, reference, mark)
                title = joined(person.usage_name or person.family_name, person.first_name)
                yield Document(person.id, person.division, title, number, copy)

    @cached_property
    def _said(self) -> str:
        """What all the documents say alike."""
        return _digest(self.constants)

    def _variant(self, person: Person, ceded: date | None, where: str) -> Variant:
        manifest = self.order.template.manifest
        if all(variant.when == "always" for variant in manifest.variants):
            return manifest.variants[0]
        adult = person.is_adult(ceded or self.order.on)
        if adult is None:
            raise ValuesRejected(
                Problem(
                    "la date de naissance manque : on ne sait pas si la personne est majeure.",
                    where,
                    "Complétez-la dans le fichier de l’établissement.",
                )
            )
        return manifest.variant(adult)

    def _numbered(
        self, person: Person, mark: str, values: Mapping[str, str], taken: set[str]
    ) -> tuple[bytes, str]:
        """Number a document by all that it says: paper that says something else has another number.

        A reference already taken in the job is drawn again, the same way.
        """
        prefix = self.order.template.manifest.reference
        said = _digest(values)
        for attempt in range(1000):
            facts = (*self.order.identity, person.id, mark, self._said, said, str(attempt))
            number = pagecode.document_number(self.key, *facts)
            reference = pagecode.reference(prefix, number)
            if reference not in taken:
                taken.add(reference)
                return number, reference
        raise InvalidInput("Trop de documents dans un lot : les références se répètent.")


def _digest(values: Mapping[str, str]) -> str:
    content = "\0".join(f"{name}\0{text}" for name, text in sorted(values.items()))
    return sha256(content.encode()).hexdigest()


def prepare(order: Order, key: Key, cache: Path) -> Job:
    """Check an order and make it ready; nothing is laid out yet.

    Raises:
        InvalidInput: for an unknown class, nobody to print for, or values of the school refused.
    """
    manifest = order.template.manifest
    if order.separators and order.ordering != "class":
        what = "les intercalaires séparent des classes : ils demandent l’ordre par classe."
        raise InvalidInput(Problem(what, "--separators", "Retirez --order name."))
    if manifest.engine != "press":
        what = f"« {manifest.slug} » ne s’imprime pas par lot : sa longueur dépend de ses valeurs."
        command = "docgen word" if manifest.engine == "word" else "docgen fill"
        raise InvalidInput(Problem(what, "modèle", f"Employez {command}."))
    people = select(order)
    constants = [each for each in manifest.fields if each.is_constant]
    facts = school_facts(order.school, order.roster.school_year)
    values = {each.name: facts.get(each.source) for each in constants}
    cleaned = clean(constants, values, f"établissement {order.school.uai}")
    return Job(order, key, cache, people, len(people) * len(order.marks), cleaned)


def select(order: Order) -> list[Person]:
    """Give the people of an order, in the order of printing.

    Raises:
        InvalidInput: for a class that the files do not know, or when nobody is left.
    """
    people = list(order.roster.people)
    known = {person.division for person in people}
    if unknown := [name for name in order.classes if name not in known]:
        remedy = f"Classes connues : {', '.join(sorted(known, key=natural)) or 'aucune'}."
        raise InvalidInput(
            Problem(f"la classe « {name} » n’existe pas.", "--class", remedy) for name in unknown
        )
    if order.classes:
        people = [person for person in people if person.division in order.classes]
    if not people:
        raise InvalidInput("Personne à imprimer : les fichiers ne contiennent aucun bénéficiaire.")

    def rank(person: Person) -> tuple[object, ...]:
        name = (folded(person.usage_name or person.family_name), folded(person.first_name))
        division = natural(person.division) if order.ordering == "class" else ()
        return (division, person.division if division else "", *name, person.id)

    return sorted(people, key=rank)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Give the key that sorts « 2DE 2 » before « 2DE 10 »."""
    parts = re.split(r"(\d+)", folded(text))
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)


def folded(text: str) -> str:
    """Give the key that sorts names without regard to accents, case or hyphens."""
    bare = unicodedata.normalize("NFKD", text.translate(LETTERS))
    letters = (c for c in bare if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in letters).casefold()
