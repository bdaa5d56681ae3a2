"""`manage.py account`: open an account, give a link to its owner, close it."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from docgen.backoffice import accounts
from docgen.backoffice.models import Role, User
from docgen.errors import InvalidInput

BY = "command"


class Command(BaseCommand):
    """Opens and closes accounts; passwords are chosen by their owners, at an address."""

    help = "Ouvre un compte, donne le lien pour choisir un mot de passe, ferme un compte."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what can be asked."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        opening = verbs.add_parser("open", help="ouvrir un compte et donner son lien")
        opening.add_argument("login", help="identifiant")
        opening.add_argument("--role", required=True, choices=Role.values)
        opening.add_argument("--uai", default="", help="établissement d’un compte « school »")
        opening.add_argument("--shop", default="", help="imprimeur d’un compte « print_shop »")
        for verb, text in (("link", "donner un autre lien"), ("close", "fermer un compte")):
            verbs.add_parser(verb, help=text).add_argument("login", help="identifiant")

    def handle(self, *args: object, **options: str) -> None:
        """Do what is asked."""
        login, verb = options["login"], options["verb"]
        if verb == "open":
            bounds = {"uai": options["uai"], "shop": options["shop"]}
            try:
                user = accounts.open_account(login, options["role"], BY, **bounds)
            except InvalidInput as error:
                raise CommandError("\n".join(str(problem) for problem in error.problems)) from None
        else:
            found = User.objects.filter(username=login).first()
            if found is None:
                raise CommandError("Ce compte n’existe pas.")
            user = found
        if verb == "close":
            accounts.close(user, BY)
            self.stdout.write("Compte fermé.")
        elif user.subject or not user.is_active:
            raise CommandError("Ce compte n’a pas de mot de passe à choisir ici.")
        else:
            self.stdout.write(accounts.invitation(user, BY))
