// A channel that is driven by lines on stdin and tells what happens in lines on stdout.
// `node driver.js ws://.../ws/rooms/<id> [TOKEN]`: without a token, it invents some.
import { createInterface } from "node:readline";

const { Channel, Rest } = await import(`${process.env.SOUNDSCORE_CLIENT_BUILD}/index.js`);

const report = (kind, what = null) => console.log(JSON.stringify([kind, what]));
const [address, token] = process.argv.slice(2);
const [, server, id] = /^ws(.*)\/ws\/rooms\/(.*)$/.exec(address);
const rest = new Rest(`http${server}`, token);

async function invented(renew) {
  report("authorize", renew);
  return `token=${renew ? "new" : "old"}`;
}

const channel = new Channel({
  url: rest.socket("rooms", id),
  authorize: token ? rest.ticket : invented,
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
  command: ([name, body]) =>
    channel.command(name, body).then(
      () => report("done", name),
      (error) => report("problem", [name, String(error.code)]),
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
