// The rows of the app's schema, for cases to reckon with: what a query should give is computed from these.

const play = (id, title, year, genre, rating, minutes, is_open, notes, author_id) =>
  ({ id, title, year, genre, rating, minutes, is_open, notes, author_id });

export const plays = [
  play(1, "The Glass Orchard", 1962, "drama", 8.5, 140, true,
    { acts: 3, tags: ["garden", "family"], premiere: { city: "Lund", sold: null } }, 1),
  play(2, "Rain, Mostly", 1971, "comedy", 7.25, 95, true, null, 1),
  play(3, "Night Ferry", 1983, "drama", null, 120, false, { acts: 2, tags: ["sea"] }, 2),
  play(4, "A Fool (Twice)", 1994, "comedy", 6.5, 90, true, null, 2),
  play(5, "Paper Moon Tax", 2003, "satire", 9, 80, true, { acts: 1, premiere: { city: "Kyoto" } }, 3),
  play(6, "Untitled 100%", 2011, "satire", 5.75, 60, false, null, 4),
  play(7, '"Quoted"', 2015, "drama", 7.25, 110, true, null, 3),
  play(8, "snow_line", 2019, "mystery", 8, 100, true, null, null),
];

const author = (id, name, born, country) => ({ id, name, born, country });

export const authors = [
  author(1, "Ada Lindqvist", 1931, "SE"),
  author(2, "Bruno Okafor", 1948, "NG"),
  author(3, "Chiyo Mori 森", 1970, "JP"),
  author(4, "Anonymous", null, null),
];

export const actors = [
  { id: 1, name: "Ines Varga", nick: "Ini" },
  { id: 2, name: "Joon Park", nick: null },
  { id: 3, name: "Kofi Mensah", nick: "Big K" },
  { id: 4, name: "Lena Roth", nick: null },
];

const role = (play_id, actor_id, part) => ({ play_id, actor_id, part });

export const roles = [
  role(1, 1, "Mother"),
  role(1, 2, "Son"),
  role(2, 1, "Clerk"),
  role(3, 3, "Captain"),
  role(5, 2, "Taxman"),
  role(5, 3, "Moon"),
  role(5, 4, "Printer"),
  role(7, 4, "Editor"),
];
