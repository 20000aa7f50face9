"""Puts the dashboard, its guard and its manners on the Flask app: one call for the composition root."""

import hashlib
import hmac

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_wtf.csrf import CSRFProtect

from bot.dashboard import (
    access,
    account,
    audit_pages,
    canned_pages,
    entry_pages,
    erasure_pages,
    errors,
    factor_pages,
    headers,
    home,
    joining,
    journeys,
    languages,
    log_pages,
    masks,
    media,
    member_pages,
    merge_pages,
    names,
    navigation,
    notification_pages,
    people_pages,
    profile_pages,
    property_pages,
    raw_data_pages,
    reminders,
    reveal_pages,
    set_pages,
    sign_in,
    simulators,
    single_sign_on,
    stop_word_pages,
    team,
    times,
    token_pages,
    topic_pages,
    why_pages,
)
from bot.dashboard.goals import form_pages as goals
from bot.dashboard.goals import link_pages
from bot.dashboard.inbox import pages as inbox
from bot.dashboard.insights import pages as insights
from bot.dashboard.summaries import pages as summaries
from bot.settings import Settings
from bot.team import rights

BLUEPRINTS = tuple(
    page.pages
    for page in (
        sign_in,
        single_sign_on,
        joining,
        home,
        account,
        factor_pages,
        inbox,
        media,
        canned_pages,
        reminders,
        journeys,
        insights,
        goals,
        link_pages,
        raw_data_pages,
        summaries,
        log_pages,
        merge_pages,
        people_pages,
        property_pages,
        profile_pages,
        reveal_pages,
        notification_pages,
        topic_pages,
        stop_word_pages,
        erasure_pages,
        team,
        member_pages,
        entry_pages,
        set_pages,
        token_pages,
        audit_pages,
        why_pages,
    )
)


def init(app: Flask, settings: Settings) -> None:
    """Guard every route of the app, whoever registered it, and add the dashboard's own pages.

    Expects templates/ and static/ at the app's root; the process's runtime must be built before the first request.
    """
    app.config.update(
        DEBUG=False,  # whatever FLASK_DEBUG says: it would show strangers what went wrong
        SECRET_KEY=_cookie_key(settings.secret_key),
        SESSION_COOKIE_NAME="__Host-backchat" if settings.is_https else "backchat",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=settings.webhook_max_bytes,  # pages lower it, uploads raise it: see access
        MAX_FORM_MEMORY_SIZE=access.BODY_BYTES,
        MAX_FORM_PARTS=1000,
        WTF_CSRF_CHECK_DEFAULT=False,  # the guard asks for the token itself, by the table of permissions
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a coach's page stays open all day
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    languages.init(app)
    Bootstrap5(app)
    headers.init(app, settings)
    errors.init(app)
    access.init(app, CSRFProtect(app))
    times.init(app, settings.time_zone)
    names.init(app)
    masks.init(app)
    app.jinja_env.filters["role"] = rights.named
    app.jinja_env.globals.update(
        signed_in=access.signed_in,
        may=access.may,
        opens=access.opens,
        shown_environment=access.environment,
        navigation=navigation.links,
        environments=navigation.environments,
        phone_link=simulators.phone_link,
    )
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)


def _cookie_key(secret_key: str) -> bytes:
    """A key for cookies only, so that no other use of the secret key can be turned into a session."""
    return hmac.digest(secret_key.encode(), b"backchat cookies", hashlib.sha256)
