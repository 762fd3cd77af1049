-- Where people write.

create table bookings (
    id      integer primary key,
    code    text    not null unique,
    holder  text    not null,
    seats   integer not null default 1 check (seats between 1 and 8),
    price   double precision,
    paid    boolean not null default false,
    play_id integer references plays (id),
    note    text
);
