// A channel that is driven by lines on stdin and tells what happens in lines on stdout.
// `node driver.js ws://.../ws/rooms/<id> [TOKEN]`: without a token, it invents some.
import { createInterface } from "node:readline";
import { ordersFor } from "./orders.js";

const { Channel, Rest } = await import(`${process.env.SOUNDSCORE_CLIENT_BUILD}/index.js`);

const report = (kind, what = null) => console.log(JSON.stringify([kind, what]));
const [address, token] = process.argv.slice(2);
const [, server, kind, id] = /^ws(.*)\/ws\/(.*)\/(.*)$/.exec(address);
const rest = new Rest(`http${server}`, token);

async function invented(renew) {
  report("authorize", renew);
  return `token=${renew ? "new" : "old"}`;
}

const channel = new Channel({
  url: rest.socket(kind, id),
  authorize: token ? rest.ticket : invented,
  chance: () => 0.1,
});
const orders = ordersFor(channel, report);
channel.open().catch(() => undefined);
for await (const line of createInterface({ input: process.stdin })) {
  const [order, what] = JSON.parse(line);
  orders[order](what);
}
channel.close();
