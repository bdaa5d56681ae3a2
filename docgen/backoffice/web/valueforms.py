"""A template's manifest as a form: its fields, their help, their checks, in sections.

Names start with `champ-`, so that no field of a template is taken for a button of the page. What is
wrong with a value is what `docgen.fields` says of it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.http import QueryDict

from docgen import identifiers
from docgen.backoffice.web.inputs import DateInput, Form
from docgen.backoffice.web.rowfields import RowsField, told
from docgen.errors import DocgenError, ValuesRejected
from docgen.fields import Field, clean, parse_date
from docgen.manifest import Manifest
from docgen.records import RUN_SOURCES, Fact
from docgen.typography import french

PREFIX = "champ"
FEW = 5  # choices shown all at once
SMALL = ("tick", "count", "date")
LINE = 80  # characters that one line shows
LONG = 60  # characters of an example that is shown
COLON = re.compile(r"(.+)\s:\s(.+)")
BREAKS = re.compile(r"\s*[\r\n]+\s*")
UPPER = {"autocapitalize": "characters", "autocomplete": "off", "spellcheck": "false"}
ATTRIBUTES: dict[str, dict[str, str]] = {
    "count": {"inputmode": "numeric", "class": "short"},
    "postal_code": {"inputmode": "numeric", "class": "short"},
    "serial": {**UPPER, "class": "medium"},
    "uai": {**UPPER, "class": "short"},
    "date": {"class": "medium"},
}
CORRECTED = {"serial": identifiers.serial, "uai": identifiers.normalise}
SCHOOL, PERSON, REST = "L’établissement", "La personne et sa tablette", "À compléter"


@dataclass(frozen=True, slots=True)
class Box:
    """A field of a section; `label` is short under a legend."""

    bound: BoundField
    label: str


@dataclass(slots=True)
class Group:
    """Fields that stand together, under their legend if they have one; a `kind` is side by side."""

    legend: str
    boxes: list[Box]
    kind: str


@dataclass(slots=True)
class Section:
    """A part of a form; what the records filled can be folded."""

    title: str
    groups: list[Group] = field(default_factory=list)
    is_folded: bool = False


class ValueField(forms.CharField):
    """A value of a template, checked by its manifest alone."""

    def __init__(self, wanted: Field, **options: Any) -> None:  # noqa: ANN401
        self.wanted = wanted
        super().__init__(
            label=wanted.label,
            required=wanted.required,
            help_text=_help(wanted),
            widget=_widget(wanted),
            **options,
        )

    def clean(self, value: Any) -> str:  # noqa: ANN401
        """Give the text as typed, on one line, once the manifest takes it."""
        text = BREAKS.sub(" ", str(self.to_python(value)))
        try:
            clean((self.wanted,), {self.wanted.name: text})
        except ValuesRejected as error:
            raise ValidationError(
                [told(each, self.wanted.label) for each in error.problems]
            ) from None
        return text

    def prepare_value(self, value: Any) -> Any:  # noqa: ANN401
        """Give what the browser shows; its calendar takes no other writing of a day."""
        if self.wanted.type == "date" and isinstance(value, str):
            return parse_date(value) or value
        return value


class ValuesForm(Form):
    """The form of a template. `corrected` are the fields where a letter O became a zero."""

    def __init__(
        self,
        manifest: Manifest,
        data: QueryDict | None = None,
        *,
        initial: Mapping[str, object] | None = None,
    ) -> None:
        self.corrected: set[str] = set()
        super().__init__(self._right(manifest, data), prefix=PREFIX, initial=dict(initial or {}))
        self.manifest = manifest
        for each in manifest.fields:
            self.fields[each.name] = made(each)

    def _right(self, manifest: Manifest, data: QueryDict | None) -> QueryDict | None:
        """Write serials and UAI as their labels do, and note what was changed."""
        if data is None:
            return None
        right = data.copy()
        for each in manifest.fields:
            name = self.html_name(each.name)
            if each.type in CORRECTED and (typed := right.get(name)):
                right[name] = CORRECTED[each.type](typed)
                if "O" in typed.upper() and each.type == "serial":
                    self.corrected.add(each.name)
        return right

    @staticmethod
    def html_name(name: str) -> str:
        """Give the name of a field as the browser sends it."""
        return f"{PREFIX}-{name}"

    @property
    def given(self) -> dict[str, Any]:
        """Give the values that were taken, as `docgen.single` wants them."""
        return dict(self.cleaned_data)

    def keep_only(self, name: str) -> None:
        """Forget what is wrong elsewhere than in one field: nobody has been there yet."""
        for each in [each for each in self.errors if each != name]:
            del self.errors[each]

    def take_values(self, error: DocgenError) -> None:
        """Put what the press refuses beside its fields; the rest above them."""
        for problem in error.problems:
            place = next(
                (
                    each.name
                    for each in self.manifest.fields
                    if problem.what.startswith(f"« {each.label} »")
                    or f", {each.label}, " in problem.where
                ),
                None,
            )
            label = self.fields[place].label if place else ""
            self.add_error(place, told(problem, str(label)))

    def sections(self) -> list[Section]:
        """Give the parts of the form: the person, what to complete, the school."""
        parts = {title: list[Field]() for title in (PERSON, REST, SCHOOL)}
        for each in self.manifest.fields:
            title = SCHOOL if each.source in RUN_SOURCES else PERSON if each.source else REST
            parts[title].append(each)
        made = [Section(title, list(self._groups(fields))) for title, fields in parts.items()]
        for section in made:
            section.is_folded = section.title == SCHOOL and self._is_filled(parts[SCHOOL])
        return [section for section in made if section.groups]

    def _is_filled(self, fields: Iterable[Field]) -> bool:
        """Tell whether nothing is left to do in these fields."""
        names = [each.name for each in fields]
        return not any(name in self.errors for name in names) and all(
            self[name].value() for name in names if self.fields[name].required
        )

    def _groups(self, fields: Iterable[Field]) -> Iterator[Group]:
        for (name, _), each in groupby(fields, lambda one: (_legend(one), _kind(one))):
            neighbours = list(each)
            is_alone = len(neighbours) == 1
            legend = "" if is_alone and not neighbours[0].group else name
            boxes = [Box(self[one.name], _short(one.label, legend)) for one in neighbours]
            kinds = {one.type for one in neighbours}
            is_small = kinds <= set(SMALL) and not is_alone
            yield Group(legend, boxes, kinds.pop() if is_small and len(kinds) == 1 else "")


def made(wanted: Field) -> forms.Field:
    """Make the field of a form from that of a manifest."""
    if wanted.type == "rows":
        return RowsField(wanted, help_text=french(wanted.help))
    if wanted.type == "tick":
        return forms.BooleanField(label=wanted.label, required=False, help_text=french(wanted.help))
    return ValueField(wanted)


def initial(fields: Iterable[Field], facts: Mapping[str, Fact]) -> dict[str, object]:
    """Give what the records know, by field."""
    known = {each.name: facts.get(each.source) for each in fields if each.source}
    return {name: value for name, value in known.items() if isinstance(value, date) or value}


def _legend(wanted: Field) -> str:
    """Give the group of a field: its own, or what its label says before the colon."""
    return wanted.group or (found[1] if (found := COLON.match(wanted.label)) else "")


def _kind(wanted: Field) -> str:
    """Tell what stands side by side with its like: boxes to tick, numbers, days."""
    return wanted.type if wanted.type in SMALL and not wanted.group else ""


def _short(label: str, legend: str) -> str:
    """Give what a label adds to its legend."""
    found = COLON.match(label)
    rest = found[2] if found and found[1] == legend else label
    return rest[:1].upper() + rest[1:]


def _widget(wanted: Field) -> forms.Widget:
    attributes = ATTRIBUTES.get(wanted.type, {})
    if wanted.type == "date":
        return DateInput(dict(attributes))
    if wanted.type == "prose" and wanted.max_length > LINE:
        return forms.Textarea({"rows": "3"})
    if wanted.type == "choice":
        empty = [] if wanted.required else [("", "Sans réponse")]
        choices = [*empty, *((each, each) for each in wanted.choices)]
        if len(wanted.choices) <= FEW:
            return forms.RadioSelect(choices=choices)
        return forms.Select(
            choices=choices if not wanted.required else [("", "Choisissez"), *choices]
        )
    return forms.TextInput(dict(attributes))


def _help(wanted: Field) -> str:
    """Say what is expected: the manifest's help, how long, and an example if it helps."""
    said = [wanted.help]
    if wanted.type == "prose":
        said.append(f"{wanted.max_length} caractères au plus.")
    is_told = bool(wanted.source) or wanted.type in ("date", "choice", "count", "tick")
    if wanted.sample and len(wanted.sample) <= LONG and not is_told:
        said.append(f"Exemple : {wanted.sample}")
    return " ".join(french(each) if each != wanted.sample else each for each in said if each)
