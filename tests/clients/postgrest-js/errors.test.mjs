// Errors: the client gives its caller `code`, `message`, `details` and `hint`, and never anything internal.

import { Playhouse, assert, compare, test } from "./playhouse.mjs";

const house = Playhouse.open();

const FAILURES = {
  "a column of a select": (db) => db.from("plays").select("nothing"),
  "a column of a filter": (db) => db.from("plays").select().eq("nothing", 1),
  "a value of a filter": (db) => db.from("plays").select().eq("year", "soon"),
  "an operator": (db) => db.from("plays").select().filter("year", "near", 1),
  "an order": (db) => db.from("plays").select().order("nothing"),
  "a limit": (db) => db.from("programme").select().limit(1000),
  "no row": (db) => db.from("plays").select().eq("id", 99).single(),
  "a table": (db) => db.from("nowhere").select(),
  "a method": (db) => db.from("plays").delete().eq("id", 1),
  "a schema": (db) => db.schema("other").from("plays").select(),
  "a media type": (db) => db.from("plays").select().geojson(),
  "a unique value": (db) => db.from("bookings").insert([{ code: "e", holder: "A" }, { code: "e", holder: "A" }]),
  "a reference": (db) => db.from("bookings").insert({ code: "f", holder: "A", play_id: 99 }),
  "a rule": (db) => db.from("bookings").insert({ code: "g", holder: "A", seats: 99 }),
  "a missing value": (db) => db.from("bookings").insert({ code: "h" }),
  "a column of a body": (db) => db.from("bookings").insert({ code: "i", holder: "A", nothing: 1 }),
};
for (const [name, fail] of Object.entries(FAILURES)) {
  test(`the four members of an error, and no SQL and no paths: ${name}`, async () => {
    const { data, error, status, success, count } = await fail(house.client());
    assert.deepEqual({ data, success, count }, { data: null, success: false, count: null });
    assert.equal(typeof error.code, "string");
    assert.ok(error.code.length > 0);
    assert.equal(typeof error.message, "string");
    assert.ok(error.message.length > 0);
    for (const member of ["details", "hint"]) assert.ok(error[member] === null || error[member].length > 0, member);
    assert.equal(error.status, status);
    assert.doesNotMatch(JSON.stringify(error), /\b(insert into|update .* set|returning|sqlite|postgres|constraint failed|\.db|\/tmp)\b/i);
  });
}
test("the name that is meant is offered", async () => {
  compare(await house.client().from("plays").select("titel"), { error: { message: /title/ } });
  compare(await house.client().from("plays").select().eq("gerne", "drama"), { error: { message: /genre/ } });
});
test("what an error can be thrown as", async () => {
  const failed = house.client().from("plays").select("nothing").throwOnError();
  await assert.rejects(async () => await failed, (error) => {
    assert.equal(error.name, "PostgrestError");
    assert.equal(error.code, "42703");
    return /nothing/.test(error.message);
  });
});
test("a server that is not there", async () => {
  const { PostgrestClient } = await import("./playhouse.mjs");
  const nobody = new PostgrestClient("http://127.0.0.1:1", { retry: false });
  const { error, status, data } = await nobody.from("plays").select();
  assert.deepEqual({ status, data }, { status: 0, data: null });
  assert.match(error.message, /fetch failed/);
});
