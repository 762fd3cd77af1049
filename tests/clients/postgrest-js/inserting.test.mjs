// Inserts.

import { Playhouse, assert, check, compare, test } from "./playhouse.mjs";

const house = Playhouse.open();
const bookings = () => house.client({ schema: "public" }).from("bookings");
const kept = (code, columns = "code,holder,seats,price,paid,play_id,note") => bookings().select(columns).like("code", `${code}%`).order("code");
const row = (code, more = {}) => ({ code, holder: "Ada", seats: 1, price: null, paid: false, play_id: null, note: null, ...more });

test("one row, without asking for it back", async () => {
  const made = await bookings().insert({ code: "one-1", holder: "Ada" });
  compare(made, { status: 201, error: null });
  compare(await kept("one"), { data: [row("one-1")] });
});
test("one row, and it comes back in a list", async () => {
  const made = await bookings().insert({ code: "back-1", holder: "Ada", seats: 3 }).select("code,seats");
  compare(made, { status: 201, data: [{ code: "back-1", seats: 3 }] });
});
test("one row, and all of it comes back, with what the table gave it", async () => {
  const { data, error, status } = await bookings().insert({ code: "all-1", holder: "Ada" }).select();
  assert.equal(error, null);
  assert.equal(status, 201);
  assert.ok(Number.isInteger(data[0].id));
  assert.deepEqual(data, [{ id: data[0].id, ...row("all-1") }]);
});
test("several rows come back in their order", async () => {
  const codes = ["many-3", "many-1", "many-2"];
  const made = await bookings().insert(codes.map((code) => ({ code, holder: "Bo" }))).select("code");
  compare(made, { status: 201, data: codes.map((code) => ({ code })) });
});
test("every type of value is kept", async () => {
  const given = row("types-1", { holder: 'Chiyo "森", O\'Neil', seats: 8, price: 12.75, paid: true, play_id: 3, note: "line\nline\ttab \\ %" });
  compare(await bookings().insert(given), { status: 201 });
  compare(await kept("types"), { data: [given] });
});
test("an empty text is not null", async () => {
  compare(await bookings().insert([{ code: "empty-1", holder: "", note: "" }, { code: "empty-2", holder: "", note: null }]), { status: 201 });
  compare(await kept("empty", "code,note"), { data: [{ code: "empty-1", note: "" }, { code: "empty-2", note: null }] });
});
test("a hundred rows at once", async () => {
  const rows = Array.from({ length: 100 }, (_, at) => ({ code: `lot-${String(at).padStart(3, "0")}`, holder: "Lot", seats: (at % 8) + 1 }));
  compare(await bookings().insert(rows), { status: 201 });
  compare(await kept("lot", "code,holder,seats").limit(200), { data: rows });
});
test("none at all", async () => {
  compare(await bookings().insert([]).select(), { status: 201, data: [] });
});
test("rows that are returned under other names", async () => {
  compare(await bookings().insert({ code: "names-1", holder: "Ada" }).select("key:code, who:holder"), { data: [{ key: "names-1", who: "Ada" }] });
});
test("a row refers to one that is there", async () => {
  compare(await bookings().insert({ code: "refers-1", holder: "Ada", play_id: 8 }).select("play_id"), { data: [{ play_id: 8 }] });
});
test("the id can be given", async () => {
  compare(await bookings().insert({ id: 900_001, code: "id-1", holder: "Ada" }).select("id"), { data: [{ id: 900_001 }] });
});
test("what is left out of some rows is null, where it may be", async () => {
  const rows = [{ code: "gap-1", holder: "A", note: "n" }, { code: "gap-2", holder: "B", price: 2.5 }];
  compare(await bookings().insert(rows), { status: 201 });
  compare(await kept("gap", "code,note,price"), { data: [{ code: "gap-1", note: "n", price: null }, { code: "gap-2", note: null, price: 2.5 }] });
});
test("what is left out of some rows has its default, if that is asked for", async () => {
  const rows = [{ code: "default-1", holder: "A", seats: 4 }, { code: "default-2", holder: "B" }];
  compare(await bookings().insert(rows, { defaultToNull: false }).select("code,seats"), { status: 201, data: [{ code: "default-1", seats: 4 }, { code: "default-2", seats: 1 }] });
});
test("rows are counted, if that is asked for", async () => {
  const made = await bookings().insert([{ code: "counted-1", holder: "A" }, { code: "counted-2", holder: "B" }], { count: "exact" });
  compare(made, { status: 201, count: 2 });
});
test("all rows or none", async () => {
  compare(await bookings().insert([{ code: "none-1", holder: "A", seats: 1 }, { code: "none-2", holder: "A", seats: 99 }]), { error: { code: "23514" } });
  compare(await kept("none"), { data: [] });
});
test("what is read is what was just written", async () => {
  for (let seats = 1; seats <= 8; seats += 1) {
    compare(await bookings().insert({ code: `fresh-${seats}`, holder: "F", seats }), { status: 201 });
    compare(await kept("fresh", "seats"), { data: Array.from({ length: seats }, (_, at) => ({ seats: at + 1 })) });
  }
});
test("without null in what comes back", async () => {
  compare(await bookings().insert({ code: "strip-1", holder: "A" }).select("code,note").stripNulls(), { data: [{ code: "strip-1" }] });
});

/** What the client does not send, and others do. */
const posted = async (type, body) => {
  const answer = await fetch(`${house.url}/bookings?select=code,holder,seats,paid,note`, {
    method: "POST", body, headers: { "Content-Type": type, Prefer: "return=representation" } });
  return { status: answer.status, data: await answer.json() };
};
test("lines of text as a body", async () => {
  const { status, data } = await posted("text/csv", 'code,holder,seats,paid,note\r\nline-1,"Ada, B",3,true,\r\nline-2,"",1,false,""\r\n');
  assert.equal(status, 201);
  assert.deepEqual(data, [
    { code: "line-1", holder: "Ada, B", seats: 3, paid: true, note: null },
    { code: "line-2", holder: "", seats: 1, paid: false, note: "" },
  ]);
});
test("a form as a body", async () => {
  const { status, data } = await posted("application/x-www-form-urlencoded", "code=form-1&holder=Ada+%26+Bo&seats=2&paid=true");
  assert.equal(status, 201);
  assert.deepEqual(data, [{ code: "form-1", holder: "Ada & Bo", seats: 2, paid: true, note: null }]);
});
test("lines that are wrong are refused, and nothing is written", async () => {
  for (const [body, code] of [["code,holder\nwrong-1,A\nwrong-2\n", "PGRST102"], ["code,holder,seats\nwrong-1,A,many\n", "22P02"]]) {
    const { status, data } = await posted("text/csv", body);
    assert.ok(status === 400 || status === 422, String(status));
    assert.equal(data.code, code);
  }
  compare(await kept("wrong"), { data: [] });
});

const refused = (name, given, error, status) => check(house, name, (db) => db.from("bookings").insert(given), { status, error });
refused("a second row with a value that must be unique", [{ code: "twin", holder: "A" }, { code: "twin", holder: "B" }], { code: "23505", message: /code/ }, 409);
refused("a reference to nothing", { code: "x-1", holder: "A", play_id: 99 }, { code: "23503" }, 409);
refused("a rule that is broken", { code: "x-2", holder: "A", seats: 0 }, { code: "23514" }, 422);
refused("a value that is missing", { code: "x-3" }, { code: "23502", message: /holder/ }, 422);
refused("a null where none may be", { code: "x-4", holder: null }, { code: "23502", message: /holder/ }, 422);
refused("a text for a number", { code: "x-5", holder: "A", seats: "many" }, { code: "22P02", message: /seats/ }, 422);
check(house, "a column that is not there", (db) => db.from("bookings").insert({ code: "x-6", holder: "A", seets: 1 }),
  { error: { code: "PGRST204", message: /seets/ } });
check(house, "a route that takes no inserts", (db) => db.from("plays").insert({ id: 9, title: "No" }), { status: 405, error: { code: "PGRST117" } });
