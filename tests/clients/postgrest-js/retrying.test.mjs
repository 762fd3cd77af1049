// What the client tries again by itself: reads that the product refuses for a while, and connections that are lost.

import { connect } from "node:net";
import { once } from "node:events";
import { Playhouse, assert, compare, test } from "./playhouse.mjs";
import { actors } from "./rows.mjs";

const house = Playhouse.open();

/** A client that lets `faults` happen, one for each request, before requests come through; and what it sent. */
function troubled(...faults) {
  const sent = [];
  const db = house.client({ fetch: async (url, init) => {
    sent.push(init.headers["X-Retry-Count"] ?? "0");
    const fault = faults.shift();
    return fault ? fault() : fetch(url, init);
  } });
  return [db, sent];
}
const lost = () => { throw new TypeError("fetch failed"); };
const refused = (status) => () => new Response("{}", { status, headers: { "Retry-After": "0" } });

test("a read after a lost connection", async () => {
  const [db, sent] = troubled(lost);
  compare(await db.from("actors").select(), { data: actors, status: 200 });
  assert.deepEqual(sent, ["0", "1"]);
});
test("a read after a refusal", async () => {
  const [db, sent] = troubled(refused(503), refused(520));
  compare(await db.from("actors").select(), { data: actors });
  assert.deepEqual(sent, ["0", "1", "2"]);
});
test("a head after a refusal", async () => {
  const [db, sent] = troubled(refused(503));
  compare(await db.from("plays").select("*", { head: true, count: "exact" }), { count: 8 });
  assert.deepEqual(sent, ["0", "1"]);
});
test("a write is not tried again, so that it does not happen twice", async () => {
  const [db, sent] = troubled(lost);
  compare(await db.from("bookings").insert({ code: "retry-1", holder: "A" }), { status: 0, error: { message: /fetch failed/ } });
  assert.deepEqual(sent, ["0"]);
});
test("nothing is tried again if the caller says so", async () => {
  const [db, sent] = troubled(lost);
  compare(await db.from("actors").select().retry(false), { status: 0, error: { message: /fetch failed/ } });
  assert.deepEqual(sent, ["0"]);
});
test("a mistake of the caller's is not tried again", async () => {
  const [db, sent] = troubled();
  compare(await db.from("actors").select("nothing"), { status: 400, error: { code: "42703" } });
  assert.deepEqual(sent, ["0"]);
});

/** Takes the only place of the route `counter`: a request whose body never comes. */
async function occupy() {
  const { hostname, port, pathname } = new URL(`${house.url}/counter`);
  const counter = () => house.client().from("counter").select("code").retry(false);
  for (;;) {
    const socket = connect(Number(port), hostname);
    await once(socket, "connect");
    // It is answered only if another request had the place when it came.
    let isRefused = false;
    socket.once("data", () => { isRefused = true; });
    socket.write(`POST ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{`);
    while (!isRefused) {
      if ((await counter()).status === 503) return socket;
    }
    socket.destroy();
  }
}

test("what the product says when it has too much to do", async () => {
  const socket = await occupy();
  try {
    compare(await house.client().from("counter").select("code").retry(false), { status: 503, error: { code: "PGRST003", message: /.+/ } });
  } finally {
    socket.destroy();
  }
});
test("a read that the product refused comes through once there is room", async () => {
  const socket = await occupy();
  let refusals = 0;
  const db = house.client({ fetch: async (...words) => {
    const answer = await fetch(...words);
    if (answer.status === 503) {
      refusals += 1;
      assert.ok(Number(answer.headers.get("retry-after")) >= 1);
      socket.destroy();
    }
    return answer;
  } });
  compare(await db.from("counter").select("code"), { status: 200, data: [] });
  assert.ok(refusals >= 1);
});
