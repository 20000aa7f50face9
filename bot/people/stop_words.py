"""Words by which people stop marketing and ask for it again: those built in, those added, those switched off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.language import _, figure
from bot.models.policy import StopReply, StopWord
from bot.models.words import StopMeaning
from bot.people.phrases import LONGEST, normalise

LONGEST_REPLY: Final = 1024
FALLBACK: Final = "en"

STOP, RESUME = StopMeaning.STOP, StopMeaning.RESUME

# Only what nobody says by the way: "end" or "cancel" may be about an appointment. Whoever wants them adds them.
BUILT_IN: Mapping[str, Mapping[StopMeaning, tuple[str, ...]]] = {
    "en": {
        STOP: ("stop", "stop all", "stopall", "stop promotions", "unsubscribe", "opt out", "optout"),
        RESUME: ("start", "unstop", "subscribe", "opt in", "resume promotions"),
    },
    "ar": {STOP: ("إيقاف", "ايقاف", "إلغاء الاشتراك", "الغاء الاشتراك"), RESUME: ("اشتراك", "ابدأ")},
    "de": {STOP: ("stopp", "abmelden", "abbestellen", "keine werbung"), RESUME: ("anmelden", "wieder anmelden")},
    "es": {STOP: ("alto", "baja", "darse de baja", "cancelar suscripción"), RESUME: ("alta", "suscribirme")},
    "fr": {STOP: ("arrêt", "arret", "se désabonner", "désabonner"), RESUME: ("reprendre", "s'abonner")},
    "hi": {STOP: ("रोकें", "बंद करें", "सदस्यता समाप्त"), RESUME: ("शुरू करें", "सदस्यता लें")},
    "id": {STOP: ("berhenti", "berhenti berlangganan"), RESUME: ("mulai", "berlangganan")},
    "it": {STOP: ("cancella iscrizione", "disiscrivimi", "basta"), RESUME: ("iscrivimi", "riprendi")},
    "nl": {STOP: ("afmelden", "uitschrijven"), RESUME: ("aanmelden", "inschrijven")},
    "pt": {STOP: ("parar", "sair da lista", "cancelar inscrição", "descadastrar"), RESUME: ("voltar", "inscrever")},
    "ru": {STOP: ("стоп", "отписаться"), RESUME: ("подписаться",)},
    "sw": {STOP: ("acha", "simamisha"), RESUME: ("anza", "jiunge")},
    "tr": {STOP: ("dur", "durdur", "abonelikten çık"), RESUME: ("başlat", "abone ol")},  # noqa: RUF001 (Turkish)
    "zh": {STOP: ("停止", "退订", "退訂"), RESUME: ("订阅", "訂閱")},
}
"""Language → meaning → phrases, as `normalise` leaves them."""

REPLIES: Mapping[str, Mapping[StopMeaning, str]] = {
    "en": {
        STOP: "You will get no more offers and news from us. Write START if you want them again.",
        RESUME: "Welcome back: you will get our offers and news again. Write STOP whenever you have had enough.",
    },
    "de": {
        STOP: "Sie erhalten von uns keine Angebote und Neuigkeiten mehr. Mit ANMELDEN bekommen Sie sie wieder.",
        RESUME: "Willkommen zurück: Sie erhalten wieder Angebote und Neuigkeiten. Mit STOPP ist jederzeit Schluss.",
    },
    "es": {
        STOP: "No le enviaremos más ofertas ni novedades. Escriba ALTA si quiere recibirlas otra vez.",
        RESUME: "De nuevo recibirá nuestras ofertas y novedades. Escriba BAJA cuando ya no las quiera.",
    },
    "fr": {
        STOP: "Vous ne recevrez plus nos offres ni nos nouvelles. Écrivez REPRENDRE pour les recevoir à nouveau.",
        RESUME: "Vous recevrez à nouveau nos offres et nos nouvelles. Écrivez ARRÊT pour ne plus les recevoir.",
    },
    "pt": {
        STOP: "Você não receberá mais ofertas e novidades. Escreva VOLTAR se quiser recebê-las de novo.",
        RESUME: "Você voltará a receber ofertas e novidades. Escreva PARAR quando não quiser mais.",
    },
}
"""What somebody is answered in the language of the word; in a language without one, in English."""


class StopWordError(ValueError):
    """A word or an answer cannot be kept as asked; the text says why and what would be right."""


@dataclass(frozen=True, slots=True)
class Word:
    """`meaning` is NOTHING for a built-in word that was switched off."""

    language: str
    phrase: str
    meaning: StopMeaning
    is_built_in: bool


@dataclass(frozen=True, slots=True)
class Meant:
    """What a message means, and the language of the word it is."""

    meaning: StopMeaning
    language: str


_WORDS: Final = tuple(
    Word(language, phrase, meaning, is_built_in=True)
    for language, meanings in BUILT_IN.items()
    for meaning, phrases in meanings.items()
    for phrase in phrases
)


def every(session: Session, environment: str) -> list[Word]:
    """Those in force and those switched off, language by language."""
    known = {word.phrase: word for word in _WORDS}
    for row in session.scalars(select(StopWord).where(StopWord.environment == environment).order_by(StopWord.id)):
        is_built_in = row.phrase in known
        known[row.phrase] = Word(row.language, row.phrase, StopMeaning(row.meaning), is_built_in)
    return sorted(known.values(), key=lambda word: (word.language != FALLBACK, word.language, word.meaning != STOP))


def in_force(session: Session, environment: str) -> dict[str, Meant]:
    """Phrase → what it means."""
    words = every(session, environment)
    return {
        word.phrase: Meant(word.meaning, word.language) for word in words if word.meaning is not StopMeaning.NOTHING
    }


def meant(words: Mapping[str, Meant], body: str | None) -> Meant | None:
    """What a whole message means; None for anything that merely contains such a word."""
    return words.get(normalise(body)) if body and len(body) <= LONGEST else None


def add(session: Session, environment: str, language: str, phrase: str, meaning: str, operator_id: int | None) -> None:
    """Let a phrase mean stop or resume, or nothing; raises StopWordError."""
    if meaning not in set(StopMeaning):
        raise StopWordError(_("A word means stop, resume or nothing, and not %(meaning)s.", meaning=repr(meaning)))
    if language not in BUILT_IN:
        raise StopWordError(
            _(
                "There is no language %(language)s here: choose one of %(built_in)s.",
                language=repr(language),
                built_in=", ".join(BUILT_IN),
            )
        )
    kept = normalise(phrase)
    if not kept or len(kept) > LONGEST:
        raise StopWordError(_("Write a word or a few, at most %(longest)s characters.", longest=LONGEST))
    values = {"language": language, "meaning": meaning, "created_by_operator_id": operator_id}
    statement = insert(StopWord).values(environment=environment, phrase=kept, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["environment", "phrase"], set_=values))


def switch_off(session: Session, environment: str, phrase: str, operator_id: int | None) -> None:
    """A word that is built in means nothing from now on, one that was added is gone; raises StopWordError."""
    word = next((each for each in every(session, environment) if each.phrase == phrase), None)
    if word is None:
        raise StopWordError(_("There is no word %(phrase)s.", phrase=repr(phrase)))
    if word.is_built_in:
        add(session, environment, word.language, phrase, StopMeaning.NOTHING, operator_id)
    else:
        restore(session, environment, phrase)


def restore(session: Session, environment: str, phrase: str) -> None:
    """Of a built-in word: as it was built in."""
    session.execute(delete(StopWord).where(StopWord.environment == environment, StopWord.phrase == phrase))


def replies(session: Session, environment: str) -> dict[tuple[str, StopMeaning], str]:
    """What is answered by language and meaning; an empty text: nothing is."""
    found = {(language, meaning): text for language, texts in REPLIES.items() for meaning, text in texts.items()}
    rows = session.scalars(select(StopReply).where(StopReply.environment == environment))
    return found | {(row.language, StopMeaning(row.meaning)): row.wording for row in rows}


def reply_in(
    known: Mapping[tuple[str, StopMeaning], str], languages: Sequence[str | None], meaning: StopMeaning
) -> str:
    """The answer in the first of the languages that has one (`pt_BR` is `pt`), else in English."""
    for language in languages:
        text = known.get((_short(language), meaning)) if language else None
        if text is not None:
            return text
    return known[FALLBACK, meaning]


def set_reply(session: Session, environment: str, language: str, meaning: str, text: str) -> None:
    """Raises StopWordError."""
    if language not in BUILT_IN or meaning not in {STOP, RESUME}:
        raise StopWordError(_("Choose one of the languages, and what is answered: a stop or a resume."))
    text = text.strip()
    if len(text) > LONGEST_REPLY:
        raise StopWordError(
            _(
                "The answer has %(length)s characters; %(longest_reply)s is the most.",
                length=figure(len(text)),
                longest_reply=figure(LONGEST_REPLY),
            )
        )
    statement = insert(StopReply).values(environment=environment, language=language, meaning=meaning, wording=text)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["environment", "language", "meaning"], set_={"wording": statement.excluded.wording}
        )
    )


def _short(language: str) -> str:
    return language.replace("-", "_").partition("_")[0].lower()
