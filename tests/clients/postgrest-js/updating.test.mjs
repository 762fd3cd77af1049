// Updates.

import { Playhouse, check, compare, test } from "./playhouse.mjs";

const house = Playhouse.open();
const bookings = () => house.client({ schema: "public" }).from("bookings");
const kept = (code, columns = "code,seats") => bookings().select(columns).like("code", `${code}-%`).order("code");

/** A case with rows `NAME-1`, `NAME-2` and so on. */
const withRows = (name, count, what, work) => test(what, async () => {
  const rows = Array.from({ length: count }, (_, at) => ({ code: `${name}-${at + 1}`, holder: name, seats: at + 1 }));
  compare(await bookings().insert(rows), { status: 201 });
  await work();
});

withRows("filter", 3, "the rows that a filter leaves, and they come back", async () => {
  compare(await bookings().update({ seats: 8 }).eq("holder", "filter").gte("seats", 2).select("code,seats"),
    { status: 200, data: [{ code: "filter-2", seats: 8 }, { code: "filter-3", seats: 8 }] });
  compare(await kept("filter"), { data: [{ code: "filter-1", seats: 1 }, { code: "filter-2", seats: 8 }, { code: "filter-3", seats: 8 }] });
});
withRows("quiet", 2, "without asking for rows back", async () => {
  compare(await bookings().update({ paid: true, price: 9.5 }).eq("code", "quiet-1"), { error: null });
  compare(await kept("quiet", "code,paid,price"), { data: [{ code: "quiet-1", paid: true, price: 9.5 }, { code: "quiet-2", paid: false, price: null }] });
});
withRows("null", 2, "to null", async () => {
  compare(await bookings().update({ note: "x" }).eq("holder", "null"), { error: null });
  compare(await bookings().update({ note: null }).eq("code", "null-1").select("code,note"), { data: [{ code: "null-1", note: null }] });
  compare(await kept("null", "note"), { data: [{ note: null }, { note: "x" }] });
});
withRows("several", 3, "by several conditions", async () => {
  compare(await bookings().update({ note: "hit" }).eq("holder", "several").in("seats", [1, 3]).neq("code", "several-3").select("code"), { data: [{ code: "several-1" }] });
});
withRows("tree", 3, "by a tree of conditions", async () => {
  compare(await bookings().update({ note: "hit" }).eq("holder", "tree").or("seats.eq.1,seats.eq.3").select("code"), { data: [{ code: "tree-1" }, { code: "tree-3" }] });
});
withRows("names", 1, "some columns come back, under other names", async () => {
  compare(await bookings().update({ seats: 5 }).eq("code", "names-1").select("key:code"), { data: [{ key: "names-1" }] });
});
withRows("nothing", 1, "nothing is left by the filter", async () => {
  compare(await bookings().update({ seats: 5 }).eq("code", "nobody").select(), { status: 200, data: [] });
  compare(await kept("nothing"), { data: [{ code: "nothing-1", seats: 1 }] });
});
withRows("object", 1, "as one object", async () => {
  compare(await bookings().update({ seats: 6 }).eq("code", "object-1").select("code,seats").single(), { data: { code: "object-1", seats: 6 } });
});
withRows("most", 2, "as many as may be affected", async () => {
  compare(await bookings().update({ seats: 7 }).eq("holder", "most").maxAffected(2).select("seats"), { data: [{ seats: 7 }, { seats: 7 }] });
});
withRows("more", 2, "more than may be affected, and nothing is written", async () => {
  compare(await bookings().update({ seats: 7 }).eq("holder", "more").maxAffected(1).select(), { status: 400, error: { code: "PGRST124" } });
  compare(await kept("more", "seats"), { data: [{ seats: 1 }, { seats: 2 }] });
});
withRows("counted", 3, "rows are counted, if that is asked for", async () => {
  compare(await bookings().update({ note: "n" }, { count: "exact" }).eq("holder", "counted"), { count: 3, error: null });
});
withRows("rule", 2, "a rule that is broken, and nothing is written", async () => {
  compare(await bookings().update({ seats: 9 }).eq("holder", "rule"), { status: 422, error: { code: "23514" } });
  compare(await bookings().update({ code: "rule-1" }).eq("code", "rule-2"), { status: 409, error: { code: "23505", message: /code/ } });
  compare(await bookings().update({ play_id: 99 }).eq("holder", "rule"), { status: 409, error: { code: "23503" } });
  compare(await bookings().update({ holder: null }).eq("code", "rule-1"), { status: 422, error: { code: "23502", message: /holder/ } });
  compare(await kept("rule", "code,seats,play_id"), { data: [{ code: "rule-1", seats: 1, play_id: null }, { code: "rule-2", seats: 2, play_id: null }] });
});
withRows("fresh", 1, "what is read is what was just written", async () => {
  for (const seats of [2, 3, 4, 5]) {
    compare(await bookings().update({ seats }).eq("code", "fresh-1"), { error: null });
    compare(await bookings().select("seats").eq("code", "fresh-1").single(), { data: { seats } });
  }
});
withRows("undone", 1, "undone, if that is asked for", async () => {
  compare(await bookings().update({ seats: 8 }).eq("code", "undone-1").select("seats").rollback(), { data: [{ seats: 8 }] });
  compare(await kept("undone", "seats"), { data: [{ seats: 1 }] });
});

check(house, "without any condition it is refused", (db) => db.from("bookings").update({ seats: 2 }), { status: 400, error: { message: /.+/ } });
check(house, "a column that is not there", (db) => db.from("bookings").update({ seets: 2 }).eq("id", 1), { error: { code: "PGRST204", message: /seets/ } });
check(house, "a value of another type", (db) => db.from("bookings").update({ seats: "two" }).eq("id", 1), { status: 422, error: { code: "22P02", message: /seats/ } });
check(house, "nothing to set", (db) => db.from("bookings").update({}).eq("id", 1), { status: 422, error: { message: /.+/ } });
check(house, "a route that takes no changes", (db) => db.from("plays").update({ title: "No" }).eq("id", 1), { status: 405, error: { code: "PGRST117" } });
