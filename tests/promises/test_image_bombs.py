"""Pictures that are small to send and large to decode: what they cost a server of its own."""

from app.core.config import Settings
from bench.bombs import bombs, explode, told
from tests.people import People
from tests.servers import servers_on


def test_there_are_24_and_all_may_be_sent() -> None:
    contents = bombs()
    assert len(contents) == 24
    assert {name for name, content in contents.items() if len(content) > 5_000_000} == set()


async def test_they_cost_at_most_100_mb(settings: Settings, people: People) -> None:
    ana = await people.make("ana")
    async with servers_on(settings, 1) as (server,):
        idle, peak, answers = await explode(server.address, ana.token, server.seen)
        print(told(idle, peak, answers))
    assert answers == {200: 14, 422: 10}
    assert peak - idle <= 100
