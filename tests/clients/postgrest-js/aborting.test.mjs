// Requests that are given up, by their caller or by the client's own clock.

import { createServer } from "node:http";
import { once } from "node:events";
import { Playhouse, PostgrestClient, assert, compare, test } from "./playhouse.mjs";
import { actors } from "./rows.mjs";

const house = Playhouse.open();
const ABORTED = { message: /AbortError/, hint: /aborted/, code: "" };

/** Something in front of the product that keeps requests until it is told to hand them on. */
async function gate() {
  const waiting = [];
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  const server = createServer(async (request, response) => {
    waiting.push(request.url);
    server.emit("came");
    await opened;
    const answer = await fetch(house.url + request.url, { headers: { accept: request.headers.accept } });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") }).end(await answer.text());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const close = () => {
    open();
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, open, close, came: () => once(server, "came"), waiting };
}

test("a signal that is given before", async () => {
  const result = await house.client().from("actors").select().abortSignal(AbortSignal.abort());
  compare(result, { status: 0, error: ABORTED });
});
test("a signal that is not given changes nothing", async () => {
  const { signal } = new AbortController();
  compare(await house.client().from("actors").select().abortSignal(signal), { data: actors });
});
test("a signal that is given while the answer is awaited", async () => {
  const { url, came, close, waiting } = await gate();
  try {
    const controller = new AbortController();
    const asked = new PostgrestClient(url).from("actors").select().abortSignal(controller.signal);
    const [result] = await Promise.all([asked, came().then(() => controller.abort())]);
    compare(result, { status: 0, error: ABORTED });
    assert.equal(waiting.length, 1, "what is given up is not tried again");
  } finally {
    await close();
  }
});
test("the client's own clock", async () => {
  const { url, close } = await gate();
  try {
    compare(await new PostgrestClient(url, { timeout: 50 }).from("actors").select(), { status: 0, error: ABORTED });
  } finally {
    await close();
  }
});
test("a clock that leaves enough time", async () => {
  const { url, open, close } = await gate();
  try {
    open();
    compare(await new PostgrestClient(url, { timeout: 60_000 }).from("actors").select(), { data: actors, status: 200 });
  } finally {
    await close();
  }
});
test("a write that is given up before it is sent is not made", async () => {
  const db = house.client();
  compare(await db.from("bookings").insert({ code: "gone-1", holder: "A" }).abortSignal(AbortSignal.abort()), { status: 0, error: ABORTED });
  compare(await db.from("bookings").select().eq("code", "gone-1"), { data: [] });
});
test("others are answered while one was given up", async () => {
  const controller = new AbortController();
  const db = house.client();
  const given = db.from("plays").select("id").abortSignal(controller.signal).then((result) => result);
  controller.abort();
  compare(await db.from("actors").select(), { data: actors });
  compare(await given, { status: 0, error: ABORTED });
});
