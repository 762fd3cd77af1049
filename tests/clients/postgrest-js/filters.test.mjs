// Filters: each method of the client that leaves rows out, against what the same condition leaves of the rows here.

import { Playhouse, check, pick } from "./playhouse.mjs";
import { actors, authors, plays, roles } from "./rows.mjs";

const house = Playhouse.open();

/** Plays that are left by a filter, and by the condition that it stands for. */
const leaves = (name, filter, condition) =>
  check(house, name, (db) => filter(db.from("plays").select("id,title")),
    { data: pick(plays.filter(condition), "id", "title"), status: 200 });
const refuses = (name, filter, error, status = 400) =>
  check(house, name, (db) => filter(db.from("plays").select("id")), { status, error });

leaves("eq on a number", (q) => q.eq("year", 1994), (p) => p.year === 1994);
leaves("eq on a text", (q) => q.eq("genre", "drama"), (p) => p.genre === "drama");
leaves("eq on a text with a comma", (q) => q.eq("title", "Rain, Mostly"), (p) => p.id === 2);
leaves("eq on a text with parentheses", (q) => q.eq("title", "A Fool (Twice)"), (p) => p.id === 4);
leaves("eq on a text with quotes", (q) => q.eq("title", '"Quoted"'), (p) => p.id === 7);
leaves("eq on a text with a percent sign", (q) => q.eq("title", "Untitled 100%"), (p) => p.id === 6);
leaves("eq on a truth", (q) => q.eq("is_open", false), (p) => !p.is_open);
leaves("eq on a broken number", (q) => q.eq("rating", 7.25), (p) => p.rating === 7.25);
leaves("eq that nothing is equal to", (q) => q.eq("genre", "opera"), () => false);
leaves("neq, which NULL is not", (q) => q.neq("rating", 7.25), (p) => p.rating !== null && p.rating !== 7.25);
leaves("gt", (q) => q.gt("year", 1994), (p) => p.year > 1994);
leaves("gte", (q) => q.gte("year", 1994), (p) => p.year >= 1994);
leaves("lt", (q) => q.lt("year", 1994), (p) => p.year < 1994);
leaves("lte", (q) => q.lte("year", 1994), (p) => p.year <= 1994);
leaves("gt and lt on one column", (q) => q.gt("year", 1970).lt("year", 2003), (p) => p.year > 1970 && p.year < 2003);
leaves("filters of several columns all hold", (q) => q.eq("genre", "drama").eq("is_open", true).gte("rating", 8),
  (p) => p.genre === "drama" && p.is_open && p.rating >= 8);
leaves("like with a beginning", (q) => q.like("title", "Pa%"), (p) => p.title.startsWith("Pa"));
leaves("like with a middle, in this case only", (q) => q.like("title", "%night%"), () => false);
leaves("like with a star", (q) => q.like("title", "*Ferry"), (p) => p.title.endsWith("Ferry"));
leaves("like with one character left open", (q) => q.like("title", "Night_Ferry"), (p) => p.id === 3);
leaves("ilike, in any case", (q) => q.ilike("title", "%NIGHT%"), (p) => /night/i.test(p.title));
leaves("is null", (q) => q.is("rating", null), (p) => p.rating === null);
leaves("is true", (q) => q.is("is_open", true), (p) => p.is_open);
leaves("is false", (q) => q.is("is_open", false), (p) => !p.is_open);
leaves("in a list of numbers", (q) => q.in("id", [2, 3, 99]), (p) => [2, 3].includes(p.id));
leaves("in a list of texts", (q) => q.in("genre", ["satire", "mystery"]), (p) => ["satire", "mystery"].includes(p.genre));
leaves("in a list of texts that have to be quoted", (q) => q.in("title", ["Rain, Mostly", "A Fool (Twice)", "Night Ferry"]),
  (p) => [2, 3, 4].includes(p.id));
leaves("in a list with a quote within a text", (q) => q.in("title", ['a"b', "snow_line"]), (p) => p.id === 8);
leaves("in a list that names something twice", (q) => q.in("id", [1, 1, 1]), (p) => p.id === 1);
leaves("in a list of one hundred", (q) => q.in("id", Array.from({ length: 100 }, (_, at) => at + 5)), (p) => p.id >= 5);
leaves("not eq", (q) => q.not("genre", "eq", "drama"), (p) => p.genre !== "drama");
leaves("not is null", (q) => q.not("author_id", "is", null), (p) => p.author_id !== null);
leaves("not in a list", (q) => q.not("id", "in", "(1,2,3)"), (p) => p.id > 3);
leaves("not like", (q) => q.not("title", "like", "%e%"), (p) => !p.title.includes("e"));
leaves("match, which is several eq", (q) => q.match({ genre: "comedy", is_open: true }), (p) => p.genre === "comedy" && p.is_open);
leaves("filter, by the operator's name", (q) => q.filter("year", "gte", 2011), (p) => p.year >= 2011);
leaves("or of two", (q) => q.or("genre.eq.satire,year.lt.1970"), (p) => p.genre === "satire" || p.year < 1970);
leaves("or beside a filter", (q) => q.or("id.eq.1,id.eq.6").eq("is_open", true), (p) => p.id === 1);
leaves("or of one", (q) => q.or("id.eq.5"), (p) => p.id === 5);
leaves("and within or", (q) => q.or("and(genre.eq.drama,is_open.is.true),id.eq.6"), (p) => (p.genre === "drama" && p.is_open) || p.id === 6);
leaves("not and within or", (q) => q.or("not.and(genre.eq.drama,is_open.is.true),id.eq.1"),
  (p) => !(p.genre === "drama" && p.is_open) || p.id === 1);
leaves("not within or", (q) => q.or("genre.not.eq.drama,id.eq.1"), (p) => p.genre !== "drama" || p.id === 1);
leaves("in within or", (q) => q.or("id.in.(1,2),genre.eq.mystery"), (p) => [1, 2, 8].includes(p.id));
leaves("quoted texts within or", (q) => q.or('title.eq."Rain, Mostly",title.eq."A Fool (Twice)"'), (p) => [2, 4].includes(p.id));
leaves("or twice, which both hold", (q) => q.or("id.eq.1,id.eq.2").or("id.eq.2,id.eq.3"), (p) => p.id === 2);

leaves("is not null, in one word", (q) => q.filter("rating", "is", "not_null"), (p) => p.rating !== null);
leaves("not in, as a method", (q) => q.notIn("id", [1, 2, 3]), (p) => p.id > 3);
leaves("not in a list of texts that have to be quoted", (q) => q.notIn("title", ["Rain, Mostly", "Night Ferry"]), (p) => ![2, 3].includes(p.id));
leaves("is distinct from a value, which NULL is", (q) => q.isDistinct("rating", 7.25), (p) => p.rating !== 7.25);
leaves("is distinct from a text", (q) => q.isDistinct("genre", "drama"), (p) => p.genre !== "drama");
leaves("like any of several", (q) => q.likeAnyOf("title", ["%Moon%", "%Ferry"]), (p) => [3, 5].includes(p.id));
leaves("like all of several", (q) => q.likeAllOf("title", ["%a%", "%M%"]), (p) => p.title.includes("a") && p.title.includes("M"));
leaves("ilike any of several", (q) => q.ilikeAnyOf("title", ["%moon%", "%FERRY"]), (p) => [3, 5].includes(p.id));
leaves("ilike all of several", (q) => q.ilikeAllOf("title", ["%A%", "%m%"]), (p) => /a/i.test(p.title) && /m/i.test(p.title));
leaves("eq any of several", (q) => q.filter("id", "eq(any)", "{1,8}"), (p) => [1, 8].includes(p.id));
leaves("lt all of several", (q) => q.filter("year", "lt(all)", "{1983,1990}"), (p) => p.year < 1983);
leaves("a text in a document", (q) => q.eq("notes->premiere->>city", "Kyoto"), (p) => p.notes?.premiere?.city === "Kyoto");
leaves("contains, of a document", (q) => q.contains("notes", { acts: 3 }), (p) => p.notes?.acts === 3);
leaves("contains, of a document in it", (q) => q.contains("notes", { premiere: { city: "Lund" } }), (p) => p.id === 1);
leaves("regular expression", (q) => q.regexMatch("title", "^[A-P].*y$"), (p) => /^[A-P].*y$/.test(p.title));
leaves("regular expression in any case", (q) => q.regexIMatch("title", "FERRY|MOON"), (p) => /ferry|moon/i.test(p.title));

check(house, "filters on a table without a key of one column", (db) => db.from("roles").select("part").eq("play_id", 5).neq("actor_id", 3),
  { data: pick(roles.filter((r) => r.play_id === 5 && r.actor_id !== 3), "part") });
check(house, "filters on a column that may be NULL", (db) => db.from("actors").select("id").not("nick", "is", null),
  { data: pick(actors.filter((a) => a.nick !== null), "id") });
check(house, "filters on a text of another script", (db) => db.from("authors").select("id").like("name", "%森"),
  { data: pick(authors.filter((a) => a.name.endsWith("森")), "id") });

refuses("a number that is none", (q) => q.eq("year", "soon"), { code: "22P02", message: /year|soon/ });
refuses("a truth that is none", (q) => q.eq("is_open", "perhaps"), { code: "22P02", message: /is_open|perhaps/ });
refuses("a column that is not there", (q) => q.eq("yeer", 1), { code: "42703", message: /yeer/ });
refuses("an operator that is not there", (q) => q.filter("year", "about", 1990), { code: "PGRST100", message: /about/ });
refuses("a tree that is not closed", (q) => q.or("id.eq.1,and(id.eq.2"), { code: "PGRST100", message: /.+/ });
refuses("a column within or that is not there", (q) => q.or("id.eq.1,yeer.eq.2"), { code: "42703", message: /yeer/ });
check(house, "a column that the route does not filter by", (db) => db.from("programme").select("id").eq("title", "x"),
  { status: 400, error: { code: "42703", message: /title/ } });
