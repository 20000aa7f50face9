"""Whoever was erased is recognised by a keyed hash, however their number is spelled, and by nothing else."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import runtime
from bot.models.person import Erasure, Suppression
from bot.people import suppressions
from bot.runtime import Runtime
from tests.harness.runtimes import SECRET_KEY

PHONE = "+201012345678"
OTHER_KEY = "f" * 40


def suppress(
    session: Session, *keys: suppressions.Key, environment: str = "live", secret_key: str = SECRET_KEY
) -> None:
    erasure = Erasure(environment=environment, person_id=1, receipt={})
    session.add(erasure)
    session.flush()
    suppressions.keep(session, environment, erasure.id, suppressions.digests(secret_key, environment, keys))


@pytest.mark.parametrize("spelled", [PHONE, "201012345678", "+20 101 234 5678"])
def test_any_spelling_of_a_number_is_recognised(session: Session, spelled: str) -> None:
    suppress(session, ("phone", PHONE))

    assert suppressions.suppressed(session, "live", [("phone", spelled), ("phone", "+201099999999")]) == {
        ("phone", spelled)
    }


def test_a_number_of_argentina_is_recognised_with_and_without_its_nine(session: Session) -> None:
    suppress(session, ("phone", "+541123456789"))

    assert suppressions.suppressed(session, "live", [("phone", "+5491123456789")])


def test_an_email_is_recognised_in_any_case_and_a_distinct_id_only_as_it_is(session: Session) -> None:
    suppress(session, ("email", "Ada@Example.org"), ("distinct_id", "ada-1"))
    asked = [("email", " ada@example.ORG"), ("distinct_id", "ada-1"), ("distinct_id", "ADA-1"), ("phone", "ada-1")]

    assert suppressions.suppressed(session, "live", asked) == set(asked[:2])


def test_an_erasure_in_one_environment_says_nothing_in_the_other(session: Session) -> None:
    suppress(session, ("phone", PHONE), environment="test")

    assert not suppressions.suppressed(session, "live", [("phone", PHONE)])
    assert suppressions.suppressed(session, "test", [("phone", PHONE)])


def test_what_is_stored_tells_nothing_without_the_key(session: Session) -> None:
    suppress(session, ("phone", PHONE))
    [digest] = session.scalars(select(Suppression.digest))

    assert digest in suppressions.digests(SECRET_KEY, "live", [("phone", PHONE)])
    assert digest not in suppressions.digests(OTHER_KEY, "live", [("phone", PHONE)])


def test_after_a_change_of_the_secret_key_the_former_one_is_still_asked(session: Session, rt: Runtime) -> None:
    suppress(session, ("phone", PHONE))
    changed = replace(rt, settings=replace(rt.settings, secret_key=OTHER_KEY))
    runtime.use(changed)
    assert not suppressions.suppressed(session, "live", [("phone", PHONE)])

    runtime.use(replace(changed, settings=replace(changed.settings, former_secret_keys=(SECRET_KEY,))))

    assert suppressions.suppressed(session, "live", [("phone", PHONE)])


def test_whoever_opts_in_is_suppressed_no_more(session: Session) -> None:
    suppress(session, ("phone", PHONE), ("email", "ada@example.org"))

    suppressions.lift(session, "live", [("phone", "201012345678")])

    assert not suppressions.suppressed(session, "live", [("phone", PHONE)])
    assert session.scalar(select(func.count()).select_from(Suppression)) == 1
