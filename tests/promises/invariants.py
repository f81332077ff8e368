"""What is true of the database at every moment without open jobs: each statement finds the rows of which it is not."""

from collections.abc import Mapping
from typing import Any

from app.core.query import Runs

__all__ = ["INVARIANTS", "broken"]

INVARIANTS: Mapping[str, str] = {
    "albums count their published reviews": """
        SELECT a.id, a.review_count, a.rating_sum, a.rating_counts, r.* FROM albums a CROSS JOIN LATERAL (
            SELECT count(*) AS n, coalesce(sum(rating), 0) AS total,
                   ARRAY(SELECT count(x.id) FROM generate_series(1, 10) stars
                         LEFT JOIN reviews x ON x.album_id = a.id AND x.rating = stars AND x.published_at IS NOT NULL
                         GROUP BY stars ORDER BY stars) AS bars
            FROM reviews WHERE album_id = a.id AND published_at IS NOT NULL
        ) r
        WHERE (a.review_count, a.rating_sum, a.rating_counts) IS DISTINCT FROM (r.n, r.total, r.bars)""",
    "albums count their likes": """
        SELECT id, like_count FROM albums a WHERE like_count <> (SELECT count(*) FROM likes WHERE album_id = a.id)""",
    "albums count their tracks": """
        SELECT a.id, a.track_count, a.duration_ms, t.* FROM albums a CROSS JOIN LATERAL (
            SELECT count(*) AS n, coalesce(sum(duration_ms), 0) AS duration FROM tracks
            WHERE album_id = a.id AND merged_into_id IS NULL
        ) t
        WHERE (a.track_count, a.duration_ms) <> (t.n, t.duration)""",
    "tracks count their likes": """
        SELECT id, like_count FROM tracks t WHERE like_count <> (SELECT count(*) FROM likes WHERE track_id = t.id)""",
    "artists count their albums": """
        SELECT id, album_count FROM artists a WHERE album_count <> (
            SELECT count(*) FROM albums WHERE artist_id = a.id AND merged_into_id IS NULL)""",
    "people count who follows whom": """
        SELECT id, follower_count, following_count FROM users u
        WHERE follower_count <> (SELECT count(*) FROM follows WHERE followed_id = u.id)
           OR following_count <> (SELECT count(*) FROM follows WHERE follower_id = u.id)""",
    "people count their published reviews": """
        SELECT u.id, u.review_count, u.rating_sum, r.* FROM users u CROSS JOIN LATERAL (
            SELECT count(*) AS n, coalesce(sum(rating), 0) AS total FROM reviews
            WHERE user_id = u.id AND published_at IS NOT NULL
        ) r
        WHERE (u.review_count, u.rating_sum) <> (r.n, r.total)""",
    "reviews count their likes and comments": """
        SELECT id, like_count, comment_count FROM reviews r
        WHERE like_count <> (SELECT count(*) FROM likes WHERE review_id = r.id)
           OR comment_count <> (SELECT count(*) FROM comments WHERE review_id = r.id AND deleted_at IS NULL)""",
    "comments count their likes and replies": """
        SELECT id, like_count, reply_count FROM comments c
        WHERE like_count <> (SELECT count(*) FROM likes WHERE comment_id = c.id)
           OR reply_count <> (SELECT count(*) FROM comments WHERE parent_id = c.id)""",
    "a reply hangs on a comment of the same review that is no reply": """
        SELECT c.id FROM comments c JOIN comments p ON p.id = c.parent_id
        WHERE p.parent_id IS NOT NULL OR p.review_id IS DISTINCT FROM c.review_id""",
    "a deleted comment is an empty place that replies need": """
        SELECT id, text, like_count, reply_count FROM comments
        WHERE deleted_at IS NOT NULL AND (text <> '' OR like_count <> 0 OR reply_count = 0)""",
    "nothing hangs on a draft": """
        SELECT id FROM reviews WHERE published_at IS NULL AND (
            like_count <> 0 OR comment_count <> 0 OR edited_at IS NOT NULL
            OR EXISTS (SELECT FROM review_revisions WHERE review_id = reviews.id)
            OR EXISTS (SELECT FROM activities WHERE review_id = reviews.id))""",
    "a like is of one thing": """
        SELECT id FROM likes WHERE num_nonnulls(album_id, track_id, review_id, comment_id) <> 1""",
    "what was merged has nothing of its own": """
        SELECT a.id FROM albums a WHERE merged_into_id IS NOT NULL AND (
            EXISTS (SELECT FROM tracks WHERE album_id = a.id) OR EXISTS (SELECT FROM reviews WHERE album_id = a.id)
            OR EXISTS (SELECT FROM likes WHERE album_id = a.id))
        UNION ALL
        SELECT t.id FROM tracks t WHERE merged_into_id IS NOT NULL AND (
            album_id IS NOT NULL OR EXISTS (SELECT FROM likes WHERE track_id = t.id))
        UNION ALL
        SELECT a.id FROM artists a WHERE merged_into_id IS NOT NULL AND (
            EXISTS (SELECT FROM albums WHERE artist_id = a.id AND merged_into_id IS NULL)
            OR EXISTS (SELECT FROM tracks WHERE artist_id = a.id AND merged_into_id IS NULL))""",
    "a merge leads to what stays, in one step": """
        SELECT d.id FROM albums d JOIN albums k ON k.id = d.merged_into_id WHERE k.merged_into_id IS NOT NULL
        UNION ALL
        SELECT d.id FROM tracks d JOIN tracks k ON k.id = d.merged_into_id WHERE k.merged_into_id IS NOT NULL
        UNION ALL
        SELECT d.id FROM artists d JOIN artists k ON k.id = d.merged_into_id WHERE k.merged_into_id IS NOT NULL""",
    "no two tracks have the same place": """
        SELECT album_id, disc, position FROM tracks WHERE album_id IS NOT NULL AND position IS NOT NULL
        GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "who blocks somebody does not follow them, nor is followed": """
        SELECT blocker_id, blocked_id FROM blocks JOIN follows
        ON (follower_id, followed_id) IN ((blocker_id, blocked_id), (blocked_id, blocker_id))""",
    "an activity is of something that is": """
        SELECT a.id, a.kind FROM activities a JOIN users u ON u.id = a.actor_id
        LEFT JOIN reviews r ON r.id = a.review_id
        LEFT JOIN follows f ON f.follower_id = a.actor_id AND f.followed_id = a.followed_id
        WHERE u.deleted_at IS NOT NULL
           OR CASE a.kind WHEN 'follow' THEN f.id IS NULL
                          ELSE r.published_at IS NULL OR r.user_id <> a.actor_id END""",
    "what was published or followed is an activity": """
        SELECT r.id FROM reviews r JOIN users u ON u.id = r.user_id
        LEFT JOIN activities a ON a.review_id = r.id AND a.kind = 'review'
        WHERE r.published_at IS NOT NULL AND u.deleted_at IS NULL AND a.id IS NULL
        UNION ALL
        SELECT f.id FROM follows f
        LEFT JOIN activities a ON a.actor_id = f.follower_id AND a.followed_id = f.followed_id WHERE a.id IS NULL""",
    "feeds tell of oneself and of whom one follows": """
        SELECT e.reader_id, e.activity_id FROM feed_entries e JOIN activities a ON a.id = e.activity_id
        WHERE a.actor_id <> e.reader_id AND NOT EXISTS (
            SELECT FROM follows WHERE follower_id = e.reader_id AND followed_id = a.actor_id)""",
    "feeds leave nothing out": """
        SELECT f.follower_id, a.id FROM activities a JOIN follows f ON f.followed_id = a.actor_id
        WHERE NOT EXISTS (SELECT FROM feed_entries WHERE reader_id = f.follower_id AND activity_id = a.id)
          AND 100 > (SELECT count(*) FROM activities b WHERE b.actor_id = a.actor_id AND b.id > a.id)
        UNION ALL
        SELECT a.actor_id, a.id FROM activities a
        WHERE NOT EXISTS (SELECT FROM feed_entries WHERE reader_id = a.actor_id AND activity_id = a.id)""",
    "inboxes count what is unread": """
        SELECT i.user_id, i.unread_count, n.unread FROM inboxes i CROSS JOIN LATERAL (
            SELECT count(*) AS unread FROM notifications WHERE user_id = i.user_id AND read_at IS NULL
        ) n WHERE i.unread_count <> n.unread""",
    "notifications have numbers of their inbox": """
        SELECT n.id, n.number, i.last_number FROM notifications n LEFT JOIN inboxes i ON i.user_id = n.user_id
        WHERE i.user_id IS NULL OR n.number NOT BETWEEN 1 AND i.last_number""",
    "nobody is notified by themselves or by whom they block": """
        SELECT n.id FROM notifications n WHERE n.user_id = n.actor_id OR EXISTS (
            SELECT FROM blocks b
            WHERE (b.blocker_id, b.blocked_id) IN ((n.user_id, n.actor_id), (n.actor_id, n.user_id)))""",
    "who left is in no list": """
        SELECT u.id FROM users u WHERE deleted_at IS NOT NULL AND (
            follower_count <> 0 OR following_count <> 0
            OR EXISTS (SELECT FROM notifications WHERE u.id IN (user_id, actor_id))
            OR EXISTS (SELECT FROM credentials WHERE user_id = u.id)
            OR EXISTS (SELECT FROM search_documents WHERE entity_id = u.id)
            OR EXISTS (SELECT FROM reviews WHERE user_id = u.id AND published_at IS NULL))""",
    "search knows what is there, and nothing else": """
        SELECT id, entity_id FROM (
            SELECT id FROM albums WHERE merged_into_id IS NULL
            UNION ALL SELECT id FROM artists WHERE merged_into_id IS NULL
            UNION ALL SELECT id FROM tracks WHERE merged_into_id IS NULL
        ) things FULL JOIN (SELECT entity_id FROM search_documents WHERE kind <> 'person') d ON d.entity_id = things.id
        WHERE id IS NULL OR entity_id IS NULL""",
    "groups count their members, and their owner is one of them": """
        SELECT g.id, g.member_count, g.owner_id FROM groups g
        WHERE g.member_count <> (SELECT count(*) FROM group_members WHERE group_id = g.id)
           OR g.owner_id IS DISTINCT FROM (SELECT user_id FROM group_members WHERE group_id = g.id AND role = 'owner')
           OR EXISTS (SELECT FROM group_members m JOIN group_bans b USING (group_id, user_id)
                      WHERE m.group_id = g.id AND coalesce(b.until, 'infinity') > now())""",
    "links are not used more often than they may be": """
        SELECT id FROM group_links WHERE uses > max_uses""",
    "a key of a request has its answer": """
        SELECT user_id, key FROM idempotency_keys WHERE status IS NULL""",
}


async def broken(reader: Runs) -> dict[str, list[Any]]:
    """The rows that break an invariant, by its name."""
    found = {name: await reader.records(sql, []) for name, sql in INVARIANTS.items()}
    return {name: [dict(row) for row in rows[:5]] for name, rows in found.items() if rows}
