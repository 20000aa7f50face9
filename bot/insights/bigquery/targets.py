"""Where the tables go and in what form, as the settings say."""

from dataclasses import dataclass

from bot.insights.export.pseudonyms import Pseudonyms
from bot.insights.export.tables import VERSION
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Target:
    project: str
    dataset: str
    environment: str
    hide: Pseudonyms | None
    """None: names, addresses and texts go along."""
    credentials: str | None
    """A file that Google's client reads; None: whatever this machine is signed in with."""
    endpoint: str | None

    @property
    def destination(self) -> str:
        return f"{self.project}.{self.dataset}"

    @property
    def form(self) -> str:
        """Rows of another form are replaced: people have other ids in it, or columns another meaning."""
        people = "whole" if self.hide is None else f"pseudonyms {self.hide.fingerprint}"
        return f"{self.environment}, schema {VERSION}, {people}"

    def named(self, table: str) -> str:
        return f"{self.destination}.{table}"


def target_of(settings: Settings) -> Target | None:
    """None where nothing is to be sent."""
    if not settings.bigquery_project or not settings.bigquery_dataset:
        return None
    return Target(
        project=settings.bigquery_project,
        dataset=settings.bigquery_dataset,
        environment=settings.bigquery_environment,
        hide=None if settings.bigquery_people == "whole" else Pseudonyms(settings),
        credentials=settings.bigquery_credentials,
        endpoint=settings.bigquery_endpoint,
    )
