"""The Idempotency-Key: what was asked for is made once, whatever the network and the client do."""

from collections.abc import Callable

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.api.refusals import RefusalError
from bot.models.team import ApiRequest, ApiToken


def once(
    session: Session,
    token: ApiToken,
    key: str | None,
    fingerprint: bytes,
    made: InstrumentedAttribute[int | None],
    make: Callable[[], int],
) -> int:
    """The id that `make` returns, or with a key used before the one it returned then; RefusalError for another body.

    `made` is the column of ApiRequest that keeps the id: each kind of thing that is asked for has its own. Equal
    requests have equal fingerprints. Whoever comes while the first is at it waits for its commit. A refusal that
    `make` raises leaves nothing behind, the key neither: it may be used again once the request is right.
    """
    if key is None:
        return make()
    if not _take(session, token, key, fingerprint):
        return _made_before(session, token, key, fingerprint, made)
    new = make()
    session.execute(
        update(ApiRequest)
        .where(ApiRequest.token_id == token.id, ApiRequest.key == key)
        .values({made: new})
        .execution_options(synchronize_session=False)
    )
    return new


def _take(session: Session, token: ApiToken, key: str, fingerprint: bytes) -> bool:
    taken = session.scalar(
        insert(ApiRequest)
        .values(token_id=token.id, key=key, body_hash=fingerprint)
        .on_conflict_do_nothing()
        .returning(ApiRequest.key)
    )
    return taken is not None


def _made_before(
    session: Session, token: ApiToken, key: str, fingerprint: bytes, made: InstrumentedAttribute[int | None]
) -> int:
    used = session.get_one(ApiRequest, (token.id, key), populate_existing=True)
    earlier: int | None = getattr(used, made.key)
    if used.body_hash != fingerprint or earlier is None:
        raise RefusalError(
            422, "idempotency_key_reused", "This Idempotency-Key was used with another body: take a new one."
        )
    return earlier
