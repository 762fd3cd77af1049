// Totals: `count` of reads and writes, with and without the rows.

import { Playhouse, check, pick, test, compare, assert } from "./playhouse.mjs";
import { authors, plays } from "./rows.mjs";

const house = Playhouse.open();
const exact = { count: "exact" };

check(house, "all rows", (db) => db.from("plays").select("id", exact), { count: plays.length, data: pick(plays, "id"), status: 200 });
check(house, "the rows that a filter leaves", (db) => db.from("plays").select("id", exact).eq("genre", "drama"),
  { count: 3, data: pick(plays.filter((p) => p.genre === "drama"), "id") });
check(house, "more than the page has", (db) => db.from("plays").select("id", exact).limit(2), { count: plays.length, data: [{ id: 1 }, { id: 2 }] });
check(house, "none", (db) => db.from("plays").select("id", exact).eq("id", 99), { count: 0, data: [] });
check(house, "none is asked for", (db) => db.from("plays").select("id"), { count: null });
check(house, "without rows", (db) => db.from("plays").select("*", { ...exact, head: true }), { count: plays.length, data: null, status: 200 });
check(house, "without rows, of a filter", (db) => db.from("plays").select("*", { ...exact, head: true }).gte("year", 2000),
  { count: plays.filter((p) => p.year >= 2000).length, data: null });
check(house, "neither rows nor a count", (db) => db.from("plays").select("*", { head: true }), { count: null, data: null, status: 200 });
check(house, "with a tree of conditions", (db) => db.from("plays").select("id", exact).or("id.eq.1,genre.eq.satire"), { count: 3 });
check(house, "of another table", (db) => db.from("authors").select("id", exact), { count: authors.length });
check(house, "of the first page of a range", (db) => db.from("plays").select("id", exact).range(0, 3), { count: plays.length, data: pick(plays.slice(0, 4), "id") });
check(house, "of a page in the middle", (db) => db.from("plays").select("id", exact).range(2, 3), { count: plays.length, data: [{ id: 3 }, { id: 4 }] });
check(house, "of one row as an object", (db) => db.from("plays").select("id", exact).eq("id", 4).single(), { count: 1, data: { id: 4 } });
check(house, "with lines instead of rows", (db) => db.from("actors").select("id").csv(), { count: null, data: "id\r\n1\r\n2\r\n3\r\n4\r\n" });
check(house, "a count that the route does not give is refused", (db) => db.from("actors").select("id", exact),
  { status: 400, count: null, error: { code: "PGRST122", message: /count|exact/ } });
for (const count of ["planned", "estimated"]) {
  test(`${count}, which is a number and need not be the right one`, async () => {
    const result = await house.client().from("plays").select("id", { count });
    compare(result, { data: pick(plays, "id") });
    assert.ok(Number.isInteger(result.count) || result.count === null || Number.isNaN(result.count), String(result.count));
  });
}
test("what was written is counted by the next question", async () => {
  const db = house.client();
  const counted = async () => (await db.from("bookings").select("id", { ...exact, head: true })).count;
  const before = await counted();
  compare(await db.from("bookings").insert([{ code: "count-1", holder: "a" }, { code: "count-2", holder: "b" }]), { status: 201 });
  assert.equal(await counted(), before + 2);
  compare(await db.from("bookings").delete().like("code", "count-%"), { error: null });
  assert.equal(await counted(), before);
});
