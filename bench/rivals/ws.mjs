// A broadcast with node's `ws`: POST /send?count=&size= goes to every socket.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((request, response) => {
  const query = new URL(request.url, "http://localhost").searchParams;
  const text = "x".repeat(Number(query.get("size") ?? 0));
  for (let n = Number(query.get("count") ?? 0); n > 0; n--) {
    for (const socket of sockets.clients) socket.send(text);
  }
  response.end("ok");
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
server.listen(Number(process.env.PORT), "127.0.0.1");
