// Upserts: rows that may be there already.

import { Playhouse, check, compare, test } from "./playhouse.mjs";

const house = Playhouse.open();
const bookings = () => house.client().from("bookings");
const kept = (code, columns = "id,holder,seats") => bookings().select(columns).like("code", `${code}%`).order("code");

test("a row that is not there is made", async () => {
  compare(await bookings().upsert({ id: 199, code: "new-1", holder: "Ada" }).select("id,code"), { data: [{ id: 199, code: "new-1" }] });
});
test("a row that is there is changed, and keeps what is not named", async () => {
  compare(await bookings().insert({ id: 198, code: "old-1", holder: "Ada", seats: 5 }), { status: 201 });
  compare(await bookings().upsert({ id: 198, code: "old-1", holder: "Bo" }).select("holder,seats"), { data: [{ holder: "Bo", seats: 5 }] });
  compare(await kept("old"), { data: [{ id: 198, holder: "Bo", seats: 5 }] });
});
test("some are there and some are not", async () => {
  compare(await bookings().insert({ id: 197, code: "mix-1", holder: "Ada" }), { status: 201 });
  const rows = [{ id: 197, code: "mix-1", holder: "Bo" }, { id: 196, code: "mix-2", holder: "Cy" }];
  compare(await bookings().upsert(rows).select("id,holder"), { data: [{ id: 197, holder: "Bo" }, { id: 196, holder: "Cy" }] });
  compare(await kept("mix", "id,holder"), { data: [{ id: 197, holder: "Bo" }, { id: 196, holder: "Cy" }] });
});
test("by another unique column", async () => {
  compare(await bookings().insert({ id: 195, code: "by-1", holder: "Ada" }), { status: 201 });
  compare(await bookings().upsert({ code: "by-1", holder: "Bo", seats: 2 }, { onConflict: "code" }).select("id,holder,seats"),
    { data: [{ id: 195, holder: "Bo", seats: 2 }] });
});
test("what is there stays as it is, if that is asked for", async () => {
  compare(await bookings().insert({ id: 194, code: "stay-1", holder: "Ada" }), { status: 201 });
  const rows = [{ id: 194, code: "stay-1", holder: "Bo" }, { id: 193, code: "stay-2", holder: "Bo" }];
  compare(await bookings().upsert(rows, { ignoreDuplicates: true }).select("id"), { data: [{ id: 193 }] });
  compare(await kept("stay", "holder"), { data: [{ holder: "Ada" }, { holder: "Bo" }] });
});
test("what is there stays, by another unique column", async () => {
  compare(await bookings().insert({ code: "keep-1", holder: "Ada" }), { status: 201 });
  compare(await bookings().upsert({ code: "keep-1", holder: "Bo" }, { onConflict: "code", ignoreDuplicates: true }).select(), { data: [] });
  compare(await kept("keep", "holder"), { data: [{ holder: "Ada" }] });
});
test("without asking for rows back", async () => {
  compare(await bookings().upsert([{ code: "quiet-1", holder: "Q" }], { onConflict: "code" }), { status: 201, error: null });
  compare(await bookings().upsert([{ code: "quiet-1", holder: "R" }], { onConflict: "code" }), { error: null });
  compare(await kept("quiet", "holder"), { data: [{ holder: "R" }] });
});
test("as one object", async () => {
  compare(await bookings().upsert({ code: "object-1", holder: "Q" }, { onConflict: "code" }).select("code,holder").single(), { data: { code: "object-1", holder: "Q" } });
});
test("what is left out has its default, if that is asked for", async () => {
  const rows = [{ code: "fill-1", holder: "A", seats: 3 }, { code: "fill-2", holder: "B" }];
  compare(await bookings().upsert(rows, { onConflict: "code", defaultToNull: false }).select("code,seats"), { data: [{ code: "fill-1", seats: 3 }, { code: "fill-2", seats: 1 }] });
});
test("rows are counted, if that is asked for", async () => {
  const rows = [{ code: "sum-1", holder: "A" }, { code: "sum-2", holder: "B" }];
  compare(await bookings().upsert(rows, { onConflict: "code", count: "exact" }), { count: 2, error: null });
});
test("another rule that a row breaks is told of, and nothing is written", async () => {
  compare(await bookings().insert([{ id: 192, code: "clash-1", holder: "A" }, { id: 191, code: "clash-2", holder: "A" }]), { status: 201 });
  compare(await bookings().upsert({ id: 192, code: "clash-2", holder: "B" }), { status: 409, error: { code: "23505" } });
  compare(await kept("clash", "id,holder"), { data: [{ id: 192, holder: "A" }, { id: 191, holder: "A" }] });
});
check(house, "a column that is not unique", (db) => db.from("bookings").upsert({ code: "x", holder: "A" }, { onConflict: "holder" }),
  { status: 400, error: { message: /holder|unique/ } });
check(house, "a column to tell rows apart by that is not there", (db) => db.from("bookings").upsert({ code: "x", holder: "A" }, { onConflict: "kode" }),
  { status: 400, error: { code: "PGRST204", message: /kode/ } });
