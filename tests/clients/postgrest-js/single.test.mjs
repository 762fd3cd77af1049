// One row: `single` demands it, `maybeSingle` hopes for it.

import { Playhouse, assert, check, compare, test } from "./playhouse.mjs";
import { actors, plays } from "./rows.mjs";

const house = Playhouse.open();
const notOne = (rows) => ({ code: "PGRST116", details: new RegExp(`${rows} rows`), hint: null });

check(house, "single: the row", (db) => db.from("actors").select().eq("id", 2).single(), { data: actors[1], status: 200 });
check(house, "single: some columns of it", (db) => db.from("plays").select("title").eq("id", 5).single(), { data: { title: "Paper Moon Tax" } });
check(house, "single: none is refused", (db) => db.from("actors").select().eq("id", 99).single(), { status: 406, error: notOne(0) });
check(house, "single: several are refused", (db) => db.from("plays").select().eq("genre", "drama").single(), { status: 406, error: notOne(3) });
check(house, "single: one of several, by a limit", (db) => db.from("plays").select("id").order("year", { ascending: false }).limit(1).single(), { data: { id: 8 } });
check(house, "single: nulls are kept", (db) => db.from("authors").select().eq("id", 4).single(), { data: { id: 4, name: "Anonymous", born: null, country: null } });
check(house, "single: nulls are left out, if asked", (db) => db.from("authors").select().eq("id", 4).single().stripNulls(), { data: { id: 4, name: "Anonymous" } });
check(house, "maybeSingle: the row", (db) => db.from("actors").select().eq("id", 3).maybeSingle(), { data: actors[2], status: 200 });
check(house, "maybeSingle: none is null", (db) => db.from("actors").select().eq("id", 99).maybeSingle(), { data: null, error: null, status: 200 });
check(house, "maybeSingle: several are refused", (db) => db.from("plays").select().eq("genre", "drama").maybeSingle(), { status: 406, error: { code: "PGRST116" } });
check(house, "stripNulls: of a list", (db) => db.from("actors").select().stripNulls(),
  { data: actors.map(({ nick, ...rest }) => (nick === null ? rest : { ...rest, nick })) });
check(house, "stripNulls: of documents too", (db) => db.from("plays").select("notes").eq("id", 1).single().stripNulls(),
  { data: { notes: { ...plays[0].notes, premiere: { city: "Lund" } } } });

test("an object and a list of one are different answers, though the question is spelt alike", async () => {
  const ask = () => house.client().from("actors").select("id,name").eq("id", 1);
  const [object, list] = [{ id: 1, name: "Ines Varga" }, [{ id: 1, name: "Ines Varga" }]];
  for (const _ of [1, 2]) {
    compare(await ask(), { data: list });
    compare(await ask().single(), { data: object });
    compare(await ask().csv(), { data: "id,name\r\n1,Ines Varga\r\n" });
  }
});
test("a refusal of single is not what others get", async () => {
  const ask = () => house.client().from("plays").select("id").eq("genre", "satire");
  compare(await ask().single(), { status: 406, error: notOne(2) });
  compare(await ask(), { data: [{ id: 5 }, { id: 6 }], status: 200 });
  compare(await ask().single(), { status: 406, error: notOne(2) });
});
test("throwOnError throws what is otherwise given back", async () => {
  const failed = house.client().from("actors").select().eq("id", 99).single().throwOnError();
  await assert.rejects(async () => await failed, (error) => error.name === "PostgrestError" && error.code === "PGRST116");
});
test("single of a write: the row that was written", async () => {
  const db = house.client();
  const written = await db.from("bookings").insert({ code: "single-1", holder: "Ada" }).select("code,holder,seats").single();
  compare(written, { data: { code: "single-1", holder: "Ada", seats: 1 }, status: 201 });
});
test("single of a write that touches several rows undoes it", async () => {
  const db = house.client();
  const rows = ["a", "b"].map((letter) => ({ code: `single-${letter}`, holder: "Bo" }));
  compare(await db.from("bookings").insert(rows).select().single(), { status: 406, error: notOne(2) });
  compare(await db.from("bookings").select("code").eq("holder", "Bo"), { data: [] });
  compare(await db.from("bookings").insert(rows), { status: 201, error: null });
  compare(await db.from("bookings").update({ seats: 4 }).eq("holder", "Bo").select().single(), { status: 406, error: notOne(2) });
  compare(await db.from("bookings").select("seats").eq("holder", "Bo"), { data: [{ seats: 1 }, { seats: 1 }] });
  compare(await db.from("bookings").update({ seats: 4 }).eq("holder", "nobody").select().single(), { status: 406, error: notOne(0) });
  compare(await db.from("bookings").update({ seats: 4 }).eq("holder", "nobody").select().maybeSingle(), { data: null });
});
