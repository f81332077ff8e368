"""Who may do what: a row for every operation.

A row has a letter for each of ROLES: `+` the request passes, `1` 401, `3` 403, `4` 404. The object of a request belongs
to the owner, who has blocked `blocked`; `reader` is a stranger's API token with the scope `read` alone.
"""

ROLES = ("anonymous", "reader", "stranger", "blocked", "owner", "curator", "admin")

OPEN = "+++++++"
OPEN_OF_PERSON = "+++4+++"
MEMBER_READS = "1++++++"
MEMBER_WRITES = "13+++++"
TO_PERSON = "13+4+++"
TO_PERSON_READS = "1++4+++"
OWN_READ = "1444+44"
OWN_WRITE = "1344+44"
OWN_OR_ADMIN = "1344+4+"
AUTHOR = "1334+33"
AUTHOR_OR_ADMIN = "1334+3+"
CURATOR = "13333++"
ADMIN = "133333+"
ACCOUNT_READS = "13+++++"
OWN_ACCOUNT_OBJECT = "1344+44"

# a group of the owner's, with one more member; who is blocked by its owner may see it and come in all the same
OF_MEMBERS = "1333+33"
GROUP_OWNER_OR_ADMIN = "1333+3+"

_ROWS = [
    (
        OPEN,
        """
        register login login_by_json refresh ask_for_new_password reset_password verify_email resend_verification
        begin_oauth finish_oauth exchange_oauth_code get_json_web_keys show_verification confirm_verification show_reset
        confirm_reset list_album_reviews list_reviews get_album list_artists get_artist list_artist_albums list_albums
        list_album_tracks get_album_likes list_album_likers get_track list_genres get_picture search_everything
        list_tracks list_track_likers list_oauth_providers
        list_rooms get_room_by_name list_track_comments list_trending_tracks
        list_top_albums list_trending_albums list_public_reviews list_busy_genres put_upload livez readyz health
        metrics swagger redoc sockets_document list_groups get_group list_playlists
        stream_recording probe_recording stream_track probe_track get_waveform
    """,
    ),
    (
        OPEN_OF_PERSON,
        """
        get_person list_followers list_following list_user_reviews get_review list_revisions list_review_likers
        list_comments get_comment list_replies list_liked_albums list_liked_tracks get_room list_room_members
        list_room_queue list_recent_tracks
        get_queued_item get_room_playback get_skip_vote list_room_history list_listens get_listening_stats list_top
        get_now_playing download_playlist get_playlist list_playlist_entries list_playlist_likers
        list_playlist_members list_user_playlists
        list_person_uploads
    """,
    ),
    (
        MEMBER_READS,
        """
        get_me get_own_profile list_blocks list_mutes list_followed_reviews list_drafts get_feed list_suggested_people
        list_conversations get_direct_unread_count
        list_notifications get_unread_count get_notification_preferences stream_notifications create_ticket
        list_my_groups list_my_group_invites list_my_room_invitations list_group_members look_at_group_link
        list_own_rooms stream_rooms list_suggested_rooms
        list_my_playlists list_liked_playlists list_my_playlist_invites list_playlist_exports
        list_uploads get_upload_usage
    """,
    ),
    (
        MEMBER_WRITES,
        """
        update_own_profile create_review like_album set_own_avatar remove_own_avatar set_own_banner
        remove_own_banner unlike_album like_track unlike_track mark_all_notifications_read
        set_notification_preferences create_group join_group redeem_group_link create_room
        add_listens set_now_playing clear_now_playing comment_on_track import_playlist create_playlist
        preview_playlist_rules
        initiate_upload record_play
    """,
    ),
    (
        ACCOUNT_READS,
        """
        logout logout_everywhere list_sessions change_password change_email create_app_password list_app_passwords
        create_api_token list_api_tokens list_linked_accounts link_account request_data_export list_data_exports
        delete_own_account
    """,
    ),
    (
        TO_PERSON,
        """
        open_conversation
        follow_person block_person mute_person dismiss_suggestion remove_follower like_review unlike_review like_comment
        unlike_comment create_comment unfollow_person unblock_person unmute_person undo_dismissal join_room leave_room
        join_room_by_invite dismiss_suggested_room undo_room_dismissal keep_room_history copy_playlist like_playlist
        unlike_playlist
    """,
    ),
    (OWN_WRITE, "mark_notification_read delete_notification delete_listen request_playlist_export"),
    (OWN_READ, "get_playlist_export"),
    (
        OWN_READ,
        """
        list_room_messages list_messages list_message_revisions search_messages list_present_people get_read_state
    """,
    ),
    (
        OWN_WRITE,
        """
        post_room_message post_message edit_message delete_message add_reaction remove_reaction mark_channel_read
        mute_channel add_chat_picture
    """,
    ),
    (
        OWN_ACCOUNT_OBJECT,
        """
        end_session revoke_app_password revoke_api_token unlink_account get_data_export download_data_export
    """,
    ),
    (TO_PERSON_READS, "get_room_invite"),
    (AUTHOR, "edit_review edit_comment"),
    (
        OF_MEMBERS,
        """
        update_group set_group_cover remove_group_cover leave_group transfer_group change_group_role kick_group_member
        mute_group_member unmute_group_member list_group_bans ban_from_group unban_from_group invite_to_group
        list_group_invites revoke_group_invite create_group_link list_group_links revoke_group_link
    """,
    ),
    (GROUP_OWNER_OR_ADMIN, "delete_group"),
    (
        OWN_WRITE,
        """
        accept_group_invite decline_group_invite accept_room_invitation decline_room_invitation finalise_upload
        change_upload
    """,
    ),
    (OWN_READ, "get_upload"),
    (OWN_OR_ADMIN, "delete_upload"),
    (
        AUTHOR,
        """
        update_room hand_over_room change_room_permissions set_room_role kick_from_room mute_in_room unmute_in_room
        list_room_bans ban_from_room unban_from_room list_room_invites create_room_invite revoke_room_invite
        add_to_room_queue clear_room_queue undo_room_queue move_queued_item remove_queued_item vote_for_queued_item
        unvote_queued_item control_room_playback vote_to_skip invite_to_room list_room_invitations
        revoke_room_invitation add_file_to_playlist match_playlist_placeholders
    """,
    ),
    (
        AUTHOR,
        """
        update_playlist set_playlist_cover remove_playlist_cover transfer_playlist change_playlist_role
        remove_from_playlist invite_to_playlist add_playlist_entries remove_playlist_entries move_playlist_entries
        match_playlist_entry remove_playlist_entry list_playlist_activities
    """,
    ),
    (OWN_WRITE, "accept_playlist_invite decline_playlist_invite"),
    (AUTHOR_OR_ADMIN, "delete_review delete_comment delete_room delete_playlist"),
    (
        CURATOR,
        """
        create_artist change_artist delete_artist merge_artists create_album change_album delete_album
        order_album_tracks merge_albums create_track change_track delete_track merge_tracks set_artist_picture
        remove_artist_picture set_album_cover remove_album_cover
    """,
    ),
    (
        ADMIN,
        """
        list_dead_letters requeue_dead_letter delete_dead_letter list_jobs change_role list_audit_entries
    """,
    ),
]
TABLE = {name: row for row, names in _ROWS for name in names.split()}
