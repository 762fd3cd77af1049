// Order, limits and ranges.

import { Playhouse, check, pick, sorted } from "./playhouse.mjs";
import { actors, authors, plays } from "./rows.mjs";

const house = Playhouse.open();
const ids = (rows) => pick(rows, "id");
const lists = (name, query, rows) =>
  check(house, name, (db) => query(db.from("plays").select("id")), { data: ids(rows), status: 200 });

lists("by a number, least first", (q) => q.order("year"), sorted(plays, "year"));
lists("by a number, largest first", (q) => q.order("year", { ascending: false }), sorted(plays, "year", -1));
lists("by a text", (q) => q.order("title"), sorted(plays, "title"));
lists("by a text, backwards", (q) => q.order("title", { ascending: false }), sorted(plays, "title", -1));
lists("by the key, backwards", (q) => q.order("id", { ascending: false }), [...plays].reverse());
lists("by two columns", (q) => q.order("genre").order("title"),
  [...plays].sort((a, b) => (a.genre === b.genre ? (a.title < b.title ? -1 : 1) : a.genre < b.genre ? -1 : 1)));
lists("by two columns, in two directions", (q) => q.order("genre").order("year", { ascending: false }),
  [...plays].sort((a, b) => (a.genre === b.genre ? b.year - a.year : a.genre < b.genre ? -1 : 1)));
lists("by a truth, backwards, and the key", (q) => q.order("is_open", { ascending: false }).order("id"),
  [...plays.filter((p) => p.is_open), ...plays.filter((p) => !p.is_open)]);
lists("what is NULL last, if it is said", (q) => q.order("rating", { nullsFirst: false }).order("id"),
  [...sorted(plays.filter((p) => p.rating !== null), "rating"), ...plays.filter((p) => p.rating === null)]);
lists("what is NULL first, if it is said", (q) => q.order("rating", { nullsFirst: true }).order("id"),
  [...plays.filter((p) => p.rating === null), ...sorted(plays.filter((p) => p.rating !== null), "rating")]);
lists("largest first and what is NULL last", (q) => q.order("rating", { ascending: false, nullsFirst: false }).order("id"),
  [...sorted(plays.filter((p) => p.rating !== null), "rating", -1), ...plays.filter((p) => p.rating === null)]);
check(house, "by a column that may be NULL, of another table", (db) => db.from("authors").select("id").order("born", { nullsFirst: false }),
  { data: ids([...sorted(authors.filter((a) => a.born), "born"), ...authors.filter((a) => !a.born)]) });

lists("a limit", (q) => q.limit(3), plays.slice(0, 3));
lists("a limit with an order", (q) => q.order("year", { ascending: false }).limit(2), sorted(plays, "year", -1).slice(0, 2));
lists("a limit larger than what there is", (q) => q.limit(500), plays);
lists("a range from the start", (q) => q.range(0, 2), plays.slice(0, 3));
lists("a range of one", (q) => q.range(0, 0), plays.slice(0, 1));
lists("a range in the middle", (q) => q.range(2, 4), plays.slice(2, 5));
lists("a range in the middle of a sort", (q) => q.order("title").range(3, 5), sorted(plays, "title").slice(3, 6));
lists("a range that goes beyond the end", (q) => q.range(6, 20), plays.slice(6));
lists("a range with a filter", (q) => q.eq("is_open", true).range(1, 3), plays.filter((p) => p.is_open).slice(1, 4));
lists("a range behind the end, which is empty", (q) => q.range(50, 59), []);
check(house, "ranges side by side have every row once", async (db) => {
  const data = [];
  for (let from = 0; from < 9; from += 3) {
    const page = await db.from("plays").select("id").order("rating", { nullsFirst: true }).order("id").range(from, from + 2);
    if (page.error) return page;
    data.push(...page.data);
  }
  return { data, error: null };
}, { data: ids([...plays.filter((p) => p.rating === null), ...sorted(plays.filter((p) => p.rating !== null), "rating")]) });
check(house, "the route's own page, where no limit is asked for", (db) => db.from("programme").select("id"),
  { data: ids(sorted(plays, "title").slice(0, 3)) });
check(house, "a limit beyond what the route allows is refused and not cut", (db) => db.from("programme").select("id").limit(6),
  { status: 400, error: { code: "PGRST100", message: /limit|5/ } });
check(house, "an order that the route does not have", (db) => db.from("actors").select("id").order("surname"),
  { status: 400, error: { code: "42703", message: /surname/ } });
check(house, "pages by the route's own links", async (db) => {
  const data = [];
  let target = "programme?select=id";
  for (let pages = 0; target && pages < 10; pages += 1) {
    let link = null;
    const follow = house.client({ fetch: async (...words) => {
      const answer = await fetch(...words);
      link = answer.headers.get("link");
      return answer;
    } });
    const [table, query] = target.split("?");
    let asked = follow.from(table).select("id");
    const cursor = new URLSearchParams(query).get("cursor");
    if (cursor) asked.url.searchParams.set("cursor", cursor);
    const page = await asked;
    if (page.error) return page;
    data.push(...page.data);
    target = link?.match(/<([^>]*)>; rel="next"/)?.[1].split("/").pop();
  }
  return { data, error: null };
}, { data: ids(sorted(plays, "title")) });
check(house, "a single page of all actors by name", (db) => db.from("actors").select().order("name", { ascending: false }),
  { data: sorted(actors, "name", -1) });
