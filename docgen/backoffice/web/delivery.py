"""One delivery: its mails, what servers said, and what somebody decides of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docgen.backoffice import deliveries
from docgen.backoffice.models import Delivery, Message, Posting, State, User
from docgen.backoffice.web.deliveries import looked_at, way_of_mail, with_mails
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, one, page, say, screen, seen, warn
from docgen.errors import InvalidInput

VERDICTS = {
    "accepted": "accepté par le serveur",
    "later": "à réessayer plus tard",
    "refused": "refusé par le serveur",
    "uncertain": "sans réponse",
    "found": "cherché : retrouvé",
    "absent": "cherché : introuvable",
    "unknown": "cherché : sans résultat",
    "retried": "relancé",
    "arrived": "dit arrivé",
    "not-arrived": "dit non arrivé",
    "bounced": "revenu",
    "delayed": "retardé en chemin",
    "delivered": "remis",
    "relayed": "transmis plus loin",
    "expanded": "transmis à une liste",
}
ADVICE = {
    Posting.HELD: "Regardez le document signé. S’il convient tel quel, laissez-le partir ; sinon, "
    "demandez une nouvelle numérisation à l’établissement : elle remplacera celle-ci.",
    Posting.REFUSED: "Corrigez ce que dit le serveur (souvent l’adresse), puis relancez.",
    Posting.UNCERTAIN: "Le message a été remis sans que le serveur réponde : il est peut-être "
    "arrivé. Demandez au destinataire s’il l’a, puis dites-le ici.",
    Posting.REPLACED: "Une version plus récente le remplace : il n’y a rien à faire.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of a mail, when, and by whom when somebody said it."""

    at: datetime
    label: str
    code: int
    words: str
    by: str


@require_safe
@screen(BACK_OFFICE)
def shown(request: Asked, delivery: str) -> HttpResponseBase:
    """Show a delivery."""
    row = one(with_mails(request, seen(Delivery, request)), pk=delivery)
    mails, way = _mails(row), way_of_mail()
    labels = {each.get("by", "") for mail in mails for each in mail.answers} - {""}
    names = _names(request, labels)
    facts = {
        "row": row,
        "why": deliveries.why(row),
        "advice": ADVICE.get(Posting(row.stage), ""),
        "mails": [(mail, [_said(each, names) for each in mail.answers]) for mail in mails],
        "way": way,
        "may_release": row.stage == Posting.HELD,
        "may_retry": _may_retry(row),
        "uncertain": [mail for mail in mails if _is_uncertain(mail)],
        "is_running": bool(way["is_approved"]) and _is_moving(row, mails),
    }
    return page(request, "web/deliveries/one.html", facts)


@require_safe
@screen(BACK_OFFICE)
def mail(request: Asked, delivery: str, part: int) -> HttpResponseBase:
    """Show a mail as whoever receives it sees it."""
    row = one(with_mails(request, seen(Delivery, request)), pk=delivery)
    found = next((each for each in _mails(row) if each.part == part), None)
    if found is None:
        raise Http404
    facts = {"row": row, "mail": found, "look": looked_at(found)}
    return page(request, "web/deliveries/mail.html", facts)


@require_POST
@screen(BACK_OFFICE)
def retry(request: Asked, delivery: str) -> HttpResponseBase:
    """Send again what was refused, look for what is uncertain."""
    row = one(seen(Delivery, request), pk=delivery)
    return _done(request, row, deliveries.retry, "L’envoi est relancé.")


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def release(request: Asked, delivery: str) -> HttpResponseBase:
    """Let go what is held; a mail that left cannot be called back, so it is asked first."""
    row = one(seen(Delivery, request).select_related("school", "attestation"), pk=delivery)
    if request.POST.get("confirmed"):
        return _done(request, row, deliveries.release, "L’envoi part.")
    about = f"L’attestation n° {row.attestation.number} de {row.school_id}"
    to = row.recipient or "la boîte de la Région"
    facts = {
        "title": "Laisser partir cet envoi ?",
        "consequence": f"{about} sera envoyée à {to} telle qu’elle est. Un courriel parti ne se "
        "rappelle pas.",
        "button": "Laisser partir",
    }
    return _asked(request, row, facts)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def arrived(request: Asked, delivery: str) -> HttpResponseBase:
    """Record that an uncertain mail arrived."""
    facts = {
        "title": "Ce message est bien arrivé ?",
        "consequence": "Il sera compté comme envoyé, et ne sera pas envoyé de nouveau. Dites-le "
        "seulement si le destinataire l’a sous les yeux.",
        "button": "Oui, il est arrivé",
    }
    return _settled(request, delivery, facts, is_sent=True)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def not_arrived(request: Asked, delivery: str) -> HttpResponseBase:
    """Record that an uncertain mail did not arrive: it goes again."""
    facts = {
        "title": "Ce message n’est pas arrivé ?",
        "consequence": "Il sera envoyé de nouveau. S’il était arrivé malgré tout, son "
        "destinataire l’aura deux fois.",
        "button": "Non, l’envoyer de nouveau",
    }
    return _settled(request, delivery, facts, is_sent=False)


def _settled(
    request: Asked, delivery: str, facts: dict[str, str], *, is_sent: bool
) -> HttpResponseBase:
    row = one(seen(Delivery, request), pk=delivery)
    part = _part(request)
    if not request.POST.get("confirmed"):
        about = {"title": f"Partie {part} : {facts['title'][0].lower()}{facts['title'][1:]}"}
        return _asked(request, row, facts | (about if part else {}))

    def settle(row: Delivery, by: str) -> None:
        deliveries.settle(row, by, is_sent=is_sent, part=part)

    told = "Le message est compté comme envoyé." if is_sent else "Le message repart."
    return _done(request, row, settle, told)


def _done(
    request: Asked, row: Delivery, act: Callable[[Delivery, str], None], told: str
) -> HttpResponseBase:
    """Do something to a delivery; what does not go with where it is by now is said."""
    try:
        act(row, request.who.label)
    except InvalidInput as error:
        texts = (f"{each.what[:1].upper()}{each.what[1:]} {each.remedy}" for each in error.problems)
        warn(request, " ".join(texts))
    else:
        say(request, told)
    return redirect("delivery", row.pk)


def _asked(request: Asked, row: Delivery, facts: dict[str, str]) -> HttpResponseBase:
    back = reverse("delivery", args=(row.pk,))
    return page(request, "web/parts/confirm.html", {**facts, "back": back})


def _mails(row: Delivery) -> list[Message]:
    """Give the mails of a delivery, part by part; those that others replaced, only for want."""
    mails = sorted(row.messages.all(), key=lambda each: (each.part, each.created_at))
    return [each for each in mails if each.stage != Posting.REPLACED] or mails


def _may_retry(row: Delivery) -> bool:
    """Tell whether trying again may change anything; the service decides whether it does."""
    if row.stage in (Posting.HELD, Posting.REPLACED):
        return False
    return row.stage != Posting.SENT or row.is_test


def _is_moving(row: Delivery, mails: list[Message]) -> bool:
    """Tell whether something is about to happen by itself: it is composed, or it is sent."""
    works: list[Delivery | Message] = [row, *mails]
    is_due = row.stage == Posting.NEW and any(map(_is_at_work, works))
    return is_due or row.stage == Posting.SENDING


def _is_at_work(work: Delivery | Message) -> bool:
    is_next = work.state == State.WAITING and work.delayed_until is None
    return is_next or work.state == State.CLAIMED


def _is_uncertain(mail: Message) -> bool:
    is_stuck = mail.stage == Posting.SENDING and mail.state == State.QUARANTINED
    return mail.stage == Posting.UNCERTAIN or is_stuck


def _said(told: dict[str, object], names: dict[str, str]) -> Said:
    verdict, by = str(told["verdict"]), str(told.get("by", ""))
    at = datetime.fromisoformat(str(told["at"]))
    code = told["code"] if isinstance(told["code"], int) else 0
    who = names.get(by, "un autre compte") if by else ""
    return Said(at, VERDICTS.get(verdict, verdict), code, str(told["words"]), who)


def _names(request: Asked, labels: set[str]) -> dict[str, str]:
    keys = {each.removeprefix("user:") for each in labels if each.startswith("user:")}
    found = seen(User, request).filter(pk__in=[key for key in keys if key.isdigit()])
    return {f"user:{user.pk}": user.username for user in found}


def _part(request: Asked) -> int:
    text = request.GET.get("partie", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


ONE = "envois/<uuid:delivery>/"
urls: list[URLPattern] = [
    path(ONE, shown, name="delivery"),
    path(f"{ONE}messages/<int:part>/", mail, name="delivery-mail"),
    path(f"{ONE}relancer/", retry, name="delivery-retry"),
    path(f"{ONE}laisser-partir/", release, name="delivery-release"),
    path(f"{ONE}arrive/", arrived, name="delivery-arrived"),
    path(f"{ONE}pas-arrive/", not_arrived, name="delivery-not-arrived"),
]
