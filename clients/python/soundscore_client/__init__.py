"""The reference client of SoundScore's socket protocol.

async with Rest("http://127.0.0.1:8000") as rest:
    await rest.login("ana", "...")
    room = await rest.room("Late night jazz")
    async with Channel(rest.socket(room["id"]), rest.token) as channel:
        state = await channel.opened()
        await channel.send("Good evening!")
"""

from soundscore_client.clock import Clock, local_ms
from soundscore_client.closing import Policy, delay, policy
from soundscore_client.connection import Authorize, Channel, Status
from soundscore_client.playback import Plan, Player, plan, position
from soundscore_client.problems import Ended, Problem, Refused
from soundscore_client.reducer import Gap, apply, attend, mark_read, note_typing, resume, take
from soundscore_client.rest import Rest
from soundscore_client.state import State, begin

__all__ = [
    "Authorize",
    "Channel",
    "Clock",
    "Ended",
    "Gap",
    "Plan",
    "Player",
    "Policy",
    "Problem",
    "Refused",
    "Rest",
    "State",
    "Status",
    "apply",
    "attend",
    "begin",
    "delay",
    "local_ms",
    "mark_read",
    "note_typing",
    "plan",
    "policy",
    "position",
    "resume",
    "take",
]
