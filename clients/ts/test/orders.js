// A channel that obeys orders and tells what happens. It is the same in Node and on a page.

/** The server's time as the channel sees it, by how much it may be wrong, and this machine's. */
export function timesOf(channel) {
  const error_ms = channel.clock.error(performance.timeOrigin + performance.now());
  return { server_ms: channel.serverNow(), error_ms, wall_ms: Date.now() };
}

/** The orders that a channel obeys; `report(kind, what)` is told of everything. */
export function ordersFor(channel, report) {
  channel.on("event", (event) => report("event", event.sequence));
  channel.on("welcome", (welcome) => report("welcome", welcome.recovered));
  channel.on("status", (status) => report("status", status));
  channel.on("ended", (ended) => report("ended", ended.code));
  return {
    send: (text) =>
      void channel.send(text).then(
        (ack) => report("ack", [text, ack.sequence]),
        (error) => report("problem", [text, String(error.code)]),
      ),
    command: ([name, body]) =>
      void channel.command(name, body).then(
        () => report("done", name),
        (error) => report("problem", [name, String(error.code)]),
      ),
    read: (sequence) => channel.read(sequence),
    state: () => report("state", { ...channel.state, ...timesOf(channel) }),
    close: () => channel.close(),
  };
}
