"""What templates were, from when on: a line whenever one is no longer as it was last written down."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.models.broadcast import TemplateState

WEBHOOK = "webhook"
LIST = "list"
HERE = "here"

_NOTE = text("""
    INSERT INTO template_state (template_id, status, category, quality, reason, source, operator_id, token_id)
    SELECT t.id, t.status, t.category, t.quality, t.reason, :source, :operator_id, :token_id
      FROM template t
      LEFT JOIN LATERAL (SELECT s.* FROM template_state s WHERE s.template_id = t.id
                          ORDER BY s.id DESC LIMIT 1) last ON true
     WHERE t.connection_id = :connection_id AND (CAST(:template_id AS bigint) IS NULL OR t.id = :template_id)
       AND (last.id IS NULL OR (last.status, last.category, last.quality, last.reason)
            IS DISTINCT FROM (t.status, t.category, t.quality, t.reason))
     ORDER BY t.id
""")


@dataclass(frozen=True, slots=True)
class By:
    """Who asked for it here."""

    operator_id: int | None = None
    token_id: int | None = None


def note(session: Session, connection_id: int, source: str, template_id: int | None = None, by: By = By()) -> None:
    """Write down what changed of a template, or of all of a connection, whose rows the transaction holds."""
    session.flush()
    values = {"connection_id": connection_id, "template_id": template_id, "source": source}
    session.execute(_NOTE, values | {"operator_id": by.operator_id, "token_id": by.token_id})


def of(session: Session, template_id: int, most: int = 50) -> Sequence[TemplateState]:
    """The newest first."""
    found = select(TemplateState).where(TemplateState.template_id == template_id)
    return session.scalars(found.order_by(TemplateState.id.desc()).limit(most)).all()
