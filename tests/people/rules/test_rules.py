"""A rule says the same to the database as to a reader, and nothing in it is ever more than a value."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models.person import Person, Property
from bot.models.preference import Topic
from bot.models.segment import Segment
from bot.models.words import PropertyType
from bot.people.rules import checking, compiling, counting, schema
from bot.people.rules.operators import OPERATORS
from bot.people.rules.schema import RuleError
from tests import factories
from tests.harness.sizes import sizes
from tests.people.rules import drawing, world

ROOT = Path(__file__).parents[3]
HOW_OFTEN = sizes(25, 500, 5_000)
INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE person; --",
    "\\'; SELECT pg_sleep(9); --",
    "1; DELETE FROM person",
    '" OR ""="',
    "%' UNION SELECT secret_hash FROM api_token --",
    "$1",
    ":name",
    "%(name)s",
    "%s",
    "{}",
    "attributes->>'x'",
    "/* */",
    "%",
    "_",
    "\\",
    "*" * 4000,
    "٪؛'",
]


def ids(session: Session, rule: dict[str, Any], environment: str = "live") -> set[int]:
    checked = checking.check(session, environment, rule)
    return set(session.scalars(compiling.people(session, environment, checked, world.NOW)))


def problems(session: Session, rule: object) -> str:
    with pytest.raises(RuleError) as refusal:
        checking.check(session, "live", rule)
    return str(refusal.value)


@pytest.mark.parametrize("how_often", HOW_OFTEN)
def test_the_statement_finds_whom_a_reader_would_find(session: Session, how_often: int) -> None:
    made = world.make_world(session)
    stranger = factories.make_person(session, environment="test", country="EG")

    @given(drawing.rules(made))  # drawn within, it would be written out each time, which takes longest
    @settings(max_examples=how_often, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def compare(rule: dict[str, Any]) -> None:
        found = ids(session, rule)
        assert found == {facts.person.id for facts in made.people if world.holds(facts, rule)}
        assert stranger.id not in found

    compare()


def test_what_is_stored_reads_back_as_the_same_rule(session: Session) -> None:
    made = world.make_world(session, size=0)

    @given(drawing.rules(made))
    @settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def read_back(drawn: dict[str, Any]) -> None:
        rule = checking.check(session, "live", drawn)
        stored = schema.as_data(rule)
        assert schema.load(stored) == rule
        assert schema.as_data(checking.check(session, "live", stored)) == stored

    read_back()


def test_a_segment_of_a_rule_is_asked_in_the_same_statement(session: Session) -> None:
    in_egypt = {"version": 1, "all": [{"what": "country", "operator": "is", "value": "EG"}]}
    nested = Segment(environment="live", name="Egypt", kind="rule", rule=in_egypt)
    session.add(nested)
    mona, _ = factories.make_person(session, country="EG"), factories.make_person(session, country="DE")
    rule = {"version": 1, "all": [{"what": "segment", "of": nested.id, "operator": "in"}]}
    assert ids(session, rule) == {mona.id}
    assert mona.id not in ids(session, {"version": 1, "not": rule["all"][0]})  # type: ignore[index]


def test_a_rule_that_leads_to_itself_is_refused_and_not_followed(session: Session) -> None:
    first = Segment(environment="live", name="first", kind="rule", rule={"version": 1, "all": []})
    session.add(first)
    session.flush()
    rule = {"version": 1, "all": [{"what": "segment", "of": first.id, "operator": "not_in"}]}
    first.rule = rule
    session.flush()
    with pytest.raises(RuleError, match="leads back to itself"):
        ids(session, rule)


@pytest.mark.parametrize("evil", INJECTIONS)
def test_injections_are_values_wherever_they_stand(session: Session, evil: str) -> None:
    """Case 133."""
    session.add_all(Property(environment="live", name=f"a.{kind.lower()}", type=kind) for kind in PropertyType)
    session.add(Property(environment="live", name=evil, type="TEXT"))
    told = factories.make_person(session, first_name=evil, country=None, attributes={evil: evil, "a.text": evil})
    factories.make_person(session, first_name="Ada", attributes={"a.text": "plain"})
    for what, of in (("first_name", None), ("attribute", "a.text"), ("attribute", evil)):
        for operator in ("is", "contains", "starts_with"):
            asked: dict[str, Any] = {"what": what, "of": of, "operator": operator, "value": evil}
            assert told.id in (found := ids(session, {"version": 1, "all": [asked]}))
            assert found == {told.id}
    for place in ("what", "of", "operator"):
        asked = {"what": "country", "operator": "is", "value": "EG"} | {place: evil}
        assert problems(session, {"version": 1, "all": [asked]}).startswith(f"rule.all[0].{place}: ")


def test_no_value_and_no_name_of_a_rule_is_in_the_text_of_the_statement(session: Session) -> None:
    session.add(Property(environment="live", name="zebra", type="TEXT"))
    asked = {"what": "attribute", "of": "zebra", "operator": "contains", "value": "giraffe"}
    rule = checking.check(session, "live", {"version": 1, "all": [asked]})
    statement = str(compiling.people(session, "live", rule).compile(dialect=session.get_bind().dialect))
    assert "zebra" not in statement
    assert "giraffe" not in statement
    assert "environment" in statement


def test_the_compiler_knows_no_text() -> None:
    for path in (ROOT / "bot/people/rules").glob("*.py"):
        assert not re.search(r"\btext\(|literal_column|\bDDL\b|exec_driver_sql|TextClause", path.read_text()), path


@pytest.mark.parametrize(
    "rule,told",
    [
        ([], "rule: A rule is an object"),
        ({"all": []}, "rule.version: Say which version"),
        ({"version": 2, "all": []}, "rule.version: Say which version"),
        ({"version": 1}, "rule: The outermost of a rule is a group"),
        ({"version": 1, "all": []}, "rule.all: Put at least one condition here"),
        ({"version": 1, "all": {}}, "rule.all: Put at least one condition here"),
        ({"version": 1, "all": [7]}, "rule.all[0]: This must be a condition or a group"),
        ({"version": 1, "all": [], "any": []}, "rule: A group is all and nothing beside it"),
        ({"version": 1, "not": {"what": "contry"}}, "rule.not.what: That is unknown: did you mean country?"),
        ({"version": 1, "all": [{"what": "country"}]}, "rule.all[0].operator: It is missing"),
        (
            {"version": 1, "all": [{"what": "country", "operator": "is", "role": "admin"}]},
            "rule.all[0].role: There is no such field",
        ),
        ({"version": 1, "all": [{"what": "country", "operator": "is"}]}, "rule.all[0].value: Say with what"),
        (
            {"version": 1, "any": [{"what": "created", "operator": "in_last_days", "value": 0}]},
            "rule.any[0].value: Give a whole number of days",
        ),
        ({"version": 1, "all": [{"what": "attribute", "of": "no", "operator": "is"}]}, "rule.all[0].of: There is no"),
        (
            {"version": 1, "all": [{"what": "segment", "of": 99, "operator": "in"}]},
            "rule.all[0].of: There is no such segment in live",
        ),
        ({"version": 1, "all": [{"what": "segment", "of": 2**70, "operator": "in"}]}, "rule.all[0].of: There is no"),
    ],
)
def test_a_refusal_names_the_place_and_the_remedy(session: Session, rule: object, told: str) -> None:
    assert problems(session, rule).startswith(told)


def test_every_problem_is_told_at_once(session: Session) -> None:
    bad = {"what": "country", "operator": "is", "value": 7}
    told = problems(session, {"version": 1, "all": [bad, {"any": [bad]}, {"not": bad}]})
    assert [line.partition(": ")[0] for line in told.splitlines()] == [
        "rule.all[0].value",
        "rule.all[1].any[0].value",
        "rule.all[2].not.value",
    ]


@pytest.mark.parametrize("kind,bad", [("NUMBER", "12"), ("DATE", "31.1.2026"), ("BOOLEAN", "yes"), ("TIME", "25:00")])
def test_a_value_has_to_be_of_the_attributes_type(session: Session, kind: str, bad: str) -> None:
    session.add(Property(environment="live", name="x", type=kind))
    operator = next(iter(OPERATORS[PropertyType(kind)]))
    asked = {"what": "attribute", "of": "x", "operator": operator, "value": bad}
    assert f"rule.all[0].value: {bad} is not of type {kind}" in problems(session, {"version": 1, "all": [asked]})


def test_groups_have_a_depth_and_a_number_of_conditions(session: Session) -> None:
    rule: dict[str, Any] = {"what": "status", "operator": "enabled"}
    for _ in range(schema.DEEPEST):
        rule = {"all": [rule]}
    checking.check(session, "live", {"version": 1, **rule})
    assert "Groups go 5 deep at most" in problems(session, {"version": 1, "all": [rule]})
    many = [{"any": [{"what": "status", "operator": "enabled"}] * 51}] * 2
    assert "100 conditions at most" in problems(session, {"version": 1, "all": many})


def test_what_belongs_to_the_other_environment_is_not_there(session: Session) -> None:
    segment = factories.make_segment(session, environment="test")
    number = factories.make_number(session, environment="test")
    topic = Topic(environment="test", name="news")
    session.add_all([topic, Property(environment="test", name="plan", type="TEXT")])
    session.flush()
    for asked in (
        {"what": "segment", "of": segment.id, "operator": "in"},
        {"what": "conversation", "of": number.id, "operator": "open"},
        {"what": "topic", "of": topic.id, "operator": "wants"},
        {"what": "attribute", "of": "plan", "operator": "is_empty"},
    ):
        assert "rule.all[0].of: There is no" in problems(session, {"version": 1, "all": [asked]})
        checking.check(session, "test", {"version": 1, "all": [asked]})


def test_a_rule_smuggled_across_finds_nobody_of_the_other_environment(session: Session) -> None:
    """Around the checker: even a rule that names a segment of the other environment stays in its own."""
    stranger = factories.make_person(session, environment="test")
    segment = factories.make_segment(session, [stranger], environment="test")
    native = factories.make_person(session)
    asked = schema.Condition("segment", "in", of=segment.id)
    found = select(Person.id).where(compiling.matching(session, "live", asked, Person))
    assert session.scalars(found).all() == []
    outside = schema.Condition("segment", "not_in", of=segment.id)
    found = select(Person.id).where(compiling.matching(session, "live", outside, Person))
    assert session.scalars(found).all() == [native.id]


def test_a_count_is_exact_while_it_is_quick_and_says_so_when_it_is_not(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(30):
        factories.make_person(session, country="EG")
    rule = checking.check(session, "live", {"version": 1, "all": [{"what": "status", "operator": "enabled"}]})
    assert str(counting.count(session, "live", rule)) == "30"
    assert len(counting.sample(session, "live", rule, limit=3)) == 3
    monkeypatch.setattr(counting, "DEAREST", -1.0)
    monkeypatch.setattr(counting, "SAMPLED_PEOPLE", 20)
    about = counting.count(session, "live", rule)
    assert not about.is_exact
    assert str(about).startswith("about ")
    assert counting.count(session, "live", rule, is_patient=True) == counting.Count(30, is_exact=True)
    assert session.scalar(select(Person.id).limit(1)), "the time limit went with the count"
