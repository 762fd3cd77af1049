// Lines instead of rows.

import { Playhouse, check, compare, test } from "./playhouse.mjs";
import { roles } from "./rows.mjs";

const house = Playhouse.open();
const lines = (...rows) => rows.map((row) => `${row}\r\n`).join("");

check(house, "names first, then a line for each row", (db) => db.from("roles").select().csv(),
  { data: lines("play_id,actor_id,part", ...roles.map((role) => Object.values(role).join(","))), status: 200 });
check(house, "some columns, in the order in which they are named", (db) => db.from("plays").select("year,id").limit(2).csv(),
  { data: lines("year,id", "1962,1", "1971,2") });
check(house, "other names", (db) => db.from("plays").select("key:id").limit(1).csv(), { data: lines("key", "1") });
check(house, "NULL is nothing", (db) => db.from("authors").select("id,born,country").gte("id", 3).csv(), { data: lines("id,born,country", "3,1970,JP", "4,,") });
check(house, "commas and quotes are quoted", (db) => db.from("plays").select("title").in("id", [2, 4, 7]).csv(),
  { data: lines("title", '"Rain, Mostly"', "A Fool (Twice)", '"""Quoted"""') });
check(house, "truths and broken numbers", (db) => db.from("plays").select("is_open,rating").in("id", [3, 5, 6]).csv(),
  { data: /^is_open,rating\r\nfalse,\r\ntrue,9(\.0)?\r\nfalse,5\.75\r\n$/ });
check(house, "documents are their JSON", (db) => db.from("plays").select("notes").eq("id", 3).csv(),
  { data: lines("notes", '"{""acts"":2,""tags"":[""sea""]}"') });
check(house, "no rows are a line of names", (db) => db.from("plays").select("id,title").eq("id", 99).csv(), { data: lines("id,title") });
check(house, "texts of any script", (db) => db.from("authors").select("name").eq("id", 3).csv(), { data: lines("name", "Chiyo Mori 森") });
check(house, "with an order and a limit", (db) => db.from("plays").select("id").order("year", { ascending: false }).limit(3).csv(), { data: lines("id", 8, 7, 6) });
check(house, "of a query", (db) => db.rpc("genre_totals", { since: 2000 }, { get: true }).csv(),
  { data: lines("genre,plays,earliest", "drama,1,2015", "mystery,1,2019", "satire,2,2003") });
check(house, "an error is an error all the same", (db) => db.from("plays").select("nothing").csv(), { status: 400, error: { code: "42703" } });
test("of what was written", async () => {
  const db = house.client();
  const rows = [{ code: "csv-1", holder: 'says "hi"', note: "two\nlines" }, { code: "csv-2", holder: "", note: null }];
  compare(await db.from("bookings").insert(rows).select("code,holder,note").csv(),
    { data: lines("code,holder,note", 'csv-1,"says ""hi""","two\nlines"', 'csv-2,"",'), status: 201 });
});
