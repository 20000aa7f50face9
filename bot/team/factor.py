"""The second factor: six digits that an app makes of a shared secret and the time (TOTP, RFC 6238)."""

import base64
import functools
import hashlib
import secrets
import time
from hmac import compare_digest

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from bot import live
from bot.language import _
from bot.models.team import Operator, RecoveryCode, TeamPolicy
from bot.settings import Settings
from bot.team import operators
from bot.team.operators import OperatorError

CODES = 10
"""Recovery codes somebody gets: each signs in once where the app is not at hand."""
STEP_S = 30
_EARLIER_OR_LATER = (0, -1, 1)  # a clock may be half a minute off, and a code may be typed slowly
_PURPOSE = b"backchat: second factors, 1"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what is mistaken for something else


def propose(settings: Settings) -> bytes:
    """A new secret, sealed; it counts only once a code made of it came back."""
    return _box(settings.secret_key, settings.former_secret_keys).encrypt(pyotp.random_base32().encode())


def address(settings: Settings, sealed: bytes, email: str) -> str:
    """What an app reads from the drawing; the secret stands in it, so a page shows it to its owner alone."""
    return pyotp.TOTP(_opened(settings, sealed)).provisioning_uri(name=email, issuer_name="Backchat")


def typed(settings: Settings, sealed: bytes) -> str:
    """The secret for whoever has no camera, in groups of four."""
    secret = _opened(settings, sealed)
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def drawing(address_: str) -> str:
    """The address as a QR code, in SVG without styles, which our Content-Security-Policy would not let pass."""
    return segno.make(address_, micro=False).svg_inline(scale=5, border=2, dark="#000", light="#fff", omitsize=True)


def turn_on(session: Session, settings: Settings, operator_id: int, sealed: bytes, code: str) -> list[str]:
    """Ask for codes from now on; returns the recovery codes, to be shown once. OperatorError if the code is wrong."""
    operator = operators.get(session, operator_id)
    step = _step_of(_opened(settings, sealed), code)
    if step is None:
        raise OperatorError(_("That is not the code of this moment: is the clock of your device right?"))
    operator.sealed_factor, operator.factor_step = sealed, step
    return renew_codes(session, operator_id)


def turn_off(session: Session, operator_id: int) -> None:
    operator = operators.get(session, operator_id)
    operator.sealed_factor = operator.factor_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator_id))


def renew_codes(session: Session, operator_id: int) -> list[str]:
    """New recovery codes in place of all before; only their SHA-256 is kept, as each has 49 random bits and one use."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator_id))
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(CODES)]
    session.add_all(RecoveryCode(operator_id=operator_id, code_hash=_hash(code)) for code in made)
    session.flush()
    return [f"{code[:5]}-{code[5:]}" for code in made]


def codes_left(session: Session, operator_id: int) -> int:
    mine = select(func.count()).where(RecoveryCode.operator_id == operator_id, RecoveryCode.used_at.is_(None))
    return session.scalar(mine) or 0


def passes(session: Session, settings: Settings, operator_id: int, code: str) -> bool:
    """Whether the code, of the app or a recovery code, is right and was not used before; from now on it was."""
    operator = operators.get(session, operator_id)
    if operator.sealed_factor is None:
        return False
    try:
        step = _step_of(_opened(settings, operator.sealed_factor), code)
    except OperatorError:  # sealed with a key that is gone: the recovery codes are left
        step = None
    return _take_step(session, operator_id, step) if step is not None else _take_recovery(session, operator_id, code)


def is_required(session: Session) -> bool:
    return bool(session.scalar(select(TeamPolicy.requires_factor)))


def require(session: Session, *, required: bool) -> None:
    session.merge(TeamPolicy(id=1, requires_factor=required))
    session.flush()
    for operator_id in session.scalars(select(Operator.id).where(Operator.active)):
        live.tell(session, live.operator(operator_id))


def _take_step(session: Session, operator_id: int, step: int) -> bool:
    """One statement, so that of two browsers with the same code one gets in."""
    fresh = or_(Operator.factor_step.is_(None), Operator.factor_step < step)
    taken = update(Operator).where(Operator.id == operator_id, fresh).values(factor_step=step).returning(Operator.id)
    return session.scalar(taken.execution_options(synchronize_session=False)) is not None


def _take_recovery(session: Session, operator_id: int, code: str) -> bool:
    plain = code.strip().lower().replace("-", "").replace(" ", "")
    mine = (RecoveryCode.operator_id == operator_id, RecoveryCode.code_hash == _hash(plain))
    taken = update(RecoveryCode).where(*mine, RecoveryCode.used_at.is_(None)).values(used_at=func.now())
    return session.scalar(taken.returning(RecoveryCode.id)) is not None


def _step_of(secret: str, code: str) -> int | None:
    """The half minute that this is the code of, of those around now."""
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdecimal() and len(digits) == 6):
        return None
    totp, now = pyotp.TOTP(secret), int(time.time()) // STEP_S
    return next((now + off for off in _EARLIER_OR_LATER if compare_digest(totp.generate_otp(now + off), digits)), None)


def _opened(settings: Settings, sealed: bytes) -> str:
    try:
        return _box(settings.secret_key, settings.former_secret_keys).decrypt(sealed).decode()
    except InvalidToken:
        raise OperatorError(_("This second factor cannot be read with today's secret key: set it up again.")) from None


@functools.lru_cache(maxsize=4)
def _box(secret_key: str, former: tuple[str, ...]) -> MultiFernet:
    """Seals with the present key and opens with former ones too, so that a change of the key needs no resealing."""
    made = (
        HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(k.encode()) for k in (secret_key, *former)
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in made])


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode(errors="surrogatepass")).digest()
