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
    "tracks count their comments": """
        SELECT id, comment_count FROM tracks t
        WHERE comment_count <> (SELECT count(*) FROM comments WHERE track_id = t.id AND deleted_at IS NULL)""",
    "tracks count their plays": """
        SELECT p.track_id, p.play_count FROM track_plays p
        WHERE play_count <> (SELECT count(*) FROM listens WHERE track_id = p.track_id)
        UNION ALL
        SELECT DISTINCT l.track_id, 0 FROM listens l
        WHERE NOT EXISTS (SELECT FROM track_plays WHERE track_id = l.track_id)""",
    "artists count their albums": """
        SELECT id, album_count FROM artists a WHERE album_count <> (
            SELECT count(*) FROM albums WHERE artist_id = a.id AND merged_into_id IS NULL AND listed)""",
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
    "a reply hangs on a comment of the same review or track that is no reply": """
        SELECT c.id FROM comments c JOIN comments p ON p.id = c.parent_id
        WHERE p.parent_id IS NOT NULL OR p.review_id IS DISTINCT FROM c.review_id
           OR p.track_id IS DISTINCT FROM c.track_id""",
    "a deleted comment is an empty place that replies need": """
        SELECT id, text, like_count, reply_count FROM comments
        WHERE deleted_at IS NOT NULL AND (text <> '' OR like_count <> 0 OR reply_count = 0)""",
    "nothing hangs on a draft": """
        SELECT id FROM reviews WHERE published_at IS NULL AND (
            like_count <> 0 OR comment_count <> 0 OR edited_at IS NOT NULL
            OR EXISTS (SELECT FROM review_revisions WHERE review_id = reviews.id)
            OR EXISTS (SELECT FROM activities WHERE review_id = reviews.id))""",
    "a like is of one thing": """
        SELECT id FROM likes WHERE num_nonnulls(album_id, track_id, review_id, comment_id, playlist_id) <> 1""",
    "playlists count their entries and likes": """
        SELECT p.id, p.track_count, p.duration_ms, p.like_count, e.* FROM playlists p CROSS JOIN LATERAL (
            SELECT count(*) AS n, coalesce(sum(duration_ms), 0) AS duration FROM playlist_entries
            WHERE playlist_id = p.id
        ) e
        WHERE (p.track_count, p.duration_ms) <> (e.n, e.duration) AND p.kind = 'manual'
           OR p.kind = 'smart' AND e.n > 0
           OR p.like_count <> (SELECT count(*) FROM likes WHERE playlist_id = p.id)""",
    "a playlist has the owner of whom it says so": """
        SELECT p.id, p.owner_id FROM playlists p
        WHERE p.owner_id IS DISTINCT FROM (
            SELECT user_id FROM playlist_members WHERE playlist_id = p.id AND role = 'owner')""",
    "the versions of a playlist are what its log says": """
        SELECT p.id, p.version FROM playlists p WHERE p.version > 0 AND p.version <> (
            SELECT max((data->>'version')::bigint) FROM channel_events WHERE channel_id = p.id)""",
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
            SELECT id FROM albums WHERE merged_into_id IS NULL AND listed
            UNION ALL SELECT id FROM artists WHERE merged_into_id IS NULL AND listed
            UNION ALL SELECT id FROM tracks WHERE merged_into_id IS NULL AND visibility = 'public'
        ) things FULL JOIN (SELECT entity_id FROM search_documents WHERE kind <> 'person') d ON d.entity_id = things.id
        WHERE id IS NULL OR entity_id IS NULL""",
    "what people uploaded is listed while something public is of it": """
        SELECT a.id, a.listed FROM albums a WHERE owner_id IS NOT NULL AND merged_into_id IS NULL
          AND listed <> (EXISTS (SELECT FROM tracks t WHERE t.album_id = a.id AND t.visibility = 'public')
                         OR listed AND review_count > 0)
        UNION ALL
        SELECT a.id, a.listed FROM artists a WHERE owner_id IS NOT NULL AND merged_into_id IS NULL
          AND listed <> (EXISTS (SELECT FROM tracks t WHERE t.artist_id = a.id AND t.visibility = 'public')
                         OR EXISTS (SELECT FROM albums b WHERE b.artist_id = a.id AND b.listed))""",
    "a recording is ready, and its track says of which type it is": """
        SELECT t.id, t.audio_type, u.state FROM tracks t FULL JOIN uploads u ON u.track_id = t.id
        WHERE (t.audio_type IS NOT NULL OR u.track_id IS NOT NULL)
          AND (u.state IS DISTINCT FROM 'ready' OR t.audio_type IS DISTINCT FROM u.audio_type)""",
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
    "logs have every number once": """
        SELECT c.id, c.kind, c.last_sequence, e.* FROM channels c CROSS JOIN LATERAL (
            SELECT count(*) AS events, coalesce(min(sequence), 1) AS first, coalesce(max(sequence), 0) AS last
            FROM channel_events WHERE channel_id = c.id
        ) e WHERE (e.events, e.first, e.last) <> (c.last_sequence, 1, c.last_sequence)""",
    "channels count their messages": """
        SELECT c.id, c.message_count, m.* FROM channels c CROSS JOIN LATERAL (
            SELECT count(*) AS messages, max(created_at) AS last FROM messages WHERE channel_id = c.id
        ) m WHERE c.message_count <> m.messages OR c.last_message_at IS DISTINCT FROM m.last""",
    "messages are counted through in their order": """
        SELECT id, ordinal, place FROM (
            SELECT id, ordinal, row_number() OVER (PARTITION BY channel_id ORDER BY sequence) AS place FROM messages
        ) m WHERE ordinal <> place""",
    "a message is the event of its number": """
        SELECT m.id, e.sequence FROM messages m FULL JOIN (
            SELECT channel_id, sequence, message_id FROM channel_events WHERE kind = 'message.created'
        ) e ON (e.channel_id, e.sequence, e.message_id) = (m.channel_id, m.sequence, m.id)
        WHERE m.id IS NULL OR e.sequence IS NULL""",
    "events are of messages of their channel": """
        SELECT e.channel_id, e.sequence FROM channel_events e JOIN messages m ON m.id = e.message_id
        WHERE m.channel_id <> e.channel_id""",
    "nobody has read more than there is": """
        SELECT r.user_id, r.sequence, r.ordinal, c.last_sequence FROM channel_readers r
        JOIN channels c ON c.id = r.channel_id
        WHERE r.sequence > c.last_sequence OR r.ordinal <> (
            SELECT count(*) FROM messages m WHERE m.channel_id = r.channel_id AND m.sequence <= r.sequence)""",
    "who reads a group belongs to it": """
        SELECT r.user_id, g.id FROM channel_readers r JOIN groups g ON g.id = r.channel_id
        LEFT JOIN group_members m ON (m.group_id, m.user_id) = (g.id, r.user_id) WHERE m.user_id IS NULL""",
    "a deleted message is empty": """
        SELECT m.id FROM messages m WHERE m.deleted_at IS NOT NULL AND (
            m.text <> '' OR m.mentions <> '{}' OR num_nonnulls(m.quote, m.track_id, m.review_id) <> 0
            OR EXISTS (SELECT FROM message_revisions WHERE message_id = m.id)
            OR EXISTS (SELECT FROM message_reactions WHERE message_id = m.id))
        UNION ALL
        SELECT a.id FROM messages a JOIN messages m ON m.id = a.reply_to_id
        WHERE m.deleted_at IS NOT NULL AND a.quote->>'text' IS NOT NULL""",
    "reactions are what the log says": """
        SELECT message_id, emoji, user_id, last.kind FROM (
            SELECT DISTINCT ON (1, 2, 3) (data->>'message_id')::uuid AS message_id, data->>'emoji' AS emoji,
                   actor_id AS user_id, kind FROM channel_events
            WHERE kind IN ('reaction.added', 'reaction.removed') ORDER BY 1, 2, 3, sequence DESC
        ) last JOIN messages m ON m.id = last.message_id AND m.deleted_at IS NULL
        FULL JOIN message_reactions r USING (message_id, emoji, user_id)
        WHERE user_id IS NOT NULL AND (last.kind = 'reaction.added') IS DISTINCT FROM (r.created_at IS NOT NULL)""",
    "nobody speaks after they were put out": """
        SELECT e.channel_id, e.sequence, out.sequence AS out FROM channel_events e
        JOIN channel_events out ON out.channel_id = e.channel_id AND out.removes = e.actor_id
            AND out.sequence < e.sequence
        WHERE e.kind IN ('message.created', 'message.edited', 'reaction.added') AND NOT EXISTS (
            SELECT FROM channel_events back WHERE back.channel_id = e.channel_id AND back.actor_id = e.actor_id
            AND back.kind = 'member.joined' AND back.sequence BETWEEN out.sequence AND e.sequence)""",
    "who belongs to a room or group is what its log says": """
        WITH last AS (
            SELECT DISTINCT ON (1, 2) channel_id, coalesce(removes, actor_id) AS user_id, removes IS NULL AS is_in
            FROM channel_events WHERE kind = 'member.joined' OR (removes IS NOT NULL AND kind LIKE 'member.%')
            ORDER BY 1, 2, sequence DESC
        ), belongs AS (
            SELECT group_id AS channel_id, user_id FROM group_members
            UNION ALL SELECT room_id, user_id FROM room_members
        )
        SELECT channel_id, user_id, is_in FROM last LEFT JOIN belongs b USING (channel_id, user_id)
        WHERE user_id IS NOT NULL AND is_in <> (b.channel_id IS NOT NULL)
          AND channel_id IN (SELECT id FROM groups UNION ALL SELECT id FROM rooms)""",
    "a channel has what it is of": """
        SELECT c.id, c.kind FROM channels c
        WHERE NOT EXISTS (SELECT FROM rooms WHERE id = c.id AND c.kind = 'room')
          AND NOT EXISTS (SELECT FROM groups WHERE id = c.id AND c.kind = 'group')
          AND NOT EXISTS (SELECT FROM direct_channels WHERE id = c.id AND c.kind = 'direct')
          AND NOT EXISTS (SELECT FROM playlists WHERE id = c.id AND c.kind = 'playlist')
          AND NOT EXISTS (SELECT FROM channel_events e WHERE e.channel_id = c.id AND e.sequence = c.last_sequence
                          AND e.kind IN ('room.closed', 'group.closed', 'playlist.closed'))""",
    "groups count their members and have one owner": """
        SELECT g.id, g.member_count, g.owner_id, m.* FROM groups g CROSS JOIN LATERAL (
            SELECT count(*) AS members, array_agg(user_id) FILTER (WHERE role = 'owner') AS owners
            FROM group_members WHERE group_id = g.id
        ) m WHERE (g.member_count, ARRAY[g.owner_id]) IS DISTINCT FROM (m.members, m.owners)""",
    "rooms count their members and have one owner, who may be away from a permanent one": """
        SELECT r.id, r.member_count, r.owner_id, m.* FROM rooms r CROSS JOIN LATERAL (
            SELECT count(*) AS members, array_agg(user_id) FILTER (WHERE role = 'owner') AS owners
            FROM room_members WHERE room_id = r.id
        ) m WHERE r.member_count <> m.members OR CASE
            WHEN m.owners IS NOT NULL THEN m.owners <> ARRAY[r.owner_id]
            WHEN r.is_permanent THEN r.owner_id IS NULL AND r.member_count > 0 OR EXISTS (
                SELECT FROM room_members i WHERE i.room_id = r.id AND i.user_id = r.owner_id)
            ELSE true END""",
    "nobody is in where they are banned": """
        SELECT b.group_id, b.user_id FROM group_bans b JOIN group_members USING (group_id, user_id)
        WHERE until IS NULL OR until > now()
        UNION ALL
        SELECT b.room_id, b.user_id FROM room_bans b JOIN room_members USING (room_id, user_id)
        WHERE until IS NULL OR until > now()""",
    "who belongs to a group or is in a room is not invited to it": """
        SELECT i.id FROM group_invites i JOIN group_members USING (group_id, user_id) WHERE i.status = 'pending'
        UNION ALL
        SELECT i.id FROM room_invitations i JOIN room_members USING (room_id, user_id) WHERE i.status = 'pending'""",
    "who came into a room has visited it": """
        SELECT m.room_id, m.user_id FROM room_members m LEFT JOIN room_visits v USING (room_id, user_id)
        JOIN users u ON u.id = m.user_id WHERE v.user_id IS NULL AND u.deleted_at IS NULL""",
    "items count their votes": """
        SELECT id, vote_count FROM queue_items q
        WHERE vote_count <> (SELECT count(*) FROM queue_votes WHERE item_id = q.id)""",
    "what plays does not wait": """
        SELECT p.room_id FROM playbacks p JOIN queue_items q ON q.id = p.item_id""",
    "a room plays one thing, and that is what it shows": """
        SELECT room_id, p.item_id, p.play_id, r.plays FROM playbacks p FULL JOIN (
            SELECT room_id, array_agg(id) AS plays FROM room_plays WHERE ended_at IS NULL GROUP BY room_id
        ) r USING (room_id)
        WHERE CASE WHEN p.item_id IS NULL THEN num_nonnulls(p.play_id, r.plays, p.item, p.track_id) <> 0 OR p.playing
                   ELSE p.item IS NULL OR ARRAY[p.play_id] IS DISTINCT FROM r.plays END""",
    "what plays has an end, and what stands still has none": """
        SELECT room_id, playing, due_ms, gate_until_ms FROM playbacks
        WHERE (due_ms IS NOT NULL) <> (item_id IS NOT NULL AND playing)""",
    "votes to skip are told as they are cast": """
        SELECT p.room_id, p.skip_votes FROM playbacks p
        WHERE skip_votes > (SELECT count(*) FROM skip_votes v WHERE v.room_id = p.room_id)
           OR (p.item_id IS NULL AND EXISTS (SELECT FROM skip_votes v WHERE v.room_id = p.room_id))""",
    "people count what they heard": """
        SELECT user_id, l.listen_count, n.listens FROM listeners l FULL JOIN (
            SELECT user_id, count(*) AS listens FROM listens GROUP BY user_id
        ) n USING (user_id) WHERE coalesce(l.listen_count, 0) <> coalesce(n.listens, 0)""",
    "nobody heard the same twice": """
        SELECT user_id, track_id, listened_at FROM listens GROUP BY 1, 2, 3 HAVING count(*) > 1""",
    "listens are of tracks that stay, by people who stay": """
        SELECT l.user_id, l.id FROM listens l JOIN tracks t ON t.id = l.track_id JOIN users u ON u.id = l.user_id
        WHERE t.merged_into_id IS NOT NULL OR u.deleted_at IS NOT NULL""",
    "who left is in no room and no group": """
        SELECT u.id FROM users u WHERE deleted_at IS NOT NULL AND (
            EXISTS (SELECT FROM room_members WHERE user_id = u.id)
            OR EXISTS (SELECT FROM group_members WHERE user_id = u.id)
            OR u.id IN (SELECT owner_id FROM rooms UNION ALL SELECT owner_id FROM groups))""",
    "nobody is there without a socket": """
        SELECT connection_id, user_id FROM presences""",
}


async def broken(reader: Runs) -> dict[str, list[Any]]:
    """The rows that break an invariant, by its name."""
    found = {name: await reader.records(sql, []) for name, sql in INVARIANTS.items()}
    return {name: [dict(row) for row in rows[:5]] for name, rows in found.items() if rows}
