"""The tables: schools and people, who may ask for what, print jobs, papers, and what happened."""

from docgen.backoffice.models.accounts import Client, PrintShop, Role, User
from docgen.backoffice.models.beats import Beat
from docgen.backoffice.models.deliveries import (
    Approval,
    Delivery,
    Mail,
    Message,
    Original,
    Posting,
    Reminder,
)
from docgen.backoffice.models.events import Event
from docgen.backoffice.models.exchanges import Hook, HookCall, IdempotentAnswer
from docgen.backoffice.models.folding import folded
from docgen.backoffice.models.papers import Attestation, AttestedCession, Conversion, SchoolModel
from docgen.backoffice.models.people import Cession, Device, Guardian, Loan, Person, School
from docgen.backoffice.models.printing import (
    CompiledForm,
    Document,
    PrintJob,
    TemplateVersion,
    Volume,
)
from docgen.backoffice.models.returns import (
    Binding,
    Paper,
    Return,
    ReviewStep,
    ScanBatch,
    ScannedPage,
    ScanPart,
)
from docgen.backoffice.models.work import State, Work

__all__ = [
    "Approval",
    "Attestation",
    "AttestedCession",
    "Beat",
    "Binding",
    "Cession",
    "Client",
    "CompiledForm",
    "Conversion",
    "Delivery",
    "Device",
    "Document",
    "Event",
    "Guardian",
    "Hook",
    "HookCall",
    "IdempotentAnswer",
    "Loan",
    "Mail",
    "Message",
    "Original",
    "Paper",
    "Person",
    "Posting",
    "PrintJob",
    "PrintShop",
    "Reminder",
    "Return",
    "ReviewStep",
    "Role",
    "ScanBatch",
    "ScanPart",
    "ScannedPage",
    "School",
    "SchoolModel",
    "State",
    "TemplateVersion",
    "User",
    "Volume",
    "Work",
    "folded",
]
