from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot import phone as phones
from bot.models.connection import Connection, Number
from bot.models.words import Environment


class NumberError(ValueError):
    """A number cannot be added or found; the text says why and what would be right."""


def add(
    session: Session,
    connection: Connection,
    *,
    environment: str,
    provider_number_id: str,
    phone: str,
    name: str,
    pace_per_s: int = 80,
) -> Number:
    """Add a business number; `phone` with + and country code, `pace_per_s` messages a second (Cloud API: 80)."""
    if environment not in set(Environment):
        raise NumberError(f"There is no environment {environment!r}: choose live or test.")
    if not provider_number_id.strip():
        raise NumberError("The provider's id of the number is empty: it is not the phone number itself.")
    if pace_per_s < 1:
        raise NumberError("The pace must be 1 message per second or more.")
    try:
        e164 = phones.parse(phone, None).e164
    except phones.PhoneError as error:
        raise NumberError(f"The phone number {phone!r} cannot be used because {error}.") from error
    found: Number | None = session.scalar(
        insert(Number)
        .values(
            connection_id=connection.id,
            environment=environment,
            provider_number_id=provider_number_id.strip(),
            phone=e164,
            name=name.strip() or e164,
            pace_per_s=pace_per_s,
        )
        .on_conflict_do_nothing(index_elements=["connection_id", "provider_number_id"])
        .returning(Number)
    )
    if found is None:
        raise NumberError(f"The connection {connection.slug} already has a number {provider_number_id}.")
    return found


def by_provider_id(session: Session, connection_id: int, provider_number_id: str) -> Number | None:
    return session.scalar(
        select(Number).where(Number.connection_id == connection_id, Number.provider_number_id == provider_number_id)
    )


def choose(session: Session, environment: str, asked: str | None) -> Number:
    """The number of this environment that `asked` names by phone or our id; None means the only one there is."""
    known = session.scalars(select(Number).where(Number.environment == environment).order_by(Number.id)).all()
    if not known:
        raise NumberError(f"There is no number in {environment} yet: add one with `backchat number add`.")
    fitting = [number for number in known if asked is None or asked in {str(number.id), number.phone}]
    if len(fitting) == 1:
        return fitting[0]
    choice = ", ".join(f"{number.id} ({number.phone})" for number in known)
    if asked is None:
        raise NumberError(f"There are several numbers in {environment}, name one of them: {choice}.")
    raise NumberError(f"{asked!r} is {'several numbers' if fitting else 'no number'} in {environment}: {choice}.")


def elsewhere(session: Session, environment: str) -> Number | None:
    """A number of the other environment, to point to where this one has none."""
    return session.scalar(select(Number).where(Number.environment != environment).order_by(Number.id).limit(1))
