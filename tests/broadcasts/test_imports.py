"""A list that somebody uploads becomes people and a segment, and every row is accounted for."""

from sqlalchemy import select

from bot.models.person import Person
from bot.models.words import ImportState
from bot.people.values import load_values
from bot.runtime import Runtime
from tests import factories
from tests.broadcasts import lists
from tests.broadcasts.lists import METAHUMANS_HEADER


def test_the_example_list_comes_in_without_an_error(rt: Runtime) -> None:
    run = lists.take_in(rt, "user_id,phone_number\nchasenoti123,+821011112222\nmjnoti105,+821033334444\n")

    assert run.state == ImportState.FINISHED
    assert (run.total, *lists.counts(run)) == (2, 2, 0, 0, 0)
    assert lists.everybody(rt)["chasenoti123"] == ("+821011112222", None, None, None, "KR", {})
    assert lists.members(rt) == {"chasenoti123", "mjnoti105"}


def test_a_list_of_digits_is_completed_by_its_country(rt: Runtime) -> None:
    run = lists.take_in(
        rt,
        f"{METAHUMANS_HEADER},city,office.no||TEXT\n"
        "ann,919876543210,ann@example.org,Ann,Lee,Dr,basic,Pune,7\n"
        ",9876543211,,Bob,,,,,\n",
        dialect="metahumans",
        country="in",
    )

    assert lists.counts(run) == (2, 0, 0, 0)
    people = lists.everybody(rt)
    attributes = {"title": "Dr", "account": "basic", "city": "Pune", "office.no": "7"}
    assert people.pop("ann") == ("+919876543210", None, "Ann", "Lee", "IN", attributes)
    assert list(people.values()) == [("+919876543211", None, "Bob", None, "IN", {})]


def test_all_seven_columns_can_be_asked_for_by_a_placeholder(rt: Runtime) -> None:
    row = "ann,919876543210,ann@example.org,Ann,Lee,Dr,basic\n"
    lists.take_in(rt, f"{METAHUMANS_HEADER}\n{row}", dialect="metahumans", country="IN")
    names = [header.removeprefix("user.") for header in METAHUMANS_HEADER.split(",")]

    with rt.transaction() as session:
        ann = session.scalars(select(Person.id).where(Person.distinct_id == "ann")).one()
        values = load_values(session, [ann])[ann]
    assert [values[name] for name in names] == ["ann", "+919876543210", *row.rstrip().split(",")[2:]]


def test_uploaded_cells_replace_and_blank_ones_do_not_erase(rt: Runtime) -> None:
    header = "user_id,phone_number,nickname,city,team\n"
    lists.take_in(rt, f"{header}a,+201012345678,Ann,Cairo,red\nb,+201012345679,Bo,Giza,red\n")
    run = lists.take_in(rt, f"{header}a,+201012345678,,Giza,\nb,+201012345679,Bo,,\nc,+201012345670,,,\n")

    assert lists.counts(run) == (1, 1, 1, 0)
    people = lists.everybody(rt)
    assert people["a"] == ("+201012345678", "Ann", None, None, "EG", {"city": "Giza", "team": "red"})
    assert people["b"] == ("+201012345679", "Bo", None, None, "EG", {"city": "Giza", "team": "red"})


def test_of_rows_about_one_person_the_last_wins_and_each_counts(rt: Runtime) -> None:
    run = lists.take_in(
        rt, "user_id,phone_number,city\na,+201012345678,Cairo\na,+201012345678,Giza\na,+201012345678,Giza\n"
    )

    assert (run.total, *lists.counts(run), run.superseded) == (3, 1, 0, 0, 0, 2)
    assert lists.everybody(rt)["a"][-1] == {"city": "Giza"}


def test_a_stranger_who_wrote_first_is_named_by_the_list(rt: Runtime) -> None:
    with rt.transaction() as session:
        stranger = factories.make_person(
            session, distinct_id="made-up", distinct_id_given=False, phone="+201012345678", nickname="Ann"
        )
    run = lists.take_in(rt, "user_id,phone_number\nann-1,+201012345678\n")

    assert lists.counts(run) == (0, 1, 0, 0)
    with rt.transaction() as session:
        person = session.get_one(Person, stranger.id)
        assert (person.distinct_id, person.distinct_id_given, person.nickname) == ("ann-1", True, "Ann")


def test_of_two_names_with_one_number_the_last_wins_and_the_other_is_told(rt: Runtime) -> None:
    run = lists.take_in(rt, "user_id,phone_number\na,+201012345678\nb,+201012345678\n")

    assert lists.counts(run) == (1, 0, 0, 1)
    (comment,) = lists.comments(rt, run.id)
    assert comment.startswith(
        "phone_number +201012345678 is also that of user_id b in row 3: one number is one person."
    )


def test_a_number_that_is_somebody_elses_is_kept_out(rt: Runtime) -> None:
    lists.take_in(rt, "user_id,phone_number\na,+201012345678\n")
    run = lists.take_in(rt, "user_id,phone_number\nb,+201012345678\nc,+201012345679\n")

    assert lists.counts(run) == (1, 0, 0, 1)
    assert lists.comments(rt, run.id) == [
        "phone_number +201012345678 belongs to user_id a already: one number is one person. Correct one of the two."
    ]


def test_a_person_who_moved_has_the_new_number_only(rt: Runtime) -> None:
    lists.take_in(rt, "user_id,phone_number\na,+201012345678\n")
    run = lists.take_in(rt, "user_id,phone_number\na,+821011112222\nb,+201012345678\n")

    assert lists.counts(run) == (1, 1, 0, 0)
    people = lists.everybody(rt)
    assert (people["a"][0], people["a"][4], people["b"][0]) == ("+821011112222", "KR", "+201012345678")


def test_live_and_test_people_never_meet(rt: Runtime) -> None:
    content = "user_id,phone_number\na,+201012345678\n"
    lists.take_in(rt, content)
    run = lists.take_in(rt, content, environment="test")

    assert lists.counts(run) == (1, 0, 0, 0)


def test_the_same_list_again_brings_nobody_new(rt: Runtime) -> None:
    content = "user_id,phone_number\n" + "".join(f"u{n},+2010{n:08d}\n" for n in range(10_000_000, 10_005_000))
    first = lists.take_in(rt, content)
    second = lists.take_in(rt, content)

    assert lists.counts(first) == (5000, 0, 0, 0)
    assert lists.counts(second) == (0, 0, 5000, 0)
    assert len(lists.members(rt)) == 5000
