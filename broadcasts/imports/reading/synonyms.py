"""What people call the columns that Backchat knows, for lists that keep to no dialect."""

import re
import unicodedata
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "phone": (
        "phone, phone no, phone number, mobile, mobile no, mobile number, mobile phone, cell, cell phone, whatsapp, "
        "whatsapp no, whatsapp number, wa, wa number, wa id, msisdn, tel, tel no, telephone, telephone number, "
        "contact number, contact no, handy, handynummer, telefon, telefonnummer, telefono, numero de telefono, "
        "celular, movil, telefone, portable, numero, هاتف, الهاتف, رقم الهاتف, جوال, الجوال, رقم الجوال, "
        "موبايل, телефон"
    ),
    "distinct_id": "user id, distinct id, user name, id, customer id, external id, contact id, uid, user",
    "email": "email, e mail, email address, mail, correo, correo electronico, البريد الإلكتروني, почта",
    "first_name": "first name, fname, given name, forename, vorname, nombre, prenom, primeiro nome, الاسم الأول, имя",
    "last_name": "last name, lname, surname, family name, nachname, apellido, apellidos, sobrenome, фамилия",
    "nickname": "nickname, name, full name, display name, contact name, customer name, الاسم, اسم",
    "language": "language, lang, locale, sprache, idioma, langue",
    "country": "country, country code, land, pais, pays",
    "time_zone": "time zone, timezone, tz",
}


def plain(header: str) -> str:
    """A column name without case, accents, spaces, punctuation and underscores, and without `user.` in front."""
    bare = unicodedata.normalize("NFKD", header.removeprefix("user.")).casefold()
    return re.sub(r"[\W_]+", "", "".join(letter for letter in bare if not unicodedata.combining(letter)))


TARGETS: Mapping[str, str] = {plain(word): target for target, words in _WORDS.items() for word in words.split(",")}
