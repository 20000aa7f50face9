import contextlib
import json
import time
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.journeys.language import SCHEMA, check
from bot.journeys.source import JourneyError

WELCOME = """\
journey: welcome
start:
  first_message: true
  keywords: [hi, Hello]
steps:
  - say: "Hi <<user.first_name|default('there')>>!"
  - ask: What brings you here?
    buttons: [Learn, no, 3]
    save_as: goal
  - say: <<user.goal>> it is.
"""


def problems_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(JourneyError) as refusal:
        check(text, "welcome.yaml")
    return [(problem.line, problem.text) for problem in refusal.value.problems]


def test_a_journey_reads_as_it_is_written_and_words_stay_words() -> None:
    spec = check(WELCOME, "welcome.yaml")
    assert spec["start"] == {"first_message": True, "keywords": ["hi", "Hello"]}
    assert [list(step) for step in spec["steps"]] == [["say"], ["ask", "buttons", "save_as"], ["say"]]
    assert spec["steps"][1]["buttons"] == ["Learn", "no", "3"]
    assert spec["steps"][2]["say"] == "<<user.goal>> it is."


def test_what_is_left_out_of_start_is_filled_in() -> None:
    spec = check(WELCOME.replace("  first_message: true\n", ""), "welcome.yaml")
    assert spec["start"] == {"first_message": False, "keywords": ["hi", "Hello"]}


@pytest.mark.parametrize(
    "old,new,line,problem",
    [
        ("journey: welcome", "jurney: welcome", 1, "jurney is not known here. Did you mean journey?"),
        ("journey: welcome\n", "", 1, "The file needs journey."),
        ("journey: welcome", "journey: ''", 1, "journey is empty"),
        ("journey: welcome", "journey: a/b", 1, "journey may hold letters"),
        ("first_message: true", "first_message: yes", 3, "start, first_message must be true or false."),
        ("[hi, Hello]", "[hi, ' HI! ']", 4, "are the same to a reader"),
        ("[hi, Hello]", "[]", 4, "start, keywords is an empty list"),
        ("[hi, Hello]", "hi", 4, "start, keywords must be a list"),
        ("|default(", "|defalt(", 6, "there is no filter defalt. Did you mean default?"),
        ("user.first_name", "first_name", 6, "is not an attribute of the user"),
        ("say: <<user.goal>>", "say: <<goal>>", 10, "Write <<user.goal>>"),
        ("say: <<user.goal>> it is.", "say:", 10, "step 3, say has nothing after the colon"),
        ("say: <<user.goal>> it is.", "sya: Hi", 10, "sya is not known here. Did you mean say?"),
        ("[Learn, no, 3]", "[Learn, no, 3, 4]", 8, "step 2, buttons: 4 are too many, at most 3 fit."),
        ("[Learn, no, 3]", "[Learn, LEARN]", 8, "The buttons 'Learn' and 'LEARN' are the same to a reader"),
        ("[Learn, no, 3]", "[Learn, <<user.x>>]", 8, "a button's title is the same for everybody"),
        ("[Learn, no, 3]", "[Learn, 'Talk to one of our coaches']", 8, "at most 20 fit"),
        ("[Learn, no, 3]", "[Learn, true]", 8, 'must be text. Put it in quotes: "true"'),
        ("    save_as: goal\n", "", 7, "a question needs save_as as well"),
        ("    buttons: [Learn, no, 3]\n", "", 7, "a question needs buttons as well"),
        ("save_as: goal", "save_as: first_name", 9, "first_name is the person's own"),
        ("save_as: goal", "save_as: My Goal", 9, "save_as may hold small letters"),
        ("save_as: goal", "save_as: goal\n    save_as: aim", 10, "save_as stands here twice"),
        ("  - ask: What", "    ask: What", 6, "step 1 has both say and ask"),
        ("What brings you here?", "w" * 1025, 7, "has 1,025 characters, at most 1,024 fit"),
        ("<<user.goal>> it is.", "w" * 4097, 10, "has 4,097 characters, at most 4,096 fit"),
        ("  - say: <<user.goal>> it is.", "  - just words", 10, "step 3 must be keys and values"),
        ("say: <<user.goal>> it is.", "say: {{user.goal}} it is.", 10, "Does a text need quotes around it?"),
        ("say: <<user.goal>> it is.", "say: *goal", 10, "have no place here"),
        ("say: <<user.goal>> it is.", "say: !!python/object/apply:os.system [ls]", 10, "Tags (!) have no place here"),
    ],
)
def test_each_mistake_is_told_with_its_line_and_remedy(old: str, new: str, line: int, problem: str) -> None:
    assert old in WELCOME
    told = problems_of(WELCOME.replace(old, new))
    assert any(line == at and problem in text for at, text in told), told


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_its_lines() -> None:
    wrong = WELCOME.replace("true", "maybe").replace("first_name|", "first_name.x()|").replace("goal\n", "email\n")
    told = problems_of(wrong)
    assert [line for line, _ in told] == [3, 6, 9]
    with pytest.raises(JourneyError, match=r"^welcome\.yaml:3: .*\nwelcome\.yaml:6: .*\nwelcome\.yaml:9: .*$"):
        check(wrong, "welcome.yaml")


@pytest.mark.parametrize("start", ["start: {first_message: false}", "start: {}"])
def test_a_journey_that_nothing_starts_is_refused(start: str) -> None:
    text = f"journey: idle\n{start}\nsteps: [{{say: Hi}}]"
    [(line, problem)] = problems_of(text)
    assert line == 2
    assert "Add keywords, or first_message: true." in problem


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]"

NO_JOURNEYS = {
    "empty": "",
    "comment": "# nothing",
    "list": "- a",
    "broken off": "a: [",
    "NUL": "a\0",
    "two documents": "a: b\n---\nc: d",
    "complex key": "? [a]\n: b",
    "deep": "{" * 60_000,
    "large": "x" * 70_000,
    "bomb": BOMB,
    "long list": "steps: [" + "a, " * 20_000 + "]",
    "backslashes": "a: '" + "\\" * 100,
    "lone surrogate": "\ud800",
    "other version": "%YAML 9.9\n---\na: b",
    "merge key": "<<: {a: b}",
    "value key": "a: =\n",
}


@pytest.mark.parametrize("text", NO_JOURNEYS.values(), ids=NO_JOURNEYS)
def test_what_is_no_journey_is_refused_quickly(text: str) -> None:
    began = time.process_time()
    assert problems_of(text)
    assert time.process_time() - began < 1


def test_the_published_schema_is_in_the_package_and_agrees_with_the_checker() -> None:
    packaged = json.loads((resources.files("bot.journeys") / "journey.schema.json").read_text())
    assert packaged == SCHEMA
    Draft202012Validator.check_schema(packaged)
    journey: dict[str, Any] = {"journey": "a", "start": {"first_message": True}, "steps": [{"say": "Hi"}]}
    assert Draft202012Validator(packaged).is_valid(journey)
    assert not Draft202012Validator(packaged).is_valid(journey | {"steps": [{"ask": "Hi"}]})


def test_the_journey_in_the_documentation_is_one_and_every_key_is_explained() -> None:
    told = (Path(__file__).parents[2] / "docs" / "journeys.md").read_text()
    assert check(told.split("```yaml\n")[1].split("```")[0], "docs/journeys.md")["journey"] == "welcome"
    keys = {*SCHEMA["properties"], *SCHEMA["properties"]["start"]["properties"], *SCHEMA["$defs"]["step"]["properties"]}
    assert [key for key in keys if f"| `{key}" not in told] == []


@settings(deadline=None)
@given(st.text(alphabet="abc:-[]{}'\"&*!|>#%@,? \n<user.x>", max_size=80), st.integers(0, len(WELCOME)))
def test_whatever_is_typed_into_a_journey_it_is_read_or_refused(typed: str, at: int) -> None:
    with contextlib.suppress(JourneyError):
        check(WELCOME[:at] + typed + WELCOME[at:], "welcome.yaml")
