import asyncio, json, time
from fastapi import FastAPI
from tests.people import People
from tests.promises.fuzzing import fuzz
from app.demo.seed import seed_if_empty

async def test_it(app, live, people, infra):
    await seed_if_empty(infra)
    document = json.loads(json.dumps(app.openapi()))
    document["paths"] = {p: m for p, m in document["paths"].items() if "stream" not in p}
    for who in (None, "user", "admin"):
        token = None
        if who:
            token = (await people.make(who, role=who)).token
        t = time.time()
        f = await asyncio.to_thread(fuzz, document, live, token=token, examples=5)
        print(who, time.time() - t, f.cases, len(f.operations), f.statuses, len(f.failures))
        open(f"/tmp/fuzz_{who}.txt", "w").write("\n".join(f.failures))
