-- What both engines understand alike. Tables that count by themselves are in the file of each engine.

create table authors (
    id      integer primary key,
    name    text    not null,
    born    integer,
    country text
);

create table plays (
    id        integer primary key,
    title     text    not null,
    year      integer not null,
    genre     text    not null,
    rating    double precision,
    minutes   integer not null,
    is_open   boolean not null,
    notes     json,
    author_id integer references authors (id)
);

create index plays_by_author on plays (author_id, id);
create index plays_by_genre on plays (genre, year, id);
create index plays_by_title on plays (title, id);
create index plays_by_year on plays (year, id);

create table actors (
    id   integer primary key,
    name text not null,
    nick text
);

create table roles (
    play_id  integer not null references plays (id),
    actor_id integer not null references actors (id),
    part     text    not null,
    primary key (play_id, actor_id)
);

create index roles_by_actor on roles (actor_id, play_id);

insert into authors (id, name, born, country) values
    (1, 'Ada Lindqvist', 1931, 'SE'),
    (2, 'Bruno Okafor', 1948, 'NG'),
    (3, 'Chiyo Mori 森', 1970, 'JP'),
    (4, 'Anonymous', null, null);

insert into plays (id, title, year, genre, rating, minutes, is_open, notes, author_id) values
    (1, 'The Glass Orchard', 1962, 'drama', 8.5, 140, true,
        '{"acts":3,"tags":["garden","family"],"premiere":{"city":"Lund","sold":null}}', 1),
    (2, 'Rain, Mostly', 1971, 'comedy', 7.25, 95, true, null, 1),
    (3, 'Night Ferry', 1983, 'drama', null, 120, false, '{"acts":2,"tags":["sea"]}', 2),
    (4, 'A Fool (Twice)', 1994, 'comedy', 6.5, 90, true, null, 2),
    (5, 'Paper Moon Tax', 2003, 'satire', 9, 80, true, '{"acts":1,"premiere":{"city":"Kyoto"}}', 3),
    (6, 'Untitled 100%', 2011, 'satire', 5.75, 60, false, null, 4),
    (7, '"Quoted"', 2015, 'drama', 7.25, 110, true, null, 3),
    (8, 'snow_line', 2019, 'mystery', 8, 100, true, null, null);

insert into actors (id, name, nick) values
    (1, 'Ines Varga', 'Ini'),
    (2, 'Joon Park', null),
    (3, 'Kofi Mensah', 'Big K'),
    (4, 'Lena Roth', null);

insert into roles (play_id, actor_id, part) values
    (1, 1, 'Mother'),
    (1, 2, 'Son'),
    (2, 1, 'Clerk'),
    (3, 3, 'Captain'),
    (5, 2, 'Taxman'),
    (5, 3, 'Moon'),
    (5, 4, 'Printer'),
    (7, 4, 'Editor');
