import time
import tracemalloc
from pathlib import Path

import pytest

from bot.messages import personalise
from bot.messages.personalise import PlaceholderError, Rendered
from bot.messages.placeholder import FILTERS
from bot.people.values import OWN_NAMES

ANA = {"first_name": "Ana", "office.no": "12", "title": " ", "canary": "do-not-print-me"}

WELL_FORMED = {
    "Hi <<user.first_name>>!": "Hi Ana!",
    "Hi {{user.first_name}}!": "Hi Ana!",
    "Hi {{ user.first_name | upper }}!": "Hi ANA!",
    "Desk << user.office.no >>": "Desk 12",
    "<<user.title|default('Friend')>>": "Friend",
    '<<user.nobody|default("it\'s you")|upper>>': "IT'S YOU",
    "<<user.nobody|trim|default('x')|capitalize|lower|title>>": "X",
    "Code {{1}} for {{name}} and {{ user }}": "Code {{1}} for {{name}} and {{ user }}",
    "5 < 6 >> 4, {% if x %} {# no #} [[7*7]] <%= 1 %> ${1}": "5 < 6 >> 4, {% if x %} {# no #} [[7*7]] <%= 1 %> ${1}",
    "two\r\nlines\n": "two\r\nlines\n",
    "": "",
}

SERVER_SIDE_INJECTION = [
    "<<''.__class__.__mro__>>",
    "<<user.__class__>>",
    "<<user.first_name.__class__.__mro__>>",
    "<<user|attr('__class__')>>",
    "<<user.first_name|attr('__class__')>>",
    "<<'{0.__class__}'.format(1)>>",
    "<<user.first_name.format(1)>>",
    "<<user|map(attribute='x')>>",
    "<<cycler.__init__.__globals__>>",
    "<<lipsum>>",
    "<<namespace(a=1)>>",
    "<<range(10)>>",
    "<<dict(a=1)>>",
    "<<config>>",
    "<<config.items>>",
    "<<request.url>>",
    "<<User.first_name>>",
    "<<request>>",
    "<<self>>",
    "<<user>>",
    "<<user[0]>>",
    "<<user['first_name']>>",
    "<<user.first_name[0]>>",
    "<<user.first_name()>>",
    "<<user.query.delete()>>",
    "<<user.first_name|default(user.canary)>>",
    "<<user.first_name|default(instead='x')>>",
    "<<user.first_name|default(*['x'])>>",
    "<<user.first_name|default>>",
    "<<user.first_name|upper('x')>>",
    "<<user.first_name ~ user.canary>>",
    "<<user.first_name if true>>",
    "<<user.first_name is defined>>",
    "<<not user.first_name>>",
    "<<-user.first_name->>",
    "<<user.first_name, user.canary>>",
    "<<[user.first_name]>>",
    "<<7*7>>",
    "<<''>>",
    "<<>>",
    "<<|upper>>",
    "<<user.first_name",
    "<<<user.first_name>>>",
    "<<user.first_name|default(\u2018there\u2019)>>",
    r"<<user.first_name|default('\x41')>>",
    "{{user.__class__}}",
    "{{user.first_name.format(1)}}",
    "\0<<user.first_name>>",
]

DENIAL_OF_SERVICE = [
    "<<'a'*300000000>>",
    "<<'%300000000d'|format(1)>>",
    "<<user.first_name|center(300000000)>>",
    "<<user.first_name|replace('','a')|replace('','a')>>",
    "<<10**20000000>>",
    "<<user.first_name|wordwrap(1)>>",
    "<<user.first_name|default('" + "a" * 4000 + "')>>",
    "<<" + "(" * 290 + ">>",
    ("<<" + "[" * 250 + ">>") * 16,
    "<<" * 2048,
    "<<user.first_name>>" * 300,
    "<<user" + ".a" * 1500 + ">>",
    "<<" + "9" * 290 + ">>",
]


@pytest.mark.parametrize("text", WELL_FORMED)
def test_placeholders_are_filled_and_everything_else_stays_as_written(text: str) -> None:
    assert personalise.problems(text) == []
    assert personalise.render(text, ANA).text == WELL_FORMED[text]


@pytest.mark.parametrize("text", SERVER_SIDE_INJECTION)
def test_anything_but_an_attribute_and_a_known_filter_is_refused_when_it_is_saved(text: str) -> None:
    with pytest.raises(PlaceholderError) as refusal:
        personalise.check(text)
    with pytest.raises(PlaceholderError):
        personalise.render(text, ANA)
    assert ANA["canary"] not in str(refusal.value)


@pytest.mark.parametrize("text", DENIAL_OF_SERVICE)
def test_a_text_made_to_exhaust_us_is_refused_quickly_and_cheaply(text: str) -> None:
    began = time.process_time()
    with pytest.raises(PlaceholderError):
        personalise.check(text)
    spent = time.process_time() - began
    tracemalloc.start()
    personalise.problems(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 0.25
    assert peak < 64 * 1024 * 1024


def test_block_syntax_is_plain_text_and_runs_nothing() -> None:
    loop = "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"
    macro = "{% macro m() %}{{ m() }}{% endmacro %}{% include 'x' %}{% extends 'y' %}<%! import os %>"
    assert personalise.render(loop + macro + "<<user.first_name>>", ANA).text == loop + macro + "Ana"


@pytest.mark.parametrize("value", ["<<user.canary>>", "[[7*7]]", "{{7*7}}", "{{user.canary}}", "<% 7*7 %>", "{% x %}"])
def test_a_value_is_data_and_appears_literally(value: str) -> None:
    values = {**ANA, "first_name": value}
    assert personalise.render("Hi <<user.first_name|default('you')>>!", values).text == f"Hi {value}!"


def test_attributes_without_value_and_default_are_told() -> None:
    text = "<<user.title>> <<user.nobody>> <<user.nobody>> <<user.first_name>> <<user.last_name|default('-')>>"
    assert personalise.render(text, ANA) == Rendered("    Ana -", ("title", "nobody"))
    assert personalise.render("<<user.nobody|default('  ')>>", ANA).empty == ("nobody",)
    assert personalise.placeholders(text) == ("title", "nobody", "first_name", "last_name")


@pytest.mark.parametrize("name", ["metadata", "registry", "query", "items", "keys", "get"])
def test_a_name_that_objects_have_is_an_attribute_like_any_other(name: str) -> None:
    assert personalise.render(f"<<user.{name}>>", ANA) == Rendered("", (name,))
    assert personalise.render(f"<<user.{name}>>", {**ANA, name: "mine"}).text == "mine"


def test_a_result_longer_than_whatsapp_takes_is_refused() -> None:
    with pytest.raises(PlaceholderError, match="Shorten it"):
        personalise.render("<<user.first_name>>.", {"first_name": "a" * 4096})
    with pytest.raises(PlaceholderError, match="Shorten it"):
        personalise.render("<<user.first_name|upper>>", {"first_name": "\u00df" * 4000})
    with pytest.raises(PlaceholderError, match="Shorten it"):
        personalise.check("a" * 4097)


@pytest.mark.parametrize(
    "text,remedy",
    [
        ("Hi <<first_name>>", "<<user.first_name>>"),
        ("Hi <<user.first_name|uper>>", "Did you mean upper?"),
        ("Hi <<user.first_name|or('x')>>", "default('there')"),
        ("Hi <<user.first_name", "Add >>"),
        ("Hi <<user.first_name|default(\u201cthere\u201d)>>", "straight"),
    ],
)
def test_a_refusal_shows_the_placeholder_and_the_remedy(text: str, remedy: str) -> None:
    [problem] = personalise.problems(text)
    assert problem.startswith(text.removeprefix("Hi "))
    assert remedy in problem


def test_every_bad_placeholder_of_a_text_is_told_at_once() -> None:
    assert len(personalise.problems("<<a>> <<user.b>> <<user.c|d>> <<7*7>>")) == 3


def test_every_filter_and_every_own_name_is_in_the_documentation() -> None:
    told = (Path(__file__).parents[2] / "docs" / "personalisation.md").read_text()
    assert [name for name in (*FILTERS, *OWN_NAMES) if f"`{name}" not in told] == []
