"""Two people who turned out to be one: everything of both is the one's who stays, and a row remembers the other.

Who stays does not depend on who is named first: a distinct id that was given to us outranks one we made up, then the
older row. Repeating a merge finds one person and changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from bot.people import consent

TWIN: Final = "this person gets the same broadcast already"

# Messages are locked before people, as the sender does; the person row then keeps new ones from being written to them.
_HOLD_MESSAGES = text("SELECT id FROM message WHERE person_id = ANY(:ids) ORDER BY id FOR UPDATE")
_HOLD_PEOPLE = text("SELECT id FROM person WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
_RANKED = text("""
    SELECT id FROM person WHERE id = ANY(:ids) ORDER BY distinct_id_given DESC, created_at, id
""")

# Who was to get the same broadcast under both names gets it once; the keys move along, so that it stays once.
_MESSAGES = """
    UPDATE message m
       SET person_id = :stays,
           source_key = CASE WHEN m.broadcast_id IS NOT NULL AND twin.id IS NULL
                             THEN concat('b:', m.broadcast_id, ':', :stays) ELSE m.source_key END,
           state = CASE WHEN twin.id IS NOT NULL AND m.state = 'queued' THEN 'suppressed' ELSE m.state END,
           error_text = CASE WHEN twin.id IS NOT NULL AND m.state = 'queued'
                             THEN :twin ELSE m.error_text END
      FROM message own
      LEFT JOIN message twin ON twin.source_key = concat('b:', own.broadcast_id, ':', :stays)
     WHERE m.person_id = :gone AND own.id = m.id
"""

# Where both had a thread, it is one: as open as either was, with the episodes of both.
_CONVERSATIONS = (
    """
    UPDATE conversation SET person_id = :stays
     WHERE person_id = :gone AND number_id NOT IN (SELECT number_id FROM conversation WHERE person_id = :stays)
    """,
    """
    UPDATE conversation c
       SET state = CASE WHEN 'open' IN (c.state, g.state) THEN 'open' ELSE 'closed' END,
           last_message_at = greatest(c.last_message_at, g.last_message_at),
           last_inbound_at = greatest(c.last_inbound_at, g.last_inbound_at),
           unread_count = c.unread_count + g.unread_count,
           waiting_since = least(c.waiting_since, g.waiting_since),
           assigned_to_id = coalesce(c.assigned_to_id, g.assigned_to_id),
           assigned_at = CASE WHEN c.assigned_to_id IS NULL THEN g.assigned_at ELSE c.assigned_at END,
           created_at = least(c.created_at, g.created_at)
      FROM conversation g
     WHERE c.person_id = :stays AND g.person_id = :gone AND g.number_id = c.number_id
    """,
    # Two episodes that are open at once are one, from the earlier opening on.
    """
    DELETE FROM episode e
     USING conversation c, conversation d, episode other
     WHERE c.id = e.conversation_id AND e.closed_at IS NULL AND d.id = other.conversation_id
       AND other.closed_at IS NULL AND c.number_id = d.number_id
       AND ((c.person_id = :stays AND d.person_id = :gone) OR (c.person_id = :gone AND d.person_id = :stays))
       AND (e.opened_at, e.id) > (other.opened_at, other.id)
    """,
    """
    UPDATE episode e SET conversation_id = c.id
      FROM conversation c, conversation g
     WHERE e.conversation_id = g.id AND g.person_id = :gone AND c.person_id = :stays AND c.number_id = g.number_id
    """,
    """
    UPDATE note n SET conversation_id = c.id
      FROM conversation c, conversation g
     WHERE n.conversation_id = g.id AND g.person_id = :gone AND c.person_id = :stays AND c.number_id = g.number_id
    """,
    # Of two replies that wait for an answer one can: the one of the thread that stays.
    """
    UPDATE held_reply h
       SET conversation_id = c.id,
           cancelled_at = CASE WHEN h.released_at IS NULL AND other.id IS NOT NULL
                               THEN coalesce(h.cancelled_at, clock_timestamp()) ELSE h.cancelled_at END,
           cancelled_because = CASE WHEN h.released_at IS NULL AND h.cancelled_at IS NULL AND other.id IS NOT NULL
                                    THEN 'the person was merged with another' ELSE h.cancelled_because END
      FROM conversation g
      JOIN conversation c ON c.person_id = :stays AND c.number_id = g.number_id
      LEFT JOIN held_reply other
        ON other.conversation_id = c.id AND other.released_at IS NULL AND other.cancelled_at IS NULL
     WHERE h.conversation_id = g.id AND g.person_id = :gone
    """,
)

_RUNS = (
    """
    UPDATE journey_run r SET state = 'replaced', ended_at = now()
      FROM journey_run other
     WHERE r.state = 'waiting' AND other.state = 'waiting' AND r.number_id = other.number_id
       AND ((r.person_id = :stays AND other.person_id = :gone) OR (r.person_id = :gone AND other.person_id = :stays))
       AND (r.started_at, r.id) < (other.started_at, other.id)
    """,
    "UPDATE journey_run SET person_id = :stays WHERE person_id = :gone",
)

_REACTIONS = """
    INSERT INTO reaction (number_id, target, person_id, environment, emoji, occurred_at)
    SELECT number_id, target, :stays, environment, emoji, occurred_at FROM reaction WHERE person_id = :gone
    ON CONFLICT (number_id, target, person_id) DO UPDATE
       SET emoji = excluded.emoji, occurred_at = excluded.occurred_at
     WHERE (excluded.occurred_at, excluded.emoji IS NULL, coalesce(excluded.emoji, ''))
         > (reaction.occurred_at, reaction.emoji IS NULL, coalesce(reaction.emoji, ''))
"""

_MEMBERSHIPS = """
    INSERT INTO segment_member (segment_id, person_id, environment, added_at)
    SELECT segment_id, :stays, environment, added_at FROM segment_member WHERE person_id = :gone
    ON CONFLICT (segment_id, person_id) DO UPDATE SET added_at = least(segment_member.added_at, excluded.added_at)
"""

_AUDIENCES = """
    INSERT INTO audience_person (broadcast_id, person_id, environment, wave, variant, refusal)
    SELECT broadcast_id, :stays, environment, wave, variant, refusal FROM audience_person WHERE person_id = :gone
    ON CONFLICT DO NOTHING
"""

# Both may have got it: they replied once, and their first word counts.
_RESPONSES = """
    INSERT INTO broadcast_response
        (broadcast_id, person_id, environment, message_id, reply_message_id, replied_at, opted_out_at)
    SELECT broadcast_id, :stays, environment, message_id, reply_message_id, replied_at, opted_out_at
      FROM broadcast_response WHERE person_id = :gone
    ON CONFLICT (broadcast_id, person_id) DO UPDATE
       SET reply_message_id = coalesce(broadcast_response.reply_message_id, excluded.reply_message_id),
           replied_at = least(broadcast_response.replied_at, excluded.replied_at),
           opted_out_at = least(broadcast_response.opted_out_at, excluded.opted_out_at)
"""

_CONSENT = """
    INSERT INTO consent_event
        (environment, person_id, category, value, source, detail, operator_id, token_id, occurred_at, created_at)
    SELECT environment, :stays, category, value, source, detail, operator_id, token_id, occurred_at, created_at
      FROM consent_event WHERE person_id = :gone ORDER BY id
    ON CONFLICT DO NOTHING
"""

# Of two words about the same topic the latest counts; of two in the same instant, the no.
_PREFERENCES = """
    INSERT INTO preference (environment, person_id, topic_id, channel, wants, source, operator_id, token_id, changed_at)
    SELECT environment, :stays, topic_id, channel, wants, source, operator_id, token_id, changed_at
      FROM preference WHERE person_id = :gone
    ON CONFLICT (person_id, topic_id, channel) DO UPDATE
       SET wants = excluded.wants, source = excluded.source, operator_id = excluded.operator_id,
           token_id = excluded.token_id, changed_at = excluded.changed_at
     WHERE (excluded.changed_at, NOT excluded.wants) > (preference.changed_at, NOT preference.wants)
"""

# Whoever was made of two is nobody that an import created: undoing it gives values back and takes no person away.
_IMPORTS = (
    """
    INSERT INTO import_change (import_id, person_id, environment, has_joined)
    SELECT DISTINCT import_id, CAST(:stays AS bigint), environment, true
      FROM person WHERE id IN (:stays, :gone) AND import_id IS NOT NULL
    ON CONFLICT (import_id, person_id) DO UPDATE SET has_joined = true
    """,
    """
    INSERT INTO import_change (import_id, person_id, environment, has_joined, before, after)
    SELECT import_id, :stays, environment, has_joined, before, after
      FROM import_change WHERE person_id = :gone
    ON CONFLICT (import_id, person_id) DO UPDATE SET has_joined = import_change.has_joined OR excluded.has_joined
    """,
    "UPDATE person SET import_id = NULL WHERE id = :stays",
)

# Of a day the first of either counts; of an attribute, which is reached once, the first of all days.
_GOALS = (
    """
    UPDATE behaviour_day d
       SET at = g.at, number_id = g.number_id, author_kind = g.author_kind, author_id = g.author_id,
           author_step = g.author_step, after_message_id = g.after_message_id
      FROM behaviour_day g
     WHERE g.person_id = :gone AND d.person_id = :stays AND d.behaviour_id = g.behaviour_id AND d.day = g.day
       AND g.at < d.at
    """,
    """
    INSERT INTO behaviour_day (behaviour_id, person_id, day, environment, at, number_id, author_kind, author_id,
                               author_step, after_message_id)
    SELECT behaviour_id, :stays, day, environment, at, number_id, author_kind, author_id, author_step, after_message_id
      FROM behaviour_day WHERE person_id = :gone
    ON CONFLICT DO NOTHING
    """,
    """
    DELETE FROM behaviour_day d USING behaviour b, behaviour_day first
     WHERE d.person_id = :stays AND b.id = d.behaviour_id AND b.kind = 'attribute'
       AND first.behaviour_id = d.behaviour_id AND first.person_id = :stays AND first.day < d.day
    """,
    """
    DELETE FROM person_event e USING person_event own
     WHERE e.person_id = :gone AND own.person_id = :stays AND own.name = e.name AND own.key = e.key
    """,
    "UPDATE person_event SET person_id = :stays WHERE person_id = :gone",
    "UPDATE link_click SET person_id = :stays WHERE person_id = :gone",
)

# What is known of either is known; where both say something, whoever stays is believed. Who was switched off under one
# name, or wants no marketing under one, is so under both; but where they told it themselves, their latest word counts.
_PROFILE = """
    UPDATE person p
       SET nickname = coalesce(p.nickname, g.nickname),
           first_name = coalesce(p.first_name, g.first_name),
           last_name = coalesce(p.last_name, g.last_name),
           country = coalesce(p.country, g.country),
           time_zone = coalesce(p.time_zone, g.time_zone),
           language = coalesce(p.language, g.language),
           enabled = p.enabled AND g.enabled,
           answers_only = p.answers_only OR g.answers_only,
           marketing_opted_out_at = least(p.marketing_opted_out_at, g.marketing_opted_out_at),
           attributes = g.attributes || p.attributes,
           created_at = least(p.created_at, g.created_at),
           updated_at = now()
      FROM person g WHERE p.id = :stays AND g.id = :gone
"""

_REMEMBER = """
    INSERT INTO person_merge (environment, person_id, gone_id, gone_distinct_id, reason)
    SELECT environment, :stays, id, distinct_id, :reason FROM person WHERE id = :gone
"""

_STEPS: Sequence[TextClause] = tuple(
    map(
        text,
        (
            _MESSAGES,
            *_CONVERSATIONS,
            *_RUNS,
            _REACTIONS,
            _MEMBERSHIPS,
            _AUDIENCES,
            _RESPONSES,
            _CONSENT,
            _PREFERENCES,
            *_IMPORTS,
            *_GOALS,
            "UPDATE address SET person_id = :stays WHERE person_id = :gone",
            "UPDATE message_change SET person_id = :stays WHERE person_id = :gone",
            "UPDATE reminder SET person_id = :stays WHERE person_id = :gone",
            "UPDATE person_merge SET person_id = :stays WHERE person_id = :gone",
            _PROFILE,
            _REMEMBER,
            "DELETE FROM person WHERE id = :gone",
        ),
    )
)


def merge(session: Session, people: Iterable[int], reason: str) -> int:
    """Make one of several people of an environment; the id of who stays. The caller holds their locks (`keys.lock`).

    Rare, so one after the other; `reason` is a sentence for the one who wonders.
    """
    ids = sorted(set(people))
    if len(ids) > 1:
        for hold in (_HOLD_MESSAGES, _HOLD_PEOPLE):
            session.execute(hold, {"ids": ids})
    stays, *others = ranked(session, ids)
    for gone in others:
        for step in _STEPS:
            session.execute(step, {"stays": stays, "gone": gone, "reason": reason, "twin": TWIN})
    if others:
        consent.settle(session, [stays])
    return stays


def ranked(session: Session, people: Iterable[int]) -> list[int]:
    """Their ids, whoever would stay first; who does not exist is left out."""
    return list(session.scalars(_RANKED, {"ids": sorted(set(people))}))
