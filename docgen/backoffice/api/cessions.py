"""Tablets ceded and lent, one by one."""

from datetime import date

from ninja import Router, Schema
from ninja.responses import Status

from docgen.backoffice import handovers, models, registers
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.reading import Body, Id, Remark, RowId, Serial, Uai, today

router = Router(tags=["cessions"])


class NewCession(Body):
    """A tablet to cede; `person` is the `id` that the list of people gives."""

    person: RowId
    serial: Serial
    ceded_date: date | None = None


class Cession(Schema):
    """A tablet ceded."""

    id: int
    person: int
    serial: str
    ceded_date: date | None
    is_cancelled: bool

    @staticmethod
    def resolve_person(row: models.Cession) -> int:
        """Give the `id` of the person."""
        return row.person_id

    @staticmethod
    def resolve_is_cancelled(row: models.Cession) -> bool:
        """Tell whether it was taken off the register."""
        return row.cancelled_at is not None


class NewLoan(Body):
    """A tablet to lend."""

    person: RowId
    serial: Serial
    start_date: date
    end_date: date
    state: Remark = ""


class Loan(Schema):
    """A tablet lent."""

    id: int
    person: int
    serial: str
    start_date: date
    end_date: date
    state: str
    returned_date: date | None

    @staticmethod
    def resolve_person(row: models.Loan) -> int:
        """Give the `id` of the person."""
        return row.person_id


class Return(Body):
    """The day when a tablet came back; today without one."""

    returned_date: date | None = None


@router.get("/schools/{uai}/cessions", auth=scope("read:cessions"), response=Page[Cession])
def listed(request: Request, uai: Uai, paging: Paged) -> dict[str, object]:
    """Liste les cessions d’un établissement."""
    school = one(seen(models.School, request), pk=uai)
    return page(seen(models.Cession, request).filter(school=school), ["id"], paging)


@router.post("/schools/{uai}/cessions", auth=scope("write:cessions"), response={201: Cession})
def add(request: Request, uai: Uai, cession: NewCession) -> Status[Cession]:
    """Enregistre une cession."""
    person = one(seen(models.Person, request), school=uai, pk=cession.person)
    row = handovers.cede(person, cession.serial, cession.ceded_date, request.auth.label)
    return Status(201, Cession.from_orm(row))


@router.post(
    "/schools/{uai}/cessions/{cession}/cancel", auth=scope("write:cessions"), response=Cession
)
def cancel(request: Request, uai: Uai, cession: Id) -> Cession:
    """Annule une cession ; elle sort du registre, et la prochaine attestation le dit."""
    row = one(seen(models.Cession, request), school=uai, pk=cession)
    registers.cancel_cession(row, request.auth.label)
    row.refresh_from_db()
    return Cession.from_orm(row)


@router.get("/schools/{uai}/loans", auth=scope("read:loans"), response=Page[Loan])
def loans(request: Request, uai: Uai, paging: Paged) -> dict[str, object]:
    """Liste les prêts d’un établissement."""
    school = one(seen(models.School, request), pk=uai)
    return page(seen(models.Loan, request).filter(school=school), ["id"], paging)


@router.post("/schools/{uai}/loans", auth=scope("write:loans"), response={201: Loan})
def lend(request: Request, uai: Uai, loan: NewLoan) -> Status[Loan]:
    """Enregistre un prêt."""
    person = one(seen(models.Person, request), school=uai, pk=loan.person)
    days = loan.start_date, loan.end_date
    row = handovers.lend(person, loan.serial, days, loan.state, request.auth.label)
    return Status(201, Loan.from_orm(row))


@router.post("/schools/{uai}/loans/{loan}/return", auth=scope("write:loans"), response=Loan)
def take_back(request: Request, uai: Uai, loan: Id, back: Return) -> Loan:
    """Enregistre le retour d’une tablette prêtée."""
    row = one(seen(models.Loan, request), school=uai, pk=loan)
    return Loan.from_orm(
        handovers.take_back(row, back.returned_date or today(), request.auth.label)
    )
