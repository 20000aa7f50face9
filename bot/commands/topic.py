import rich_click as click

from bot.commands import console
from bot.people import topics
from bot.people.topics import TopicError


@click.group("topic", panel=console.BROADCAST)
def topic() -> None:
    """What people can want to hear about, or not: add, list, archive."""


@topic.command("add")
@click.argument("name")
@console.environment_option(required=True)
@click.option("--description", help="What is meant by it, for whoever asks a person.")
@console.json_option
def add(name: str, environment: str, description: str | None, *, as_json: bool) -> None:
    """Make the topic NAME; broadcasts can be about it from now on."""
    with console.session(TopicError) as session:
        made = topics.create(session, environment, name, description)
        told = {"id": made.id, "name": made.name, "environment": made.environment}
    console.show(told, as_json)


@topic.command("list")
@console.environment_option(required=True)
@console.json_option
def list_(environment: str, *, as_json: bool) -> None:
    """List topics, and how many people do not want each by WhatsApp."""
    with console.session() as session:
        rows = [
            {"id": each.topic.id, "name": each.topic.name, "description": each.topic.description}
            | {"do_not_want_it": each.unwilling, "archived_at": each.topic.archived_at}
            for each in topics.counted(session, environment)
        ]
    console.show(rows, as_json, "No topic yet: backchat topic add --help")


@topic.command("archive")
@click.argument("name")
@console.environment_option(required=True)
@console.json_option
def archive(name: str, environment: str, *, as_json: bool) -> None:
    """Let no new broadcast be about the topic NAME; what people want of it is kept."""
    with console.session(TopicError) as session:
        found = topics.named(session, environment, name)
        topics.archive(session, found.id)
        told = {"id": found.id, "name": found.name, "archived": True}
    console.show(told, as_json)


COMMANDS: tuple[click.Command, ...] = (topic,)
