// The same with socket.io and its Redis adapter, so that several processes share a room.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";

const options = { socket: { path: process.env.REDIS_SOCKET } };
const publisher = createClient(options);
const subscriber = createClient(options);
await Promise.all([publisher.connect(), subscriber.connect()]);
const server = createServer((request, response) => {
  if (request.url.startsWith("/socket.io/")) return;
  const query = new URL(request.url, "http://localhost").searchParams;
  const text = "x".repeat(Number(query.get("size") ?? 0));
  for (let n = Number(query.get("count") ?? 0); n > 0; n--) io.to("room").emit("m", text);
  response.end("ok");
});
const io = new Server(server, {
  adapter: createAdapter(publisher, subscriber),
  transports: ["websocket"],
  perMessageDeflate: false,
});
io.on("connection", (socket) => socket.join("room"));
server.listen(Number(process.env.PORT), "127.0.0.1");
