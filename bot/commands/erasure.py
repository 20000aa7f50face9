"""`backchat person erase`, `export` and `reapply-erasures`."""

from pathlib import Path

import rich_click as click

from bot.commands import console
from bot.commands.person import person
from bot.erasure import erasing, exporting, reapplying
from bot.erasure.erasing import TYPED, Actor, ErasureError
from bot.models.person import Person
from bot.people.ledger import LedgerError

id_argument = click.argument("person_id", metavar="ID", type=click.IntRange(1, 2**63 - 1))


@person.command("erase")
@id_argument
@click.option("--yes", is_flag=True, help="Do not ask for the word.")
@console.json_option
def erase(person_id: int, *, yes: bool, as_json: bool) -> None:
    """Erase the person with the user ID for good; docs/erasure.md says what goes and what stays."""
    with console.session(ErasureError) as session:
        found = session.get(Person, person_id)
        counts = erasing.preview(session, person_id) if found is not None and found.erased_at is None else {}
    if found is None:
        console.fail(f"There is no person {person_id}.")
    if counts and not yes:
        console.show({name: count for name, count in counts.items() if count}, as_json=False)
        typed = click.prompt(f"Nothing brings them back. Type {TYPED} to go on", default="", show_default=False)
        if typed.strip().casefold() != TYPED:
            console.fail("Nobody was erased.")
    rt = console.the_runtime()
    with console.session(ErasureError, LedgerError) as session:
        done = erasing.erase(session, rt.settings, person_id, Actor())
        told = {"erasure": done.id, "person": done.person_id, "at": done.at, "finished": done.finished_at is not None}
    if as_json:
        console.show({**told, "receipt": done.receipt}, as_json=True)
        return
    console.show({**told, **done.receipt}, as_json=False)
    if not told["finished"]:
        console.say("Bodies of webhooks, lists and files are searched by the clock, within minutes.")


@person.command("export")
@id_argument
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@console.json_option
def export(person_id: int, file: Path, *, as_json: bool) -> None:
    """Write everything kept about the person with the user ID to FILE, a ZIP."""
    with console.session() as session:
        found = session.get(Person, person_id)
    if found is None or found.erased_at is not None:
        console.fail(f"There is no person {person_id}, or they were erased.")
    try:
        with file.open("xb") as target:
            file.chmod(0o600)
            for piece in exporting.export(console.the_runtime(), person_id):
                target.write(piece)
    except OSError as error:
        console.fail(f"{file} cannot be written ({error.strerror}): name a new file in a folder you may write to.")
    console.show({"file": str(file), "bytes": file.stat().st_size}, as_json)


@person.command("reapply-erasures")
@console.json_option
def reapply_erasures(*, as_json: bool) -> None:
    """Erase again whoever a restored database has brought back; the clock does so by itself."""
    with console.session():
        pass  # says it in a sentence if there is no database
    try:
        done = reapplying.reapply(console.the_runtime())
    except LedgerError as error:
        console.fail(str(error))
    console.show({"reapplied": done}, as_json)
