// Embeds: rows of other tables inside of rows, to one and to many, nested, filtered, ordered and cut.

import { Playhouse, check, pick } from "./playhouse.mjs";
import { actors, authors, plays, roles } from "./rows.mjs";

const house = Playhouse.open();
const reads = (name, query, data) => check(house, name, query, { data, status: 200 });
const authorOf = (play) => authors.find((author) => author.id === play.author_id) ?? null;
const playsOf = (author) => plays.filter((play) => play.author_id === author.id);
const rolesOf = (play) => roles.filter((role) => role.play_id === play.id);
const only = (row, ...names) => row && pick([row], ...names)[0];

reads("the one row that a row belongs to", (db) => db.from("plays").select("id, authors(name)"),
  plays.map((play) => ({ id: play.id, authors: only(authorOf(play), "name") })));
reads("the rows that belong to a row", (db) => db.from("authors").select("id, plays(id, title)"),
  authors.map((author) => ({ id: author.id, plays: pick(playsOf(author), "id", "title") })));
reads("everything of both", (db) => db.from("plays").select("*, authors(*)"), plays.map((play) => ({ ...play, authors: authorOf(play) })));
reads("under another name", (db) => db.from("plays").select("id, writer:authors(name)"),
  plays.map((play) => ({ id: play.id, writer: only(authorOf(play), "name") })));
reads("by the column that refers to it", (db) => db.from("plays").select("id, writer:author_id(name)"),
  plays.map((play) => ({ id: play.id, writer: only(authorOf(play), "name") })));
reads("by a named reference", (db) => db.from("plays").select("id, authors!author_id(name)"),
  plays.map((play) => ({ id: play.id, authors: only(authorOf(play), "name") })));
reads("columns of an embed under other names", (db) => db.from("authors").select("who:name, works:plays(called:title)"),
  authors.map((author) => ({ who: author.name, works: playsOf(author).map((play) => ({ called: play.title })) })));
reads("nested: of the rows of a row", (db) => db.from("authors").select("id, plays(id, roles(part))").eq("id", 1),
  [{ id: 1, plays: playsOf(authors[0]).map((play) => ({ id: play.id, roles: pick(rolesOf(play), "part") })) }]);
reads("nested up and down", (db) => db.from("roles").select("part, plays(title, authors(name))").eq("actor_id", 3),
  roles.filter((role) => role.actor_id === 3).map((role) => {
    const play = plays.find(({ id }) => id === role.play_id);
    return { part: role.part, plays: { title: play.title, authors: { name: authorOf(play).name } } };
  }));
reads("through a table of pairs", (db) => db.from("plays").select("id, actors(name)").eq("id", 5),
  [{ id: 5, actors: roles.filter((role) => role.play_id === 5).map((role) => only(actors.find(({ id }) => id === role.actor_id), "name")) }]);
reads("two of one row", (db) => db.from("plays").select("id, authors(name), roles(part)").in("id", [1, 8]),
  plays.filter(({ id }) => [1, 8].includes(id)).map((play) => ({ id: play.id, authors: only(authorOf(play), "name"), roles: pick(rolesOf(play), "part") })));
reads("only rows that have one", (db) => db.from("plays").select("id, authors!inner(name)"),
  plays.filter(authorOf).map((play) => ({ id: play.id, authors: only(authorOf(play), "name") })));
reads("only rows that have some", (db) => db.from("plays").select("id, roles!inner(part)"),
  plays.filter((play) => rolesOf(play).length > 0).map((play) => ({ id: play.id, roles: pick(rolesOf(play), "part") })));
reads("a filter of what is embedded leaves the rows around it", (db) => db.from("authors").select("id, plays(id)").eq("plays.genre", "drama"),
  authors.map((author) => ({ id: author.id, plays: pick(playsOf(author).filter((play) => play.genre === "drama"), "id") })));
reads("a filter of what is embedded, and only rows that have some", (db) => db.from("authors").select("id, plays!inner(id)").eq("plays.genre", "drama"),
  authors.map((author) => ({ id: author.id, plays: pick(playsOf(author).filter((play) => play.genre === "drama"), "id") }))
    .filter((author) => author.plays.length > 0));
reads("a filter of the row that a row belongs to", (db) => db.from("plays").select("id, authors!inner(country)").eq("authors.country", "NG"),
  plays.filter((play) => authorOf(play)?.country === "NG").map((play) => ({ id: play.id, authors: { country: "NG" } })));
reads("a tree of conditions on what is embedded", (db) => db.from("authors").select("id, plays(id)").or("genre.eq.satire,year.lt.1970", { referencedTable: "plays" }),
  authors.map((author) => ({ id: author.id, plays: pick(playsOf(author).filter((play) => play.genre === "satire" || play.year < 1970), "id") })));
reads("what is embedded, in order", (db) => db.from("authors").select("id, plays(id)").order("year", { referencedTable: "plays", ascending: false }),
  authors.map((author) => ({ id: author.id, plays: pick([...playsOf(author)].sort((a, b) => b.year - a.year), "id") })));
reads("what is embedded, cut", (db) => db.from("authors").select("id, plays(id)").limit(1, { referencedTable: "plays" }),
  authors.map((author) => ({ id: author.id, plays: pick(playsOf(author).slice(0, 1), "id") })));
reads("what is embedded, in order and cut", (db) => db.from("authors").select("id, plays(id)")
  .order("year", { referencedTable: "plays", ascending: false }).limit(1, { referencedTable: "plays" }),
  authors.map((author) => ({ id: author.id, plays: pick([...playsOf(author)].sort((a, b) => b.year - a.year).slice(0, 1), "id") })));
reads("rows that have none, by a filter on the embed itself", (db) => db.from("plays").select("id, authors(name)").is("authors", null),
  plays.filter((play) => !authorOf(play)).map((play) => ({ id: play.id, authors: null })));
reads("rows that have one, by a filter on the embed itself", (db) => db.from("plays").select("id, authors(name)").not("authors", "is", null),
  plays.filter(authorOf).map((play) => ({ id: play.id, authors: only(authorOf(play), "name") })));
reads("an embed with nothing in it filters and shows nothing", (db) => db.from("plays").select("id, authors!inner()").eq("authors.country", "NG"),
  pick(plays.filter((play) => authorOf(play)?.country === "NG"), "id"));
reads("in the order of the row that a row belongs to", (db) => db.from("plays").select("id, authors!inner(name)").order("authors(name)", { ascending: false }).order("id"),
  plays.filter(authorOf).sort((a, b) => (authorOf(a).name === authorOf(b).name ? a.id - b.id : authorOf(a).name < authorOf(b).name ? 1 : -1))
    .map((play) => ({ id: play.id, authors: only(authorOf(play), "name") })));
reads("spread into the row", (db) => db.from("plays").select("id, ...authors(author:name)"),
  plays.map((play) => ({ id: play.id, author: authorOf(play)?.name ?? null })));
reads("with a single row as an object", (db) => db.from("plays").select("id, authors(name)").eq("id", 1).single(), { id: 1, authors: { name: "Ada Lindqvist" } });
reads("with a limit and a filter around it", (db) => db.from("plays").select("id, authors(name)").eq("genre", "drama").limit(2),
  plays.filter((play) => play.genre === "drama").slice(0, 2).map((play) => ({ id: play.id, authors: only(authorOf(play), "name") })));
check(house, "with a count, which is of the rows around it", (db) => db.from("authors").select("id, plays(id)", { count: "exact" }), { count: authors.length });

check(house, "a table that nothing leads to", (db) => db.from("authors").select("id, actors(name)"), { status: 400, error: { code: "PGRST200", message: /actors/ } });
check(house, "a column of an embed that is not there", (db) => db.from("plays").select("id, authors(nom)"), { status: 400, error: { code: "42703", message: /nom/ } });
check(house, "a filter of what is not embedded", (db) => db.from("plays").select("id").eq("authors.country", "NG"), { status: 400, error: { message: /authors/ } });

// Values in another type, and out of documents.
reads("a cast", (db) => db.from("plays").select("id, year::text").eq("id", 1), [{ id: 1, year: "1962" }]);
reads("a member of a document", (db) => db.from("plays").select("id, notes->acts"), plays.map((play) => ({ id: play.id, acts: play.notes?.acts ?? null })));
reads("a member of a document as text, under a name", (db) => db.from("plays").select("id, city:notes->premiere->>city"),
  plays.map((play) => ({ id: play.id, city: play.notes?.premiere?.city ?? null })));
reads("an element of a document", (db) => db.from("plays").select("id, first:notes->tags->>0").eq("id", 1), [{ id: 1, first: "garden" }]);
