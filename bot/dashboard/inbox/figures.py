"""Each of the team's numbers: what it is called, what it counts in plain words, and where it stands in a report."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.conversations.report import Figures
from bot.language import later


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    """In files and answers for programs."""
    label: str
    of: Callable[[Figures], float | None]
    said: str
    unit: str = "conversations"


FIGURES = (
    Figure(
        "opened",
        later("Opened"),
        lambda found: found.opened,
        later("Conversations that began: a person wrote, for the first time or again, or a coach reopened one."),
    ),
    Figure(
        "reopened",
        later("Reopened"),
        lambda found: found.reopened,
        later("Of them, those that had been closed before."),
    ),
    Figure(
        "first_responses",
        later("First responses"),
        lambda found: found.first_response.count,
        later(
            "Conversations opened by a person in which a human answered for the first time: here, by the API or in the"
            " phone app. Journeys, broadcasts, reminders and reactions are no answer."
        ),
    ),
    Figure(
        "first_response_median",
        later("First response, median"),
        lambda found: found.first_response.median,
        later("From the opening to that answer; half of them were quicker."),
        "seconds",
    ),
    Figure(
        "first_response_p90",
        later("First response, 9 of 10"),
        lambda found: found.first_response.p90,
        later("Nine of ten were quicker than this. Nights and weekends count like any other hour."),
        "seconds",
    ),
    Figure(
        "closed",
        later("Closed"),
        lambda found: found.closed,
        later("By coaches, one by one or many at once."),
    ),
    Figure(
        "resolution_median",
        later("Resolution, median"),
        lambda found: found.resolution.median,
        later("From the opening to the closing by a coach; half of them were quicker."),
        "seconds",
    ),
    Figure(
        "resolution_p90",
        later("Resolution, 9 of 10"),
        lambda found: found.resolution.p90,
        later("Nine of ten were quicker than this."),
        "seconds",
    ),
    Figure(
        "closed_without_reply",
        later("Closed without a reply"),
        lambda found: found.closed_without_reply,
        later("Closed by a coach though no coach, and nobody in the phone app, had written since the opening."),
    ),
    Figure(
        "closed_by_rule",
        later("Closed by the rule"),
        lambda found: found.closed_by_rule,
        later("By themselves, hours after the last word, as the inbox's settings say. They are in no other figure."),
    ),
    Figure(
        "replies",
        later("Replies"),
        lambda found: found.replies,
        later("Messages that coaches wrote, templates and files among them."),
        "messages",
    ),
)
