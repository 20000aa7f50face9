import pytest
from sqlalchemy.orm import Session

from bot.models.words import PropertyType
from bot.people import properties
from bot.people.properties import PropertyError


def test_a_property_has_one_type_in_its_environment(session: Session) -> None:
    properties.declare(session, "live", {"plan": PropertyType.TEXT, "office.no": PropertyType.NUMBER})
    properties.declare(session, "live", {"plan": PropertyType.TEXT, "since": PropertyType.DATE})
    assert properties.custom(session, "live") == {"plan": "TEXT", "office.no": "NUMBER", "since": "DATE"}
    with pytest.raises(PropertyError, match="plan is of the type TEXT in live and cannot be NUMBER"):
        properties.declare(session, "live", {"plan": PropertyType.NUMBER, "new": PropertyType.TEXT})
    assert "new" not in properties.custom(session, "live")
    properties.declare(session, "test", {"plan": PropertyType.NUMBER})
    assert properties.custom(session, "test") == {"plan": "NUMBER"}


@pytest.mark.parametrize("name", ["", "two words", "a,b", "é", "distinct_id", "Country", "in_app", "x\0", "x" * 101])
def test_a_name_that_lists_and_texts_could_not_read_is_refused(session: Session, name: str) -> None:
    with pytest.raises(PropertyError):
        properties.declare(session, "live", {name: PropertyType.TEXT})
    assert properties.custom(session, "live") == {}


def test_there_is_an_end_to_properties(session: Session) -> None:
    most = {f"p{place}": PropertyType.TEXT for place in range(properties.MOST_PROPERTIES)}
    properties.declare(session, "live", most)
    with pytest.raises(PropertyError, match="500 are the most"):
        properties.declare(session, "live", {"one_more": PropertyType.TEXT})
    properties.declare(session, "live", most)


def test_the_table_shows_what_somebody_chose_and_until_then_the_usual(session: Session) -> None:
    properties.declare(session, "live", {f"p{place}": PropertyType.TEXT for place in range(10)})
    names = [each.name for each in properties.shown(session, "live")]
    assert names[:3] == ["display_name", "distinct_id", "country"]
    assert "p7" in names
    assert "p8" not in names
    for name, is_shown in (("country", False), ("p8", True), ("p0", False), ("display_name", False)):
        properties.show(session, "live", name, is_shown)
    assert {"display_name", "p8"} <= {each.name for each in properties.shown(session, "live")}
    assert not {"country", "p0"} & {each.name for each in properties.shown(session, "live")}
    assert "country" in {each.name for each in properties.shown(session, "test")}
    with pytest.raises(PropertyError, match="no property 'p8' in test"):
        properties.show(session, "test", "p8", is_shown=True)
