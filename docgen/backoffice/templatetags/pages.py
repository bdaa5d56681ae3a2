"""What templates of pages can say: files, dressed fields, heads of columns, French numbers."""

from datetime import date, datetime
from typing import Any

from django import forms, template
from django.forms import BoundField
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from docgen import typography

register = template.Library()
UNDO = "undo:"
CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, ""),
    (forms.RadioSelect, ""),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Widget, "form-control"),
)


@register.simple_tag
def asset(name: str) -> str:
    """Give the address of a file that pages load."""
    from docgen.backoffice.web import assets

    return assets.address(name)


@register.filter
def dressed(field: BoundField) -> SafeString:
    """Draw a field as our style wants it; its help and its errors are already tied to it."""
    kind = next(name for widget, name in CLASSES if isinstance(field.field.widget, widget))
    given = field.field.widget.attrs.get("class", "")
    wrong = "is-invalid" if field.errors and kind else ""
    return field.as_widget(attrs={"class": " ".join(filter(None, (kind, given, wrong)))})


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Tell whether the label of a field stands after it."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.simple_tag
def sorted_by(listing: Any, name: str, label: str) -> SafeString:  # noqa: ANN401 - a Listing
    """Draw the head of a column that sorts its list, and turns the order when it did."""
    is_sorted = listing.sort.removeprefix("-") == name
    is_turned = listing.sort.startswith("-")
    target = f"-{name}" if is_sorted and not is_turned else name
    is_falling = listing.is_falling  # the newest first, say, is the usual way of some columns
    state = ("descending" if is_falling else "ascending") if is_sorted else "none"
    mark = (" ▼" if is_falling else " ▲") if is_sorted else ""
    return format_html(
        '<th scope="col" aria-sort="{}"><a href="{}" hx-get="{}" hx-target="#list" '
        'hx-select="#list" hx-swap="outerHTML" hx-push-url="true">{}'
        '<span aria-hidden="true">{}</span></a></th>',
        *(state, listing.link(tri=target), listing.link(tri=target), label, mark),
    )


@register.filter
def number(value: float | str | None) -> str:
    """Write a number as French wants it: « 12 345 », « 12 345,6 »."""
    if value is None or value == "":
        return ""
    return f"{value:,}".replace(",", typography.THIN).replace(".", ",")


@register.filter
def french(text: object) -> str:
    """Set a sentence as French typography wants it; never a name nor a serial."""
    return typography.french(str(text))


@register.filter
def day(moment: date | None) -> str:
    """Write a day in words, where the schools are: « 1er septembre 2026 »."""
    local = timezone.localtime(moment) if isinstance(moment, datetime) else moment
    return typography.date_in_words(local) if local else ""


@register.filter
def moment(at: datetime | None) -> str:
    """Write a day and its hour, where the schools are: « 1er septembre 2026 à 08:30 »."""
    return f"{day(at)} à {timezone.localtime(at):%H:%M}" if at else ""


@register.filter
def size(octets: float) -> str:
    """Write the size of a file as people here do: « 340 ko », « 2,5 Mo », « 2 Go »."""
    unit = "octets"
    for unit in ("octets", "ko", "Mo", "Go"):
        if octets < 1000 or unit == "Go":
            break
        octets /= 1024
    told = round(octets, 1) if octets < 10 else round(octets)
    return f"{number(int(told) if told == int(told) else told)}{typography.NBSP}{unit}"


@register.filter
def undo(message: Any) -> str:  # noqa: ANN401 - a message of Django's
    """Give where a POST takes back what a message tells; "" when it cannot be."""
    tags = str(message.extra_tags or "")
    return tags.removeprefix(UNDO) if tags.startswith(UNDO) else ""


@register.filter
def plural(count: int, forms: str = ",s") -> str:
    """Choose between two endings: French counts 0 and 1 as singular. `{{ n|plural:"al,aux" }}`."""
    one, _, many = forms.partition(",")
    return many if abs(count) >= 2 else one


@register.filter
def duration(seconds: float | None) -> str:
    """Say about how long something takes: « 40 secondes », « 3 minutes », « 1 h 20 »."""
    if seconds is None:
        return ""
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole}{typography.NBSP}seconde{plural(whole)}"
    minutes = round(whole / 60)
    if minutes < 90:
        return f"{minutes}{typography.NBSP}minutes"
    hours, left = divmod(minutes, 60)
    return f"{hours}{typography.NBSP}h{typography.NBSP}{left:02}"
