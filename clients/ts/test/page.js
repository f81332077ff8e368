// The client on a page of another origin than the server's. Who drives the browser calls these; `report` is theirs.
import { Channel, Rest, position } from "/client/index.js";
import { ordersFor, timesOf } from "./orders.js";

const tell = (kind, what = null) => globalThis.report(JSON.stringify([kind, what]));
let rest, channel, orders;

globalThis.page = {
  at: (server, token) => void (rest = new Rest(server, token)),

  async signIn(server, username, password) {
    rest = new Rest(server);
    await rest.login(username, password);
  },

  /** What spreads the attempts to come back. */
  chance: 0.1,

  async enter(kind, id) {
    channel = new Channel({ url: rest.socket(kind, id), authorize: rest.ticket, chance: () => page.chance });
    orders = ordersFor(channel, tell);
    await channel.open();
  },

  order: (name, what) => orders[name](what),

  /** Where the track is, as the channel sees it. */
  moment() {
    const times = timesOf(channel);
    return { ...times, position_ms: position(channel.state.playback, times.server_ms) };
  },

  /** The answer to a request, or what it threw. */
  async ask(method, path, body) {
    try {
      return await rest.ask(method, path, body);
    } catch (error) {
      return { name: error.constructor.name, status: error.status, code: error.code };
    }
  },

  /** Whether a socket opens, or the code with which it does not. */
  knock: (path) =>
    new Promise((done) => {
      const socket = new WebSocket(rest.server.replace("http", "ws") + path);
      socket.onopen = () => done("open");
      socket.onclose = ({ code }) => done(code);
    }),

  /** Notifications as they come. */
  async listen() {
    const source = new EventSource(`${rest.server}/api/v1/notifications/stream?${await rest.ticket()}`);
    for (const kind of ["hello", "notification", "unread"]) {
      source.addEventListener(kind, ({ data, lastEventId }) => tell(kind, [lastEventId, JSON.parse(data)]));
    }
    source.onerror = () => tell("stream_error", source.readyState);
  },

  /** A part of a recording, or all of it. */
  async part(url, range) {
    const answer = await fetch(new URL(url, rest.server), { headers: range ? { range } : {} });
    const said = Object.fromEntries(["content-range", "accept-ranges", "etag"].map((name) => [name, answer.headers.get(name)]));
    return { status: answer.status, size: (await answer.arrayBuffer()).byteLength, ...said };
  },

  /** Plays a recording from a second on, until it has got a little farther. */
  async play(url, from) {
    const audio = new Audio(new URL(url, rest.server).href);
    audio.currentTime = from;
    await audio.play();
    while (audio.currentTime < from + 0.2) await new Promise((done) => (audio.ontimeupdate = done));
    audio.pause();
    return audio.duration;
  },
};
