import pytest
from sqlalchemy.orm import Session

from bot.models.words import StopMeaning
from bot.people import stop_words
from tests.dashboard.visitor import Visitor

PAGE = "/people/stop-words"


def meaning_of(session: Session, phrase: str, environment: str = "live") -> StopMeaning | None:
    session.expire_all()
    return {word.phrase: word.meaning for word in stop_words.every(session, environment)}.get(phrase)


def test_a_word_is_added_in_one_environment_and_taken_away(marketer: Visitor, session: Session) -> None:
    marketer.get(PAGE)
    marketer.post(PAGE, {"phrase": "¡Basta YA!", "language": "es", "meaning": "stop"})
    assert meaning_of(session, "basta ya") is StopMeaning.STOP
    assert meaning_of(session, "basta ya", "test") is None
    assert "basta ya" in marketer.get(PAGE).text
    marketer.post(f"{PAGE}/off", {"phrase": "basta ya"})
    assert meaning_of(session, "basta ya") is None


def test_a_word_that_is_built_in_is_switched_off_and_brought_back(marketer: Visitor, session: Session) -> None:
    marketer.get(PAGE)
    marketer.post(f"{PAGE}/off", {"phrase": "acha"})
    assert meaning_of(session, "acha") is StopMeaning.NOTHING
    assert "Bring back" in marketer.get(PAGE).text
    marketer.post(f"{PAGE}/on", {"phrase": "acha"})
    assert meaning_of(session, "acha") is StopMeaning.STOP


def test_what_people_are_answered_is_kept_by_language(marketer: Visitor, session: Session) -> None:
    marketer.get(PAGE)
    marketer.post(f"{PAGE}/replies", {"language": "sw", "meaning": "stop", "text": " Sawa. "})
    session.expire_all()
    known = stop_words.replies(session, "live")
    assert stop_words.reply_in(known, ("sw_KE",), StopMeaning.STOP) == "Sawa."
    assert stop_words.reply_in(known, (None, "hi"), StopMeaning.STOP) == stop_words.REPLIES["en"][StopMeaning.STOP]


@pytest.mark.parametrize(
    "path, form, told",
    [
        (PAGE, {"phrase": " ", "language": "en", "meaning": "stop"}, "Write a word or a few"),
        (PAGE, {"phrase": "x" * 201, "language": "en", "meaning": "stop"}, "at most 200 characters"),
        (PAGE, {"phrase": "bye", "language": "xx", "meaning": "stop"}, "There is no language"),
        (PAGE, {"phrase": "bye", "language": "en", "meaning": "maybe"}, "and not &#39;maybe&#39;"),
        (f"{PAGE}/off", {"phrase": "nobody says this"}, "There is no word"),
        (f"{PAGE}/replies", {"language": "en", "meaning": "stop", "text": "x" * 1025}, "1,024 is the most"),
        (f"{PAGE}/replies", {"language": "en", "meaning": "nothing", "text": "x"}, "Choose one of the languages"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_the_remedy(
    marketer: Visitor, path: str, form: dict[str, str], told: str
) -> None:
    marketer.get(PAGE)
    answer = marketer.post(path, form)
    assert answer.status_code == 422
    assert told in answer.text


def test_a_coach_reads_them_and_changes_nothing(coach: Visitor) -> None:
    assert "Another word" not in coach.get(PAGE).text
    assert coach.post(PAGE, {"phrase": "bye", "language": "en", "meaning": "stop"}).status_code == 403
