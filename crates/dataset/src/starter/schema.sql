-- The first schema file. It is applied once; write changes into a further file, such as 002-labels.sql.
create table tasks (
    id integer primary key,
    title text not null,
    state text not null default 'open' check (state in ('open', 'done')),
    due text, -- a date such as 2030-01-31
    created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);

-- `kasoku check` says which indexes the routes need.
create index tasks_by_state on tasks (state, id);
create index tasks_by_state_and_due on tasks (state, due, id);
create index tasks_by_due on tasks (due, id);

insert into tasks (title, state, due) values
    ('Read kasoku.toml', 'done', null),
    ('Add a column in schema/002-….sql', 'open', '2030-01-31'),
    ('Show it to somebody', 'open', '2030-02-28');
