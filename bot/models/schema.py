"""Every table in one place, for migrations and for tests that compare the two."""

from bot.db import Base
from bot.models import (
    bigquery,
    broadcast,
    connection,
    conversation,
    export,
    goals,
    imports,
    inbox,
    insights,
    journey,
    message,
    person,
    policy,
    preference,
    segment,
    summary,
    team,
    webhook,
)

MODULES = (
    bigquery,
    broadcast,
    connection,
    conversation,
    export,
    goals,
    imports,
    inbox,
    insights,
    journey,
    message,
    person,
    policy,
    preference,
    segment,
    summary,
    team,
    webhook,
)
metadata = Base.metadata
