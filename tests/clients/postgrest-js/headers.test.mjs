// Fields of requests and answers: schemas, media types, credentials, preferences, and what plans are shown.

import { Playhouse, assert, check, compare, test } from "./playhouse.mjs";
import { actors } from "./rows.mjs";

const house = Playhouse.open();
const first = { data: [actors[0]], status: 200 };
const ask = (db) => db.from("actors").select().eq("id", 1);

/** A client that keeps the last answer's fields. */
const watched = () => {
  const seen = {};
  const fetched = async (...words) => {
    const answer = await fetch(...words);
    seen.headers = answer.headers;
    return answer;
  };
  return [house.client({ fetch: fetched }), seen];
};

test("without a schema", async () => compare(await ask(house.client()), first));
test("with the schema that there is", async () => compare(await ask(house.client({ schema: "public" })), first));
test("with the schema, named at the call", async () => compare(await ask(house.client().schema("public")), first));
test("another schema is refused, also where the answer is stored", async () => {
  compare(await ask(house.client()), first);
  compare(await ask(house.client({ schema: "private" })), { status: 406, error: { code: "PGRST106", hint: /public/ } });
});
test("another schema is refused for writes, and nothing is written", async () => {
  const row = { code: "schema-1", holder: "A" };
  compare(await house.client({ schema: "private" }).from("bookings").insert(row), { status: 406, error: { code: "PGRST106" } });
  compare(await house.client().from("bookings").select().eq("code", "schema-1"), { data: [] });
  compare(await house.client({ schema: "public" }).from("bookings").insert(row), { status: 201 });
});
test("keys and tokens do no harm", async () =>
  compare(await ask(house.client({ headers: { apikey: "k", Authorization: "Bearer t", "X-Client-Info": "supabase-js/2" } })), first));
test("a field of one request", async () => compare(await ask(house.client()).setHeader("X-Trace", "1"), first));
test("a media type that is not there", async () =>
  compare(await ask(house.client()).setHeader("Accept", "application/pdf"), { status: 406, error: { code: "PGRST107", message: /.+/ } }));
check(house, "shapes on a map are not there", (db) => ask(db).geojson(), { status: 406, error: { code: "PGRST107" } });
check(house, "plans are not shown where the route does not say so", (db) => ask(db).explain(), { status: 406, error: { code: "PGRST107" } });
check(house, "a plan in lines, where the route shows plans", (db) => db.from("programme").select("id").eq("genre", "drama").explain(),
  { status: 200, data: /plays/ });
check(house, "a plan as JSON", async (db) => {
  const { data, ...rest } = await db.from("programme").select("id").explain({ format: "json" });
  return { ...rest, data: data[0].Plan.Lines.join() };
}, { status: 200, data: /plays/ });
check(house, "a plan is not what is answered to who asks for rows", async (db) => {
  await db.from("programme").select("id").eq("genre", "mystery").explain();
  return db.from("programme").select("id").eq("genre", "mystery");
}, { status: 200, data: [{ id: 8 }] });
check(house, "a plan of a wrong question is an error", (db) => db.from("programme").select("nothing").explain(), { status: 400, error: { code: "42703" } });
test("answers say what they are and by what they were chosen", async () => {
  const [db, seen] = watched();
  const types = async (query, expected) => {
    await query;
    assert.equal(seen.headers.get("content-type"), expected);
    const vary = seen.headers.get("vary").toLowerCase().split(", ");
    assert.ok(vary.includes("accept") && vary.includes("prefer"), vary.join());
  };
  await types(ask(db), "application/json");
  await types(ask(db).single(), "application/vnd.pgrst.object+json");
  await types(ask(db).csv(), "text/csv; charset=utf-8");
  await types(ask(db).stripNulls(), "application/vnd.pgrst.array+json;nulls=stripped");
});
test("one answer is stored for all spellings of one wish", async () => {
  const [db, seen] = watched();
  const query = (accept) => db.from("actors").select("id").eq("id", 4).setHeader("Accept", accept);
  compare(await query("application/json"), { data: [{ id: 4 }] });
  for (const accept of ["*/*", "application/*;q=0.5", "text/html, application/json;q=0.9", "APPLICATION/JSON; charset=utf-8"]) {
    compare(await query(accept), { data: [{ id: 4 }] });
    assert.equal(seen.headers.get("x-cache"), "HIT", accept);
  }
});
test("preferences that were honoured are named", async () => {
  const [db, seen] = watched();
  compare(await db.from("plays").select("id", { count: "exact" }).limit(1), { count: 8 });
  assert.match(seen.headers.get("preference-applied"), /count=exact/);
  compare(await db.from("bookings").insert({ code: "prefer-1", holder: "A" }).select("code"), { status: 201 });
  assert.match(seen.headers.get("preference-applied"), /return=representation/);
});
test("preferences that nobody knows are passed over", async () =>
  compare(await ask(house.client({ headers: { Prefer: "respond-async" } })), first));
test("preferences that nobody knows are refused by who is strict", async () =>
  compare(await ask(house.client({ headers: { Prefer: "handling=strict, anything=else" } })), { status: 400, error: { code: "PGRST122" } }));
test("an error is a problem document, and has a name that the log knows", async () => {
  const [db, seen] = watched();
  const { error } = await db.from("actors").select("nothing");
  assert.equal(seen.headers.get("content-type"), "application/problem+json");
  assert.equal(error.request_id, seen.headers.get("x-request-id"));
  assert.equal(error.status, 400);
});
