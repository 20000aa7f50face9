"""The one door to the engine: how Backchat connects to PostgreSQL and names its constraints."""

from datetime import datetime
from typing import Any, ClassVar

import orjson
from psycopg.types.array import ListBinaryDumper
from sqlalchemy import BigInteger, DateTime, Engine, MetaData, Text, create_engine, event, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, sessionmaker

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

LEADS_TO = "leads_to"
"""In a column's `info`: the table it leads to by a trigger in place of a foreign key; see docs/decisions/0024."""

# What is acknowledged or marked as on the wire must outlive a power cut, whatever the server's default is.
SESSION_OPTIONS = (
    "-c timezone=UTC -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s -c synchronous_commit=on"
)


class Base(DeclarativeBase):
    """Python types mean the same column everywhere: `str` is text, `int` bigint, `datetime` aware, `dict` jsonb."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


_ALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""A server that is gone without a word, as after a failover, is given up after half a minute and not after hours."""


def make_engine(url: str, *, name: str, pool_size: int = 5) -> Engine:
    """Engine with a bounded pool; `name` is what pg_stat_activity shows. A dead connection is noticed on checkout."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text goes to logs; what people wrote does not
        connect_args={
            "application_name": f"backchat-{name}",
            "options": SESSION_OPTIONS,
            "connect_timeout": 5,
            **_ALIVE,
        },
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
    )
    event.listen(engine, "connect", _speak_binary_arrays)
    return engine


def _speak_binary_arrays(connection: Any, _record: object) -> None:  # noqa: ANN401 (psycopg's, which SQLAlchemy leaves open)
    """Lists go out in binary: written as text, each value costs both sides ten times as much."""
    connection.adapters.register_dumper(list, ListBinaryDumper)


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine, expire_on_commit=False)


def first_since(
    session: Session, id_: InstrumentedAttribute[int], time: InstrumentedAttribute[datetime], at: datetime
) -> int:
    """Id of the first row at or after a time, by halving: an index on the time would cost every row."""
    low, high = 0, (session.scalar(select(func.max(id_))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        found = session.scalar(select(time).where(id_ >= middle).order_by(id_).limit(1))
        if found is not None and found < at:
            low = middle + 1
        else:
            high = middle
    return low
