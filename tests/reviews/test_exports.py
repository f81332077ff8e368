"""What an export of one's data holds of reviews, comments and likes."""

import json
from pathlib import Path
from zipfile import ZipFile

from app.core.infra import Infra
from app.users.exports import write_zip
from tests.people import People
from tests.reviews.factories import make_album, write_comment, write_review


async def test_everything_that_one_wrote_and_likes(infra: Infra, people: People, tmp_path: Path) -> None:
    ana, ben = await people.make("ana"), await people.make("ben")
    review = await write_review(ana, await make_album(infra, "Blue Train"), rating=5, text="First")
    await ana.patch(f"/reviews/{review['id']}", json={"text": "Second"})
    draft = await write_review(ana, await make_album(infra), rating=None, draft=True)
    comment = await write_comment(ana, review, "Mine")
    await write_comment(ben, review, "Not mine")
    gone = await write_comment(ana, review, "Gone")
    await ana.delete(f"/comments/{gone['id']}")
    await ana.put(f"/reviews/{review['id']}/like")
    await write_zip(infra.db.reader, ana.id, tmp_path / "export.zip")
    with ZipFile(tmp_path / "export.zip") as archive:
        kept = {name: json.loads(archive.read(f"{name}.json")) for name in ("reviews", "comments", "likes")}
        revisions = json.loads(archive.read("review_revisions.json"))
    assert [row["id"] for row in kept["reviews"]] == [review["id"], draft["id"]]
    assert (kept["reviews"][0]["album"], kept["reviews"][0]["text"]) == ("Blue Train", "Second")
    assert [(row["rating"], row["text"]) for row in revisions] == [(5, "First")]
    assert [(row["id"], row["text"]) for row in kept["comments"]] == [(comment["id"], "Mine")]
    assert [row["review_id"] for row in kept["likes"]] == [review["id"]]
