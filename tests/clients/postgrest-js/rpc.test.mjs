// `rpc` with `get`: declared queries, which are read like functions.

import { Playhouse, check } from "./playhouse.mjs";

const house = Playhouse.open();
const get = { get: true };
const totals = [["comedy", 2, 1971], ["drama", 3, 1962], ["mystery", 1, 2019], ["satire", 2, 2003]]
  .map(([genre, plays, earliest]) => ({ genre, plays, earliest }));

check(house, "without arguments", (db) => db.rpc("genre_totals", {}, get), { data: totals, status: 200 });
check(house, "with an argument", (db) => db.rpc("genre_totals", { since: 2003 }, get),
  { data: [{ genre: "drama", plays: 1, earliest: 2015 }, { genre: "mystery", plays: 1, earliest: 2019 }, { genre: "satire", plays: 2, earliest: 2003 }] });
check(house, "an argument that is left out", (db) => db.rpc("genre_totals", { since: undefined }, get), { data: totals });
check(house, "that gives one row, as an object", (db) => db.rpc("longest_play", { genre: "comedy" }, get), { data: { id: 2, title: "Rain, Mostly", minutes: 95 } });
check(house, "that gives no row", (db) => db.rpc("longest_play", { genre: "opera" }, get), { status: 404, error: { code: "PGRST116" } });
check(house, "a text that SQL would trip over", (db) => db.rpc("longest_play", { genre: "'; drop table plays; --" }, get), { status: 404, error: { code: "PGRST116" } });
check(house, "one row of several is refused", (db) => db.rpc("genre_totals", {}, get).single(), { status: 406, error: { code: "PGRST116" } });
check(house, "one row", (db) => db.rpc("genre_totals", { since: 2016 }, get).single(), { data: { genre: "mystery", plays: 1, earliest: 2019 } });
check(house, "an argument of another type", (db) => db.rpc("genre_totals", { since: "soon" }, get), { status: 400, error: { code: "22P02", message: /since|soon/ } });
check(house, "an argument that is not there", (db) => db.rpc("genre_totals", { until: 1 }, get), { status: 400, error: { message: /until/ } });
check(house, "an argument that is missing", (db) => db.rpc("longest_play", {}, get), { status: 400, error: { message: /genre/ } });
check(house, "without rows", (db) => db.rpc("genre_totals", {}, { head: true }), { data: null, status: 200 });
check(house, "by POST, which declared queries do not take", (db) => db.rpc("genre_totals", {}), { status: 405, error: { code: "PGRST117" } });
check(house, "a function that is not there", (db) => db.rpc("nothing", {}, get), { status: 404, error: { message: /.+/ } });
