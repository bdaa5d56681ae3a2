"""Forms of the screens: how they are drawn, and what they ask of dates and files."""

from typing import Any

from django import forms
from django.forms.renderers import TemplatesSetting

from docgen.errors import DocgenError


class Renderer(TemplatesSetting):
    """Draws every form of the service alike."""

    form_template_name = "web/parts/form.html"
    field_template_name = "web/parts/field.html"


class DateInput(forms.DateInput):
    """A day, chosen in the browser's own calendar or typed."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class Form(forms.Form):
    """A form: no browser's own bubbles (`novalidate`), errors beside their fields and summed up."""

    required_css_class = "required"

    def take(self, error: DocgenError, **fields: str) -> None:
        """Put the problems of a service beside their fields: `fields` tells which, by `where`."""
        for problem in error.problems:
            name = fields.get(problem.where.replace(" ", "_"))
            text = f"{problem.what} {problem.remedy}".strip()
            self.add_error(name, text[:1].upper() + text[1:] if name else str(problem))
