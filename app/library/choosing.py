"""What the rules of smart playlists can ask about their owner: what they heard, and how they rated its albums."""

from app.playlists.rules import AGE, NUMBER, rule_field

__all__ = ["HEARD", "RATED"]

HEARD = """LEFT JOIN (
            SELECT track_id, count(*) AS times, max(listened_at) AS last_at FROM listens
            WHERE user_id = $1 GROUP BY track_id
        ) heard ON heard.track_id = t.id"""
RATED = """LEFT JOIN reviews rated
            ON rated.album_id = t.album_id AND rated.user_id = $1 AND rated.published_at IS NOT NULL"""

rule_field("listens", NUMBER, "coalesce(heard.times, 0)", join=HEARD)
rule_field("last_heard", AGE, "heard.last_at", join=HEARD)
rule_field("rating", NUMBER, "rated.rating", join=RATED)
