// Deletes.

import { Playhouse, check, compare, test } from "./playhouse.mjs";

const house = Playhouse.open();
const bookings = () => house.client().from("bookings");
const kept = (name) => bookings().select("code").eq("holder", name).order("code");

/** A case with rows `NAME-1`, `NAME-2` and so on. */
const withRows = (name, count, what, work) => test(what, async () => {
  const rows = Array.from({ length: count }, (_, at) => ({ code: `${name}-${at + 1}`, holder: name, seats: at + 1 }));
  compare(await bookings().insert(rows), { status: 201 });
  await work();
});
const codes = (...names) => names.map((code) => ({ code }));

withRows("filter", 3, "the rows that a filter leaves", async () => {
  compare(await bookings().delete().eq("holder", "filter").gte("seats", 2), { status: 204, data: null });
  compare(await kept("filter"), { data: codes("filter-1") });
});
withRows("back", 2, "and they come back as they were", async () => {
  compare(await bookings().delete().eq("holder", "back").select("code,seats"), { status: 200, data: [{ code: "back-1", seats: 1 }, { code: "back-2", seats: 2 }] });
  compare(await kept("back"), { data: [] });
});
withRows("object", 1, "one comes back as an object", async () => {
  compare(await bookings().delete().eq("code", "object-1").select("code").single(), { data: { code: "object-1" } });
});
withRows("two", 2, "two that should be one are not deleted", async () => {
  compare(await bookings().delete().eq("holder", "two").select("code").single(), { status: 406, error: { code: "PGRST116" } });
  compare(await kept("two"), { data: codes("two-1", "two-2") });
});
withRows("list", 3, "by a list", async () => {
  compare(await bookings().delete().in("code", ["list-1", "list-3"]), { error: null });
  compare(await kept("list"), { data: codes("list-2") });
});
withRows("tree", 3, "by a tree of conditions", async () => {
  compare(await bookings().delete().eq("holder", "tree").or("seats.lt.2,seats.gt.2"), { error: null });
  compare(await kept("tree"), { data: codes("tree-2") });
});
withRows("none", 1, "nothing is left by the filter", async () => {
  compare(await bookings().delete().eq("code", "nobody").select(), { status: 200, data: [] });
  compare(await kept("none"), { data: codes("none-1") });
});
withRows("most", 2, "more than may be affected, and nothing is deleted", async () => {
  compare(await bookings().delete().eq("holder", "most").maxAffected(1).select(), { status: 400, error: { code: "PGRST124" } });
  compare(await kept("most"), { data: codes("most-1", "most-2") });
});
withRows("counted", 3, "rows are counted, if that is asked for", async () => {
  compare(await bookings().delete({ count: "exact" }).eq("holder", "counted"), { count: 3, error: null });
});
withRows("undone", 1, "undone, if that is asked for", async () => {
  compare(await bookings().delete().eq("holder", "undone").select("code").rollback(), { data: codes("undone-1") });
  compare(await kept("undone"), { data: codes("undone-1") });
});
withRows("again", 1, "what was read before is gone from the cache", async () => {
  compare(await kept("again"), { data: codes("again-1") });
  compare(await bookings().delete().eq("code", "again-1"), { error: null });
  compare(await kept("again"), { data: [] });
});
check(house, "without any condition it is refused", (db) => db.from("bookings").delete(), { status: 400, error: { message: /.+/ } });
check(house, "a column that is not there", (db) => db.from("bookings").delete().eq("kode", "x"), { status: 400, error: { code: "42703", message: /kode/ } });
check(house, "a route that takes no deletes", (db) => db.from("plays").delete().eq("id", 1), { status: 405, error: { code: "PGRST117" } });
