"""Rules of the house that no linter knows."""

import ast
import functools
import importlib
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text

from bot.host.procfile import read_procfile
from bot.models.schema import metadata
from bot.queue import PUMPS
from tests.harness import order
from tests.harness.servers import Servers

ROOT = Path(__file__).parents[1]
CODE = ("app.py", "bot", "webhooks", "broadcasts", "simulator")


def files(*suffixes: str) -> list[Path]:
    """Everything that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = [ROOT / name for name in listed if (ROOT / name).is_file()]
    return [path for path in found if not suffixes or path.suffix in suffixes]


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def code() -> list[Path]:
    return [path for path in files(".py") if path.relative_to(ROOT).parts[0] in CODE]


def test_the_procfile_has_one_worker_process_per_queue() -> None:
    commands = [process.argv for process in read_procfile(ROOT / "Procfile")]
    workers = [argv[2:] for argv in commands if argv[:2] == ["backchat", "worker"]]
    assert sorted(workers) == sorted([name] for name in PUMPS)


@pytest.mark.parametrize("path", PUMPS.values())
def test_every_queue_has_a_pump_that_takes_nothing(path: str) -> None:
    module, _, name = path.rpartition(".")
    pump = getattr(importlib.import_module(module), name)
    assert pump.__code__.co_argcount == 0


def test_migrations_are_numbered_in_one_line() -> None:
    scripts = ScriptDirectory.from_config(Config(toml_file=ROOT / "pyproject.toml"))
    line = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert scripts.get_heads() == [line[-1]]
    assert line == [f"{number:04}" for number in range(1, len(line) + 1)]


def test_migrations_lead_to_the_models(servers: Servers) -> None:
    with servers.fresh_database() as migrated, servers.fresh_database() as made:
        engine = create_engine(made, poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
            metadata.create_all(connection)
        assert schema_of(migrated) == schema_of(made)


def test_alembic_sees_nothing_to_migrate(database: str) -> None:
    engine = create_engine(database, poolclass=NullPool)
    config = Config(toml_file=ROOT / "pyproject.toml")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)


def schema_of(url: str) -> set[str]:
    """Columns, constraints and indexes as PostgreSQL spells them, without the monthly partitions."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return {" ".join(str(part) for part in row) for query in CATALOGUE for row in connection.execute(text(query))}


OURS = "n.nspname = 'public' AND NOT c.relispartition AND c.relname <> 'alembic_version'"
CATALOGUE = (
    f"""SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
               pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE {OURS} AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped""",
    f"""SELECT 'constraint', c.relname, k.conname, pg_get_constraintdef(k.oid)
          FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {OURS}""",
    f"""SELECT 'index', c.relname, pg_get_indexdef(i.indexrelid)
          FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE {OURS}""",
)


def test_no_file_names_a_registry_or_the_machine_it_was_written_on() -> None:
    told = {path: path.read_bytes() for path in files() if path != Path(__file__)}
    assert [f"{path}: {word!r}" for path, text_ in told.items() for word in FOREIGN if word in text_] == []


# Halves, so that this file does not name what it looks for.
FOREIGN = (
    *(b"/wo" + b"rk/", b"/ro" + b"ot/"),
    *(
        b"py" + b"pi.org",
        b"python" + b"hosted",
        b"np" + b"mjs",
        b"index" + b"-url",
        b"js" + b"delivr",
        b"un" + b"pkg.com",
    ),
)


def test_packages_say_nothing_in_their_init() -> None:
    assert [path for path in files(".py") if path.name == "__init__.py" and path.read_text()] == []


def test_lint_checks_who_may_import_whom() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert contracts
    assert "lint-imports" in (ROOT / "Makefile").read_text()


def test_only_compose_writes_outbound_messages() -> None:
    inbound = {"webhooks/inbound.py"}
    writers = {str(path.relative_to(ROOT)) for path in code() if writes_messages(path)}
    assert writers - inbound == {"bot/messages/compose.py"}


def writes_messages(path: Path) -> bool:
    if not re.search("message", path.read_text(), re.IGNORECASE):
        return False
    tables = {"Message", *(name for node in nodes(path) for name in names_of_its_table(node))}
    for node in nodes(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"\binsert\s+into\s+message\b|\bcopy\s+message\b", node.value, re.IGNORECASE):
                return True
        elif isinstance(node, ast.Call):
            names = [ast.unparse(node.func), *(ast.unparse(argument) for argument in node.args[:1])]
            if names[0].split(".")[-1] == "Message" or ("insert" in names[0] and tables.intersection(names[1:])):
                return True
    return False


def names_of_its_table(node: ast.AST) -> Iterator[str]:
    """What a module calls the table behind Message, that class's own `__table__` included."""
    if isinstance(node, ast.Attribute) and ast.unparse(node) == "Message.__table__":
        yield ast.unparse(node)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value and "Message.__table" in ast.unparse(node.value):
        yield from (ast.unparse(each) for each in (node.targets if isinstance(node, ast.Assign) else [node.target]))


def test_secrets_are_compared_in_constant_time() -> None:
    """Cases 25 and 135; that tokens are found by their hash, tests/team/test_tokens.py shows."""
    assert [finding for path in code() for finding in open_comparisons(path)] == []


SECRET = re.compile(r"signature|secret|password|hmac|digest|token|csrf|proof|seal|api_key")
COLUMN = re.compile(r"[A-Z]\w+\.\w+")
"""A model's column in a query: the database looks up a hash, and learns nothing by the time it takes."""


def open_comparisons(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if not (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)):
            continue
        if any(COLUMN.fullmatch(ast.unparse(side)) for side in (node.left, *node.comparators)):
            continue
        if any(SECRET.search(name.lower()) for name in variables_in(node)):
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"


def variables_in(node: ast.AST) -> Iterator[str]:
    """Names and attributes, but not constants."""
    for inner in ast.walk(node):
        name = inner.id if isinstance(inner, ast.Name) else inner.attr if isinstance(inner, ast.Attribute) else ""
        if not name.isupper():
            yield name


def test_no_pattern_comes_from_anybody_s_data() -> None:
    """Case 134: whoever writes a journey, an import or a message writes no regular expression."""
    numbering = ROOT / "bot" / "numbering.py"  # its patterns are phonenumbers' own
    ours = [path for path in code() if not path.is_relative_to(ROOT / "simulator") and path != numbering]
    assert [finding for path in ours for finding in foreign_patterns(path)] == []


PATTERNED = re.compile(r"re\.(compile|match|search|fullmatch|subn?|split|findall|finditer)")
IN_SQL = re.compile(r"(~\*?|SIMILAR TO)\s*[:%]", re.IGNORECASE)


def foreign_patterns(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Call) and PATTERNED.fullmatch(ast.unparse(node.func)):
            if not is_written_here(node.args[0]):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
            yield f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"


def is_written_here(pattern: ast.expr) -> bool:
    """A constant, or one made of the module's own constants."""
    parts = [node.value for node in ast.walk(pattern) if isinstance(node, ast.FormattedValue)]
    is_text = isinstance(pattern, ast.Constant | ast.JoinedStr)
    return is_text and all(isinstance(part, ast.Name) and part.id.isupper() for part in parts)


def test_the_simulator_knows_nothing_of_ours() -> None:
    ours = {"app", "bot", "webhooks", "broadcasts"}
    for path in (path for path in code() if path.is_relative_to(ROOT / "simulator")):
        for node in nodes(path):
            if isinstance(node, ast.Import):
                assert not ours & {alias.name.partition(".")[0] for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in ours, path


def test_the_files_that_are_run_first_are_there() -> None:
    assert [name for name in order.LONGEST if not (order.TESTS / name).is_file()] == []
