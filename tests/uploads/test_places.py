"""What takes long has places of its own: others do not wait for one person's uploads."""

from app.core.job_work import registry
from app.modules import load_modules

MOST = 300.0


def test_what_people_can_order_and_takes_long_is_limited() -> None:
    load_modules()
    orders = {"uploads.processing.process_upload", "uploads.renditions.make_renditions", "users.exports.build_export"}
    mails = {"playlists.exporting.hand_over", "playlists.exporting.work_on", "auth.mails.send_links"}
    for name in orders | mails | {"auth.mails.send_notice"}:
        assert registry[name].seconds > MOST, name
        assert 0 < registry[name].at_most <= 4, name
