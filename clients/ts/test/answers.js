// What this client makes of the conformance vectors. `node answers.js reducer < vectors.json` prints its answers.
import { pathToFileURL } from "node:url";

const built = process.env.SOUNDSCORE_CLIENT_BUILD ?? new URL("../dist", import.meta.url).href;
const { Clock, Gap, begin, delay, plan, policy, position, take } = await import(`${built}/index.js`);

function clock({ samples, ask, kept, drift_ppm: driftPpm }) {
  const clock = new Clock({ kept, driftPpm });
  for (const sample of samples) clock.add(...sample);
  return ask.map((now) => (clock.offset(now) === null ? null : { offset: clock.offset(now), error: clock.error(now) }));
}

function closing({ code, delays }) {
  const then = policy(code);
  return { ...then, delays: delays.map(([attempt, random, after]) => delay(then, attempt, random, after)) };
}

function reduce(welcomes, { welcome, frames, kept }) {
  const start = typeof welcome === "string" ? welcomes[welcome] : welcome;
  try {
    return frames.reduce((state, frame) => take(state, frame, kept), begin(start));
  } catch (error) {
    if (error instanceof Gap) return { gap: [error.expected, error.got] };
    throw error;
  }
}

export function answers(subject, vectors) {
  const all = (cases, answer) => cases.map(({ given }) => answer(given));
  switch (subject) {
    case "clock":
      return { cases: all(vectors.cases, clock) };
    case "closing":
      return { cases: all(vectors.cases, closing) };
    case "reducer":
    case "playlists":
      return { cases: all(vectors.cases, (given) => reduce(vectors.welcomes, given)) };
    case "playback":
      return {
        positions: all(vectors.positions, (given) => given.at.map((now) => position(given.playback, now))),
        plans: all(vectors.plans, (given) => plan(given.playback, given.player, given.server_now)),
      };
  }
  throw new Error(`There are no vectors about ${subject}.`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  let text = "";
  for await (const part of process.stdin) text += part;
  console.log(JSON.stringify(answers(process.argv[2], JSON.parse(text))));
}
