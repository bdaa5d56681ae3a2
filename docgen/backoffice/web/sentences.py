"""What happened, as a French sentence: one for each kind of event, and its counts in words.

A test holds this table to the events that the services tell.
"""

from collections.abc import Iterator, Mapping

from docgen.typography import NBSP, THIN

SENTENCES: dict[str, str] = {
    "account-closed": "Compte fermé.",
    "account-invited": "Lien donné pour choisir un mot de passe.",
    "account-opened": "Compte ouvert.",
    "account-reopened": "Compte rouvert.",
    "attestation-failed": "L’attestation n’a pas pu être faite.",
    "attestation-issued": "Attestation éditée.",
    "attestation-ready": "L’attestation est prête à imprimer.",
    "attestation-retried": "Attestation relancée.",
    "cession-added": "Tablette cédée.",
    "cession-cancelled": "Cession annulée.",
    "cession-dated": "Date de remise indiquée.",
    "convention-failed": "Les conventions n’ont pas pu être faites.",
    "convention-ordered": "Conventions demandées.",
    "convention-ready": "Les conventions sont prêtes.",
    "convention-retried": "Conventions relancées.",
    "delivery-bounced": "L’envoi est revenu : le destinataire ne l’a pas reçu.",
    "delivery-held": "Envoi retenu : quelqu’un doit le regarder.",
    "delivery-planned": "Envoi préparé.",
    "delivery-refused": "Envoi refusé par le serveur de courrier.",
    "delivery-released": "Envoi débloqué.",
    "delivery-retried": "Envoi relancé.",
    "delivery-sent": "Envoi parti.",
    "delivery-settled": "Quelqu’un a dit ce qu’est devenu un envoi incertain.",
    "delivery-uncertain": "Envoi incertain : le serveur n’a pas répondu.",
    "hook-added": "Signalement ajouté à un programme.",
    "hook-removed": "Signalement retiré.",
    "hook-restarted": "Signalement repris.",
    "hook-stopped": "Signalement arrêté.",
    "hook-tested": "Signalement essayé.",
    "job-accepted": "Lot d’impression demandé.",
    "job-cancelled": "Lot annulé.",
    "job-failed": "Lot refusé : des documents n’ont pas pu être faits.",
    "job-printed": "Lot imprimé.",
    "job-ready": "Lot prêt.",
    "job-released": "Lot remis à l’imprimeur.",
    "job-reopened": "Lot à vérifier : le compte de feuilles ne convient pas.",
    "job-reprinted": "Réimpression demandée.",
    "job-retried": "Lot relancé.",
    "job-withdrawn": "Lot repris à l’imprimeur.",
    "loan-added": "Tablette prêtée.",
    "loan-dropped": "Prêt retiré : il avait été saisi par erreur.",
    "loan-return-undone": "Retour de prêt annulé.",
    "loan-returned": "Tablette rendue.",
    "mail-dismissed": "Courriel écarté.",
    "mail-quarantined": "Courriel mis de côté : quelqu’un doit décider.",
    "mail-read": "Courriel lu.",
    "mail-received": "Courriel reçu.",
    "mail-taken": "Numérisations d’un courriel prises.",
    "model-accepted": "Modèle de l’établissement accepté.",
    "model-forgotten": "Modèle de l’établissement abandonné.",
    "original-fetched": "Attestation téléchargée pour être imprimée.",
    "original-post-undone": "L’original n’est plus indiqué posté.",
    "original-posted": "Original posté.",
    "original-receipt-undone": "La réception de l’original est annulée.",
    "original-received": "Original reçu par la Région.",
    "password-changed": "Mot de passe changé.",
    "password-chosen": "Mot de passe choisi.",
    "post-approved": "Envoi du courrier approuvé.",
    "purged": "Données effacées : leur durée de conservation était passée.",
    "receipts-stopped": "Plus d’accusé de réception aujourd’hui : trop de courriels reçus.",
    "reminder-raised": "Rappel envoyé à l’établissement.",
    "return-bound": "Document revenu, relié.",
    "return-failed": "Le document revenu n’a pas pu être relié.",
    "return-incomplete": "Document revenu en partie.",
    "rights-changed": "Droits changés par le fournisseur d’identité.",
    "rights-withdrawn": "Droits retirés par le fournisseur d’identité.",
    "roster-imported": "Fichiers de l’établissement importés.",
    "scan-assigned": "Page rangée à la main.",
    "scan-discarded": "Page écartée.",
    "scan-read": "Numérisations lues.",
    "scan-received": "Numérisations reçues.",
    "scan-refused": "Numérisations refusées : le fichier ne s’ouvre pas.",
    "scan-retried": "Numérisations relancées.",
    "scan-turned": "Page tournée.",
    "scan-undone": "Décision sur une page annulée.",
    "school-added": "Établissement ajouté.",
    "school-changed": "Fiche de l’établissement modifiée.",
    "shop-added": "Imprimeur ajouté.",
    "sign-in-locked": "Connexion fermée un moment : trop de mots de passe refusés.",
    "signed-in": "Connexion.",
    "signed-out": "Déconnexion.",
    "template-served": "Version d’un modèle de document mise en service.",
    "token-issued": "Jeton donné à un programme.",
    "token-revoked": "Jeton révoqué.",
    "volume-counted": "Feuilles comptées par l’imprimeur.",
    "volume-printed": "Fichier du lot prêt.",
    "volume-refused": "Fichier du lot refusé.",
    "work-set-aside": "Travail mis de côté : il a arrêté deux fois qui s’en chargeait.",
}
ACCOUNTS = ("account", "password", "rights", "sign", "signed", "token")
# The families that a list can be narrowed to, by how their kinds begin.
FAMILIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("lots", "Lots d’impression", ("job", "volume")),
    ("tablettes", "Cessions et prêts", ("cession", "loan")),
    ("conventions", "Conventions", ("convention", "model")),
    ("attestations", "Attestations et originaux", ("attestation", "original", "reminder")),
    ("retours", "Numérisations et retours", ("scan", "return")),
    ("envois", "Envois et courriels", ("delivery", "mail", "receipts", "post")),
    ("donnees", "Données des établissements", ("school", "shop", "roster")),
    ("comptes", "Comptes et connexions", ACCOUNTS),
    ("service", "Service", ("hook", "purged", "template", "work")),
)
# The counts of an event, in words: one, several.
COUNTS: dict[str, tuple[str, str]] = {
    "documents": ("document", "documents"),
    "problems": ("problème", "problèmes"),
    "pages": ("page", "pages"),
    "people": ("personne", "personnes"),
    "devices": ("tablette en stock", "tablettes en stock"),
    "cessions": ("cession", "cessions"),
    "pupils": ("élève", "élèves"),
    "teachers": ("professeur", "professeurs"),
    "volumes": ("fichier", "fichiers"),
    "sides": ("page", "pages"),
    "sheets": ("feuille", "feuilles"),
    "files": ("fichier", "fichiers"),
    "rows": ("ligne", "lignes"),
    "parts": ("partie", "parties"),
    "failures": ("échec", "échecs"),
    "known": ("page reconnue", "pages reconnues"),
}


def sentence(kind: str) -> str:
    """Say what happened; a kind without a sentence is shown by its name."""
    text = SENTENCES.get(kind, kind)
    return text.replace(" :", f"{NBSP}:").replace(" ;", f"{NBSP};")


def counts(facts: Mapping[str, object]) -> str:
    """Say the counts of an event: « 12 documents, 2 problèmes »."""
    return ", ".join(_counts(facts))


def _counts(facts: Mapping[str, object]) -> Iterator[str]:
    for name, (one, many) in COUNTS.items():
        count = facts.get(name)
        if isinstance(count, int) and not isinstance(count, bool) and count:
            told = f"{count:,}".replace(",", THIN)
            yield f"{told}{NBSP}{many if count > 1 else one}"
    version = facts.get("version")
    if isinstance(version, str):
        yield f"version {version}"
    if facts.get("is_test") is True:
        yield "essai"
    if facts.get("is_copy") is True:
        yield "copie à l’établissement"


def kinds_of(family: str) -> list[str]:
    """Give the kinds of a family, by their whole names: the database compares them as they are."""
    heads = next((heads for name, _, heads in FAMILIES if name == family), ())
    return [kind for kind in SENTENCES if kind.split("-")[0] in heads]
