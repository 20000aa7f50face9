"""Why something is in the quarantine, in plain words, and what to do about it; by how its reason begins."""

from typing import NamedTuple

from bot.language import later


class Meaning(NamedTuple):
    title: str
    remedy: str
    helps_to_replay: bool = True
    """Whether the pages offer it; a command that does it is a process of its own."""


MEANINGS: tuple[tuple[str, Meaning], ...] = (
    (
        "number ",
        Meaning(
            later("For a number that is not set up here"),
            later(
                "Add the number under this connection, in a terminal: backchat number add. Then replay all of these."
            ),
        ),
    ),
    (
        "it names no number",
        Meaning(
            later("It does not say for which number it is"),
            later(
                "This provider names no number in its webhooks: give each number a connection of its own, then replay."
            ),
        ),
    ),
    (
        "stale: its time is in the future",
        Meaning(
            later("Its time lies in the future"),
            later(
                "The clock of this machine or of the provider is wrong. Check that this machine sets its "
                "clock by the network (NTP); once its time has come, replay it."
            ),
        ),
    ),
    (
        "stale",
        Meaning(
            later("Too old when it was applied"),
            later(
                "Providers try for seven days, so somebody sent something old again; or it waited here for "
                "longer. It would open no thread: read it in its event, then put it aside."
            ),
        ),
    ),
    (
        "the body is",
        Meaning(
            later("The body cannot be read at all"),
            later(
                "It was signed, so the provider sent it like this. Look at the raw body; if it is of no use, "
                "put it aside."
            ),
        ),
    ),
    (
        "this version cannot read it",
        Meaning(
            later("Backchat itself stumbled over it"),
            later("Tell the maintainers what the body looks like. After an update that speaks of it, replay it."),
        ),
    ),
    (
        "it could not be applied in",
        Meaning(
            later("The database was too busy, several times"),
            later("Nothing is wrong with the item: replay it now that the database has time."),
        ),
    ),
    (
        "it ended the process that applied it",
        Meaning(
            later("Backchat itself broke over it"),
            later(
                "Tell the maintainers what the body looks like. After an update that speaks of it, apply it "
                "in a terminal: backchat webhooks quarantine --replay ID."
            ),
            helps_to_replay=False,
        ),
    ),
    (
        "the message is kept, but its journey failed",
        Meaning(
            later("The message is in its thread, but the stack could not answer"),
            later(
                "Answer by hand in the inbox and put this aside: the journey is not started a second time. "
                "If it fails for everybody, look at the journey and at the worker's log."
            ),
            helps_to_replay=False,
        ),
    ),
    (
        "nothing stands at",
        Meaning(
            later("The body reads differently today"),
            later("This version of Backchat finds nothing at that place of the body any more: put it aside."),
        ),
    ),
)

OTHER = Meaning(
    later("Not what the provider's documentation says"),
    later(
        "It is kept as it came. A newer version of Backchat may read it: replay it then. If it is of "
        "no use, put it aside."
    ),
)


def meaning(reason: str) -> Meaning:
    return next((told for start, told in MEANINGS if reason.startswith(start)), OTHER)
