"""What an import reports: counts of the rows, and notes on single rows."""

from dataclasses import dataclass

from zoho_mongo_store.model.document import CREDENTIAL_FIELDS, Document
from zoho_mongo_store.transfer.planning import Action, Plan


@dataclass
class Report:
    """What was done with the rows of an import.

    Attributes:
        rows: The number of rows. The other counts add up to it.
        inserted: New tokens.
        updated: Stored tokens that were replaced by one that expires later.
        filled: Stored tokens that were not replaced but got missing fields.
        unchanged: Tokens that were already stored.
        kept: Stored tokens that differ and do not expire sooner.
        repeated: Rows that were skipped because another row of the same login was imported.
        damaged: Rows that cannot be imported.
    """

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    filled: int = 0
    unchanged: int = 0
    kept: int = 0
    repeated: int = 0
    damaged: int = 0

    def count(self, action: Action) -> None:
        """Count a row."""
        setattr(self, action.value, getattr(self, action.value) + 1)

    @property
    def dealt_with(self) -> int:
        """The number of rows processed so far."""
        stored = self.inserted + self.updated + self.filled + self.unchanged + self.kept
        return stored + self.repeated + self.damaged


def note_of(document: Document, plan: Plan) -> str:
    """Return a note on a row that was not simply stored, or ``""``."""
    own = document.get("id", plan.id)
    notes = []
    if plan.action is Action.KEEP:
        notes.append("not imported: the stored token of this user does not expire sooner")
    elif plan.action is Action.FILL and _differs(document, plan.stored or {}):
        notes.append(
            "only missing fields were imported: the stored token of this user does not expire "
            "sooner"
        )
    elif plan.action is Action.INSERT and plan.id != own:
        notes.append(f"stored with the id {plan.id}: another login has the id {own}")
    elif plan.id != own and plan.fields:
        notes.append(f"the user keeps the stored id {plan.id}, not {own}")
    if plan.nameless and plan.fields:
        notes.append("stored without the user name: a token of another OAuth client has it")
    return "; ".join(notes)


def _differs(document: Document, stored: Document) -> bool:
    return any(
        document[field] != stored[field]
        for field in CREDENTIAL_FIELDS
        if field in document and field in stored
    )
