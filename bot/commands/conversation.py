from collections.abc import Callable
from typing import Any

import rich_click as click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.commands import console
from bot.conversations import threads, window
from bot.models.connection import Number
from bot.models.conversation import Conversation
from bot.models.message import Message
from bot.models.person import Address, Person
from bot.models.team import Operator
from bot.models.words import AddressKind, ConversationState
from bot.team import operators, permissions, rights
from bot.team.operators import OperatorError

PHONE = (
    select(Address.value)
    .where(Address.person_id == Person.id, Address.kind == AddressKind.PHONE)
    .limit(1)
    .correlate(Person)
    .scalar_subquery()
)
NAME = func.coalesce(
    func.nullif(func.concat_ws(" ", Person.first_name, Person.last_name), ""),
    func.nullif(Person.nickname, ""),
    PHONE,
    Person.distinct_id,
)

limit_option = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most.")
as_option = click.option("--as", "email", required=True, metavar="EMAIL", help="The coach in whose name it is done.")
id_argument = click.argument("conversation_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))


@click.group("conversation", panel=console.TALK)
def conversation() -> None:
    """Threads of a person and a number: list, show, close, reopen."""


@conversation.command("list")
@click.option(
    "--state",
    type=click.Choice([*(word.value for word in ConversationState), "all"]),
    default="open",
    show_default=True,
)
@console.environment_option(required=False)
@limit_option
@console.json_option
def list_(state: str, environment: str | None, limit: int, *, as_json: bool) -> None:
    """List conversations, the newest first."""
    query = (
        select(Conversation, NAME.label("person"), Number.phone.label("number"))
        .join(Person, Person.id == Conversation.person_id)
        .join(Number, Number.id == Conversation.number_id)
        .order_by(Conversation.last_message_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    if state != "all":
        query = query.where(Conversation.state == state)
    if environment is not None:
        query = query.where(Conversation.environment == environment)
    with console.session() as session:
        rows = [_line(found, person, number) for found, person, number in session.execute(query)]
    console.show(rows, as_json, "No conversation." if state == "all" else f"No {state} conversation.")


@conversation.command("show")
@id_argument
@limit_option
@console.json_option
def show(conversation_id: int, limit: int, *, as_json: bool) -> None:
    """Show the thread ID: its newest messages, the oldest of them first, and who opened and closed it."""
    with console.session() as session:
        found = _get(session, conversation_id)
        query = (
            select(Message)
            .where(Message.person_id == found.person_id, Message.number_id == found.number_id)
            .order_by(Message.occurred_at.desc(), Message.id.desc())
            .limit(limit)
        )
        messages = [
            {"id": said.id, "at": said.occurred_at, "by": said.author_kind or "person", "state": said.state}
            | {"text": said.body or f"({said.kind})"}
            for said in session.scalars(query)
        ][::-1]
        episodes = [
            {"opened_at": each.opened_at, "opened_by": each.opened_by, "closed_at": each.closed_at}
            | {"closed_without_reply": each.closed_without_reply}
            for each in found.episodes
        ]
    if as_json:
        console.show({"id": found.id, "state": found.state, "messages": messages, "episodes": episodes}, as_json=True)
        return
    console.show(messages, as_json=False, empty="Nothing was said yet.")
    console.say("")
    console.show(episodes, as_json=False, empty="Never opened.")


@conversation.command("close")
@id_argument
@as_option
@console.json_option
def close(conversation_id: int, email: str, *, as_json: bool) -> None:
    """Close the thread ID; the person's next message opens it again."""
    _change(conversation_id, email, threads.close, "inbox.close", as_json=as_json)


@conversation.command("reopen")
@id_argument
@as_option
@console.json_option
def reopen(conversation_id: int, email: str, *, as_json: bool) -> None:
    """Open the closed thread ID again."""
    _change(conversation_id, email, threads.reopen, "inbox.reopen", as_json=as_json)


def _change(
    conversation_id: int, email: str, change: Callable[[Session, int, int], bool], right: str, *, as_json: bool
) -> None:
    with console.session(OperatorError) as session:
        coach = _coach(session, email, right)
        found = _get(session, conversation_id)
        changed = change(session, found.id, coach.id)
        session.refresh(found)
        told = {"id": found.id, "state": found.state, "changed": changed}
    console.show(told, as_json)


def _coach(session: Session, email: str, right: str) -> Operator:
    """Whoever the command acts for may do there what their role may do on the pages."""
    found = operators.by_email(session, email)
    if not found.active or not permissions.may(rights.of(found), right):
        console.fail(f"{found.email} may not do that: name an active coach or admin with --as.")
    return found


def _get(session: Session, conversation_id: int) -> Conversation:
    found = session.get(Conversation, conversation_id)
    if found is None:
        console.fail(f"There is no conversation {conversation_id}: `backchat conversation list --state all` shows all.")
    return found


def _line(found: Conversation, person: str, number: str) -> dict[str, Any]:
    return {
        "id": found.id,
        "environment": found.environment,
        "person": person,
        "number": number,
        "state": found.state,
        "unread": found.unread_count,
        "last_message_at": found.last_message_at,
        "window_closes_at": window.closes_at(found),
    }


COMMANDS: tuple[click.Command, ...] = (conversation,)
