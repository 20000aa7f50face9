"""How common words are in what was said, by what PostgreSQL's statistics remember of the index of words."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# A word that is not among the most common of the statistics is rare; where there are none yet, each may be common.
_ASK = text("""
    SELECT w.word, array_agg(l.lexeme) AS lexemes,
           min(CASE WHEN s.words IS NULL THEN 1 ELSE coalesce(c.share, 0) END) AS share,
           i.messages, (SELECT coalesce(max(id), 0) FROM message) AS newest
      FROM unnest(CAST(:words AS text[])) AS w(word)
     CROSS JOIN LATERAL unnest(tsvector_to_array(to_tsvector('simple'::regconfig, w.word))) AS l(lexeme)
     CROSS JOIN (SELECT greatest(reltuples, 0) AS messages FROM pg_class
                  WHERE oid = 'ix_message_words'::regclass) i
      LEFT JOIN (SELECT most_common_elems::text::text[] AS words, most_common_elem_freqs AS shares FROM pg_stats
                  WHERE schemaname = current_schema() AND tablename = 'ix_message_words') s ON true
     CROSS JOIN LATERAL (SELECT sum(t.share) AS share FROM unnest(s.words, s.shares) AS t(word, share)
                          WHERE starts_with(t.word, l.lexeme)) c
     GROUP BY w.word, i.messages
""")


@dataclass(frozen=True, slots=True)
class Word:
    typed: str
    lexemes: tuple[str, ...]
    """As the index knows it: `it's` is two."""
    share: float
    """Of all messages with words so many have it, or something that begins so; at the most."""
    messages: float
    """So many have words."""
    newest: int
    """Id of the newest message of all."""

    def is_rare(self, wanted: int) -> bool:
        """Whether the index lists fewer than one would walk past, newest first, to meet as many as are wanted."""
        return self.share * self.share * self.messages <= wanted


def of(session: Session, typed: Sequence[str]) -> Sequence[Word]:
    """Without those that are no words, such as a dash."""
    found = session.execute(_ASK, {"words": list(dict.fromkeys(typed))})
    return [Word(row.word, tuple(row.lexemes), float(row.share), float(row.messages), row.newest) for row in found]
