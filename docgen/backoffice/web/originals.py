"""Paper originals, received at a desk: a code is scanned, or its reference typed, one by one."""

from datetime import datetime

from django import forms
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from docgen import pagecode
from docgen.backoffice import arrivals, originals
from docgen.backoffice.arrivals import Attestations
from docgen.backoffice.models import Attestation, Original, School, User
from docgen.backoffice.web import departments
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    REGION,
    Asked,
    one,
    page,
    say,
    screen,
    seen,
    warn,
)
from docgen.backoffice.web.inputs import Form
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import InvalidInput
from docgen.typography import NBSP, date_in_words

SHOWN = 10  # of what was received last
LONGEST = 60  # characters of a code, as the API takes it
POSTED = (("oui", "Posté"), ("non", "Pas indiqué posté"))
CORRECTED = "Lu {reference} : les lettres O, I et L n’existent pas dans une référence."


class Reception(Form):
    """What a barcode reader types, or a person."""

    code = forms.CharField(
        label="Code ou référence de l’original",
        help_text="Scannez un code de l’attestation, ou tapez la référence imprimée à côté : "
        "AT-XXXX-XXXX.",
        max_length=LONGEST,
        widget=forms.TextInput(
            attrs={
                "autofocus": True,
                "data-select": True,  # what was refused is scanned over
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": "Scannez un code, ou tapez une référence."},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE, REGION)
def desk(request: Asked) -> HttpResponseBase:
    """Receive originals one after the other, and tell what came and what is awaited."""
    form = Reception(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            _receive(request, form.cleaned_data["code"])
        except InvalidInput as error:
            form.take(error, code="code")
        else:
            return redirect("originals")
    status = 422 if form.errors else 200
    return page(request, "web/originals/desk.html", {"form": form, **_told(request)}, status=status)


@require_POST
@screen(BACK_OFFICE, REGION)
def undo(request: Asked, attestation: str) -> HttpResponseBase:
    """Take back a reception."""
    row = one(seen(Attestation, request), public_id=attestation)
    try:
        originals.not_received(row, request.who.label)
    except InvalidInput as error:
        warn(request, " ".join(f"{each.what} {each.remedy}" for each in error.problems))
    else:
        say(request, f"L’original de {_name(row)} est de nouveau attendu.")
    return redirect("originals")


def _receive(request: Asked, text: str) -> None:
    now = timezone.now()
    found = originals.received(text, request.who, now)
    row = one(seen(Attestation, request), pk=found.pk)
    if found.received_at != now and found.received_at:
        who = "par vous" if found.received_by == request.who.label else "par un autre compte"
        day = timezone.localtime(found.received_at)
        when = f"le {date_in_words(day.date())} à {day:%H:%M}"
        warn(request, f"L’original de {_name(row)} était déjà reçu, {when}, {who}. Rien ne change.")
        return
    told = [f"Original de {_name(row)} reçu."]
    if reference := _corrected(text):
        told.append(CORRECTED.format(reference=reference))
    say(request, " ".join(told), undo=reverse("originals-undo", args=(row.public_id,)))


def _corrected(text: str) -> str:
    """Give a reference as it was understood, when it was typed with letters that it never has."""
    typed = "".join(each for each in text.upper() if each.isalnum())
    if typed.startswith(pagecode.PREFIX) and len(typed) == pagecode.LENGTH:
        return ""
    reference = pagecode.parse_reference(text)
    return "" if reference.replace("-", "") == typed else reference


def _name(row: Attestation) -> str:
    return f"l’attestation n°{NBSP}{row.number} de {row.school_id} ({row.school_year})"


def _told(request: Asked) -> dict[str, object]:
    """Give what came today, what came last, and what is awaited."""
    received = seen(Original, request).filter(received_at__isnull=False)
    today = received.filter(received_at__gte=_midnight(timezone.now()))
    last = received.select_related("school", "attestation").order_by("-received_at")
    listing = _awaited(request)
    return {
        "today": today.count(),
        "mine": today.filter(received_by=request.who.label).count(),
        "last": _with_names(request, last.defer(*_unsaid())[:SHOWN]),
        "listing": listing,
        "awaited": [(row, row.references.get(originals.MAILED, "")) for row in listing.rows],
    }


def _unsaid() -> list[str]:
    return [f"attestation__{name}" for name in arrivals.UNSAID]


def _with_names(request: Asked, rows: QuerySet[Original]) -> list[tuple[Original, str]]:
    """Put beside originals who received them, as far as the sender may know."""
    found = list(rows)
    labels = {row.received_by for row in found}
    keys = [label.removeprefix("user:") for label in labels if label.startswith("user:")]
    accounts = seen(User, request).filter(pk__in=[key for key in keys if key.isdigit()])
    known = {f"user:{user.pk}": user.username for user in accounts}
    known[request.who.label] = "vous"
    return [(row, known.get(row.received_by, "un autre compte")) for row in found]


def _awaited(request: Asked) -> Listing:
    uais = seen(School, request).values_list("pk", flat=True)
    return Listing(
        request,
        arrivals.awaited(seen(Attestation, request)),
        search=("school__name", "school__uai", "school__city"),
        sorts={
            "recue": ("mailed_at",),
            "etablissement": ("school__name",),
            "poste": ("original__posted_date",),
        },
        filters=(
            Filter("poste", "Posté", POSTED, _posted),
            Filter("dep", "Département", departments.choices(uais), _in_department),
        ),
        label="Établissement, UAI ou commune",
    )


def _posted(rows: Attestations, value: str) -> QuerySet[Attestation]:
    return rows.filter(original__posted_date__isnull=value == "non")


def _in_department(rows: Attestations, code: str) -> QuerySet[Attestation]:
    return rows.filter(school__uai__startswith=code)


def _midnight(now: datetime) -> datetime:
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


urls: list[URLPattern] = [
    path("region/originaux/", desk, name="originals"),
    path("region/originaux/<uuid:attestation>/annuler/", undo, name="originals-undo"),
]
