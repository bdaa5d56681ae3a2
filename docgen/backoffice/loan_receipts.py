"""The receipt of a tablet that came back from a loan: made from what the register says of it."""

from docgen import library, single
from docgen.backoffice.models import Device, Loan
from docgen.datafolder import data_folder, page_code_key
from docgen.errors import InvalidInput, Problem
from docgen.single import Filled
from docgen.typography import date_in_words

SLUG = "recu-retour-pret"
STATES = {"good": "state_good", "worn": "state_worn", "damaged": "state_damaged"}


def make(loan: Loan) -> Filled:
    """Make the receipt of a loan that is over.

    Raises:
        InvalidInput: when the tablet did not come back, or its values cannot be printed.
        FieldDoesNotFit: for a text that is too long for its place.
    """
    if loan.returned_date is None:
        what = "cette tablette n’est pas revenue."
        raise InvalidInput(Problem(what, f"tablette {loan.serial}", "Enregistrez son retour."))
    data = data_folder()
    return single.fill(library.load(SLUG), _values(loan), page_code_key(data), data / "cache")


def _values(loan: Loan) -> dict[str, object]:
    person, school = loan.person, loan.school
    device = Device.objects.filter(school=school, serial=loan.serial).first()
    values: dict[str, object] = {
        "school_name": school.name,
        "school_uai": school.uai,
        "school_city": school.city,
        "borrower_family_name": person.family_name,
        "borrower_first_name": person.first_name,
        "borrower_class": person.division or person.function,
        "start_date": date_in_words(loan.start_date),
        "end_date": date_in_words(loan.end_date),
        "tablet_model": device.model if device else "",
        "tablet_serial": loan.serial,
        "return_date": date_in_words(loan.returned_date) if loan.returned_date else "",
        "state_details": loan.returned_note,
        "back_tablet": True,
    }
    if box := STATES.get(loan.returned_state):
        values[box] = True
    return values
