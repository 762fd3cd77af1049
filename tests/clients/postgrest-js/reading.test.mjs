// Reading: which columns, under which names, and what values look like.

import { Playhouse, check, compare, pick, test } from "./playhouse.mjs";
import { actors, authors, plays, roles } from "./rows.mjs";

const house = Playhouse.open();
const reads = (name, query, data, more = {}) => check(house, name, query, { data, status: 200, count: null, ...more });

reads("everything, in the order of the route", (db) => db.from("plays").select(), plays);
reads("a star is everything", (db) => db.from("authors").select("*"), authors);
reads("some columns", (db) => db.from("plays").select("id,title"), pick(plays, "id", "title"));
reads("columns come in the order in which they are named", async (db) => {
  const result = await db.from("actors").select("nick,name,id");
  return { ...result, data: result.data.map((row) => Object.keys(row)) };
}, actors.map(() => ["nick", "name", "id"]));
reads("spaces and line ends between columns do not count", (db) => db.from("plays").select(`
    id,
    title , year
  `), pick(plays, "id", "title", "year"));
reads("a column under another name", (db) => db.from("plays").select("key:id,called:title"),
  plays.map(({ id, title }) => ({ key: id, called: title })));
reads("a column twice, under two names", (db) => db.from("actors").select("a:id,b:id").limit(1), [{ a: 1, b: 1 }]);
reads("a name in quotes", (db) => db.from("actors").select('"id","name"'), pick(actors, "id", "name"));
reads("texts of any script, with quotes and commas", (db) => db.from("authors").select("name").eq("id", 3), [{ name: "Chiyo Mori 森" }]);
reads("quotes in texts", (db) => db.from("plays").select("title").eq("id", 7), [{ title: '"Quoted"' }]);
reads("numbers, whole and broken, and none at all", (db) => db.from("plays").select("id,year,rating"), pick(plays, "id", "year", "rating"));
reads("true and false", (db) => db.from("plays").select("is_open"), pick(plays, "is_open"));
reads("documents, as documents", (db) => db.from("plays").select("id,notes"), pick(plays, "id", "notes"));
reads("a table whose key has two columns", (db) => db.from("roles").select(), roles);
reads("nothing, as an empty list", (db) => db.from("plays").select().eq("id", 99), []);
reads("a route that shows some columns shows those", (db) => db.from("programme").select(),
  [...pick(plays, "id", "title", "genre")].sort((a, b) => (a.title < b.title ? -1 : 1)).slice(0, 3));

test("the same question again has the same answer, from the cache", async () => {
  const seen = [];
  const db = house.client({ fetch: async (...words) => {
    const answer = await fetch(...words);
    seen.push(answer.headers.get("x-cache"));
    return answer;
  } });
  for (const _ of [1, 2]) compare(await db.from("actors").select("id,name"), { data: pick(actors, "id", "name") });
  if (seen.join() !== "MISS,HIT") throw new Error(seen.join());
});

check(house, "a column that is not there is named", (db) => db.from("plays").select("id,titel"),
  { status: 400, error: { code: "42703", message: /titel/ } });
check(house, "a column that the route does not show is not there", (db) => db.from("programme").select("id,year"),
  { status: 400, error: { code: "42703", message: /year/ } });
check(house, "a table that is not there", (db) => db.from("nowhere").select(),
  { status: 404, error: { code: "PGRST205", message: /.+/ } });
