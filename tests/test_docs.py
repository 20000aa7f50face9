"""The documents say what is so: settings, commands, routes and links are compared with the code."""

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

import app
from bot.api.refusals import CODES
from bot.models.words import AuthorKind, MessageState
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
API = sorted([*ROOT.glob("bot/api/*.py"), *ROOT.glob("broadcasts/**/api.py"), *ROOT.glob("broadcasts/**/api/*.py")])
ROW = re.compile(r"^\| `([A-Z][A-Z0-9_]+)` \| (.+?) \|", re.MULTILINE)


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_table_of_settings_has_each_of_them_once_and_nothing_else() -> None:
    listed = [name for name, _ in ROW.findall(read("docs/configuration.md"))]
    assert sorted(listed) == sorted(field.metadata["env"] for field in fields(Settings))


@pytest.mark.parametrize("name, default", [(f.metadata["env"], f.metadata["default"]) for f in fields(Settings)])
def test_the_default_of_a_setting_is_the_one_told(name: str, default: str | None) -> None:
    told = dict(ROW.findall(read("docs/configuration.md")))[name]
    if default:
        assert told == f"`{default}`"
    else:
        assert not told.startswith("`") or name == "BACKCHAT_BASE_URL"


def test_every_command_is_listed_and_every_listed_command_exists() -> None:
    listed = set(re.findall(r"`(backchat [a-z]+(?:[ -][a-z]+)*)`", read("docs/commands.md")))
    leaves = {f"backchat {name}" for name in leaves_of(app.cli)}
    assert leaves - listed == set()
    assert listed - leaves == set()


def leaves_of(group: click.Group) -> list[str]:
    found = []
    group.list_commands(click.Context(group))  # imports them
    for name, command in group.commands.items():
        below = leaves_of(command) if isinstance(command, click.Group) else [""]
        found += [f"{name} {rest}".strip() for rest in below]
    return found


def test_the_api_manual_names_every_error_code_and_state() -> None:
    manual = read("docs/api.md")
    source = "".join(path.read_text() for path in API)
    codes = set(re.findall(r'RefusalError\(\s*\d{3},\s*"(\w+)"', source)) | {code for code, _ in CODES.values()}
    codes |= set(re.findall(r'_answer\(\s*\d{3},\s*"(\w+)"', source))
    codes |= set(re.findall(r'"(invalid_\w+)"', source))
    assert {"window_closed", "invalid_field", "unavailable", "internal"} <= codes
    words = {*codes, *(state.value for state in MessageState), *(kind.value for kind in AuthorKind)}
    assert {word for word in words if f"`{word}`" not in manual} == set()


def test_the_api_manual_has_every_route() -> None:
    manual = read("docs/api.md")
    source = "".join(path.read_text() for path in API)
    for method, path in re.findall(r'@\w+\.(get|post|put|patch|delete)\("([^"]+)"\)', source):
        shown = re.sub(r"<(?:path:)?(\w+)>", r"&lt;\1&gt;", re.sub(r"<int:\w+>", "<id>", path))
        assert f"## {method.upper()} /api/v1{shown}" in manual


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_decision_is_numbered_listed_and_has_its_three_parts() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    index = read("docs/decisions/README.md")
    for page in decisions:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]} ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
        assert f"({page.name})" in index


def test_every_dependency_says_why_it_is_there() -> None:
    told = read("docs/decisions/0002-dependencies.md")
    needed = re.findall(r'^    "([a-z][a-z0-9-]*)', read("pyproject.toml").split("[tool.", 1)[0], re.MULTILINE)
    assert "sqlalchemy" in needed
    assert [name for name in needed if name not in told and not name.startswith("types-")] == []


def test_every_test_that_is_named_as_a_proof_is_there() -> None:
    named = {
        (page.name, *found.groups())
        for page in (ROOT / "docs").rglob("*.md")
        for found in re.finditer(r"(tests/[\w/]+\.py)(?:::(\w+))?", page.read_text())
    }
    assert len(named) > 150
    assert [each for each in sorted(named, key=str) if not is_there(*each[1:])] == []


def is_there(path: str, name: str | None) -> bool:
    file = ROOT / path
    return file.exists() and (name is None or re.search(rf"def {name}\b", file.read_text()) is not None)
