// A channel that is driven by lines on stdin and tells what happens in lines on stdout. `node driver.js ws://...`
import { createInterface } from "node:readline";

const { Channel } = await import(`${process.env.SOUNDSCORE_CLIENT_BUILD}/index.js`);

const report = (kind, what = null) => console.log(JSON.stringify([kind, what]));
const channel = new Channel({
  url: process.argv[2],
  authorize: async (renew) => {
    report("authorize", renew);
    return `token=${renew ? "new" : "old"}`;
  },
  chance: () => 0.1,
});
channel.on("event", (event) => report("event", event.sequence));
channel.on("welcome", (welcome) => report("welcome", welcome.recovered));
channel.on("ended", (ended) => report("ended", ended.code));

const orders = {
  send: (text) =>
    channel.send(text).then(
      (ack) => report("ack", [text, ack.sequence]),
      (error) => report("problem", [text, String(error.code)]),
    ),
  read: (sequence) => channel.read(sequence),
  state: () => report("state", { ...channel.state, server_ms: channel.serverNow(), wall_ms: Date.now() }),
  close: () => channel.close(),
};

channel.open().catch(() => undefined);
for await (const line of createInterface({ input: process.stdin })) {
  const [order, what] = JSON.parse(line);
  orders[order](what);
}
channel.close();
