"""Who writes nothing but a stop word has stopped marketing, is told so once, and starts no journey by it."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from bot.journeys import loading, opting
from bot.models.person import Person
from bot.people import consent, stop_words
from bot.people.consent import Word
from tests import factories
from tests.webhooks.telling import AMINA, Desk, at, message, open_desk

OPTED_OUT = "SELECT marketing_opted_out_at FROM person"
SAID = "SELECT author_kind, body FROM message WHERE direction = 'out' ORDER BY id"
LEDGER = "SELECT value, source FROM consent_event ORDER BY occurred_at"
RESPONSES = "SELECT broadcast_id, replied_at, opted_out_at FROM broadcast_response ORDER BY broadcast_id"
GREETING = """
journey: greeting
start: {keywords: [start, stop, hello]}
steps:
  - say: Welcome.
"""
STOPPED = stop_words.REPLIES["en"][stop_words.STOP]
BACK = stop_words.REPLIES["en"][stop_words.RESUME]


@pytest.fixture
def desk(session: Session) -> Desk:
    desk = open_desk(session)
    loading.load(session, desk.number.environment, GREETING, "greeting.yaml")
    return desk


def reached(desk: Desk, *, s: float, person: Person | None = None, id_: str | None = None) -> int:
    """Id of a broadcast that was accepted for Amina then."""
    ask = desk.session
    person = person or ask.get(Person, desk.ask("SELECT min(person_id) FROM address"))
    assert person
    template = factories.make_template(ask, desk.number.connection)
    broadcast = factories.make_broadcast(
        ask, desk.number, factories.make_segment(ask), template, state="running", launched_at=at(s)
    )
    told = {"state": "accepted", "author_kind": "broadcast", "broadcast_id": broadcast.id, "provider_message_id": id_}
    factories.make_outbound(ask, person, desk.number, "offer", accepted_at=at(s), occurred_at=at(s), **told)
    return broadcast.id


def test_a_stop_word_stops_marketing_is_answered_once_and_starts_no_journey(desk: Desk) -> None:
    desk.tell(message("  STOP! 🛑"), message("stop", s=1))
    desk.tell(message("Stop.", s=2))

    assert desk.ask(OPTED_OUT) == at(2)
    assert desk.rows(SAID) == [("stack", STOPPED)]
    assert desk.rows(LEDGER) == [("stop", "word")] * 3
    assert desk.ask("SELECT name FROM journey WHERE id = (SELECT max(journey_id) FROM message)") == opting.JOURNEY


def test_a_sentence_with_a_stop_word_in_it_is_only_a_sentence(desk: Desk) -> None:
    desk.tell(message("please do not stop sending these"))
    assert desk.ask(OPTED_OUT) is None


def test_a_word_to_have_it_again_means_that_only_to_whoever_stopped(desk: Desk) -> None:
    desk.tell(message("start"))
    assert desk.rows(SAID) == [("stack", "Welcome.")]
    desk.tell(message("stop", s=1))
    desk.tell(message("start", s=2))
    assert desk.ask(OPTED_OUT) is None
    assert [body for _, body in desk.rows(SAID)] == ["Welcome.", STOPPED, BACK]


def test_stop_and_start_in_one_batch_count_in_their_order(desk: Desk) -> None:
    desk.tell(message("start", s=2), message("stop", s=1))
    assert desk.ask(OPTED_OUT) is None
    desk.tell(message("stop", s=4), message("start", s=3))
    assert desk.ask(OPTED_OUT) == at(4)


def test_a_word_from_last_week_counts_and_is_not_answered(desk: Desk) -> None:
    desk.tell(message("unsubscribe", s=-7 * 86400))
    assert isinstance(desk.ask(OPTED_OUT), datetime)
    assert desk.rows(SAID) == []


def test_the_answer_is_in_the_persons_language_or_the_words(desk: Desk) -> None:
    factories.make_person(desk.session, phone=f"+{AMINA.phone}", language="fr_CA")
    desk.tell(message("baja"))
    assert desk.rows(SAID) == [("stack", stop_words.REPLIES["fr"][stop_words.STOP])]


def test_a_button_of_a_template_is_a_stop_word_and_one_of_a_journey_is_an_answer(desk: Desk) -> None:
    desk.tell(message("Stop", kind="interactive", choice="j:1:0:0"))
    assert desk.ask(OPTED_OUT) is None
    desk.tell(message("Stop promotions", kind="button", choice="Stop promotions", s=1))
    assert desk.ask(OPTED_OUT) == at(1)


def test_a_word_that_is_switched_off_means_nothing_and_one_that_is_added_counts(desk: Desk) -> None:
    stop_words.switch_off(desk.session, "live", "stop", None)
    stop_words.add(desk.session, "live", "en", "  ENOUGH!! ", "stop", None)
    desk.tell(message("stop"))
    assert (desk.ask(OPTED_OUT), desk.rows(SAID)) == (None, [("stack", "Welcome.")])
    desk.tell(message("Enough", s=1))
    assert desk.ask(OPTED_OUT) == at(1)


def test_without_a_text_nothing_is_answered(desk: Desk) -> None:
    stop_words.set_reply(desk.session, "live", "en", "stop", "  ")
    desk.tell(message("stop"))
    assert (desk.ask(OPTED_OUT), desk.rows(SAID)) == (at(0), [])


def test_a_reply_belongs_to_the_last_broadcast_that_reached_them(desk: Desk) -> None:
    desk.tell(message("hello", s=-900))
    first, second = reached(desk, s=-600), reached(desk, s=-300)
    desk.tell(message("how much is it?"), message("and when?", s=9))
    assert desk.rows(RESPONSES) == [(second, at(0), None)]
    assert first < second


def test_a_reply_that_quotes_belongs_to_what_it_quotes(desk: Desk) -> None:
    desk.tell(message("hello", s=-900))
    first = reached(desk, s=-600, id_="wamid.offer")
    reached(desk, s=-300)
    desk.tell(message("this one", reply_to="wamid.offer"))
    assert desk.rows(RESPONSES) == [(first, at(0), None)]


def test_what_is_written_long_after_is_no_reply(desk: Desk) -> None:
    desk.tell(message("hello", s=-900))
    reached(desk, s=-4 * 86400)
    desk.tell(message("hello again"))
    assert desk.rows(RESPONSES) == []


def test_an_opt_out_is_counted_for_the_broadcast_and_is_no_reply(desk: Desk) -> None:
    desk.tell(message("hello", s=-900))
    broadcast_id = reached(desk, s=-300)
    desk.tell(message("stop"))
    assert desk.rows(RESPONSES) == [(broadcast_id, None, at(0))]


@pytest.mark.parametrize("source", ["webhook", "error", "coach", "api"])
def test_an_opt_out_counts_whoever_told_us(desk: Desk, source: str) -> None:
    desk.tell(message("hello", s=-900))
    broadcast_id, person_id = reached(desk, s=-300), desk.ask("SELECT id FROM person")
    consent.tell(desk.session, [Word(person_id, consent.MARKETING, consent.STOP, source, at(0))])
    consent.tell(desk.session, [Word(person_id, consent.MARKETING, consent.STOP, source, at(5))])
    assert desk.rows(RESPONSES) == [(broadcast_id, None, at(0))]
