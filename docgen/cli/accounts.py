"""`docgen accounts`: who may use the service, people with an account, programs with a token."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from docgen.cli import opening, output
from docgen.errors import InvalidInput, Problem

app = typer.Typer(help="Les comptes, les jetons et les imprimeurs.", no_args_is_help=True)
LONGEST = 1_825  # days: five years


class Role(StrEnum):
    """The roles, as `docgen.backoffice.models.Role` has them: it is not loaded for `--help`."""

    BACK_OFFICE = "back_office"
    SCHOOL = "school"
    REGION = "region"
    PRINT_SHOP = "print_shop"


RoleOption = Annotated[Role, typer.Option(help="Ce que le compte voit et fait.")]
School = Annotated[str, typer.Option(help="UAI, pour le rôle school.")]
Shop = Annotated[str, typer.Option(help="Nom de l’imprimeur, pour le rôle print_shop.")]


@app.command("list")
def list_accounts() -> None:
    """Liste les comptes et les jetons."""
    with opening.service():
        from docgen.backoffice import models

        rows = [
            (str(user), user.username, user.role, _bound(user), "" if user.is_active else "fermé")
            for user in models.User.objects.select_related("shop").order_by("pk")
        ]
        for client in models.Client.objects.select_related("shop").order_by("pk"):
            end = "révoqué" if client.revoked_at else f"jusqu’au {client.expires_at:%d/%m/%Y}"
            rows.append((str(client), client.name, client.role, _bound(client), end))
    output.table(("Numéro", "Nom", "Rôle", "Limité à", "État"), rows)


def _bound(holder: object) -> str:
    shop = getattr(holder, "shop", None)
    return getattr(holder, "school_id", "") or (shop.name if shop else "")


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(metavar="IDENTIFIANT", help="Identifiant.")],
    role: RoleOption,
    school: School = "",
    shop: Shop = "",
) -> None:
    """Ouvre un compte, et donne l’adresse où son titulaire choisit son mot de passe."""
    with opening.service():
        from docgen.backoffice import accounts

        user = accounts.open_account(login, role.value, opening.BY, uai=school.upper(), shop=shop)
        address = accounts.invitation(user, opening.BY)
    output.warn(
        "À remettre à la personne, et à elle seule\u00a0; valable trois jours, une fois\u00a0:"
    )
    output.say(address)


@app.command("token")
def token(  # noqa: PLR0917 - an option of the command each
    name: Annotated[str, typer.Argument(metavar="NOM", help="Nom du programme.")],
    role: RoleOption,
    school: School = "",
    shop: Shop = "",
    scopes: Annotated[
        list[str] | None, typer.Option("--scope", help="Droits (tous ceux du rôle).")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=LONGEST, help="Durée, en jours.")] = 365,
) -> None:
    """Fait un jeton pour un programme ; il n’est montré qu’une fois."""
    with opening.service():
        from docgen.backoffice import models, tokens

        place = models.School.objects.filter(pk=school.upper()).first()
        printer = models.PrintShop.objects.filter(name=shop).first()
        possible = _scopes(role)
        wanted = scopes or possible
        problems = list(_problems(role, place, printer, set(wanted) - set(possible)))
        if problems:
            raise InvalidInput(problems)
        client, secret = tokens.issue(
            *(name, role.value, wanted, opening.BY),
            school=place if role == Role.SCHOOL else None,
            shop=printer if role == Role.PRINT_SHOP else None,
            lifetime=timedelta(days=days),
        )
    output.warn(
        f"Jeton {client}, valable {days} jours\u00a0; gardez-le, il ne sera plus montré\u00a0:"
    )
    output.say(secret)


def _scopes(role: Role) -> list[str]:
    from docgen.backoffice.api import access

    return access.scopes_of(role.value)


def _problems(role: Role, place: object, printer: object, unknown: set[str]) -> Iterator[Problem]:
    if role == Role.SCHOOL and place is None:
        remedy = "Donnez l’UAI d’un établissement déjà importé."
        yield Problem("il manque l’établissement.", "--school", remedy)
    if role == Role.PRINT_SHOP and printer is None:
        remedy = "Faites-le connaître\u00a0: docgen accounts shop NOM."
        yield Problem("il manque l’imprimeur.", "--shop", remedy)
    if unknown:
        remedy = f"Droits de ce rôle\u00a0: {', '.join(_scopes(role))}."
        yield Problem(f"{len(unknown)} droit(s) inconnu(s) de ce rôle.", "--scope", remedy)


@app.command("shop")
def add_shop(name: Annotated[str, typer.Argument(metavar="NOM", help="Nom.")]) -> None:
    """Fait connaître un imprimeur, à qui des lots seront remis."""
    with opening.service():
        from docgen.backoffice import models

        _, is_new = models.PrintShop.objects.get_or_create(name=name.strip())
    output.say("Cet imprimeur est connu." if is_new else "Cet imprimeur était déjà connu.")


@app.command("revoke")
def revoke(
    number: Annotated[str, typer.Argument(metavar="NUMÉRO", help="client:3, ou un identifiant.")],
) -> None:
    """Révoque un jeton, ou ferme un compte, dès la prochaine demande."""
    with opening.service():
        from docgen.backoffice import accounts, models, tokens

        kind, _, row = number.partition(":")
        if kind == "client" and row.isdigit():
            client = models.Client.objects.filter(pk=int(row)).first()
            if client:
                tokens.revoke(client, opening.BY)
                output.say("Ce jeton est révoqué.")
                return
        users = models.User.objects.all()
        is_number = kind == "user" and row.isdigit()
        user = (users.filter(pk=int(row)) if is_number else users.filter(username=number)).first()
        if user is None:
            remedy = "docgen accounts list les donne tous."
            raise InvalidInput(Problem("ni jeton ni compte de ce nom.", "NUMÉRO", remedy))
        accounts.close(user, opening.BY)
    output.say("Ce compte est fermé.")
