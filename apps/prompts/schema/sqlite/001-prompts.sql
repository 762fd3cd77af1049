-- Prompts with their versions, what people think of them, and what came of running them. `schema/postgres/` says the same
-- for PostgreSQL. Times are whole seconds of UTC, written as PostgreSQL writes them, so that answers are alike.

create table categories (
    slug text primary key,
    name text not null
) strict, without rowid;

create table prompts (
    id         integer primary key,
    user_id    text    not null check (length(user_id) between 1 and 100),
    -- The version that this one was made from; the first version of a prompt has none.
    parent_id  integer references prompts (id) on delete set null,
    version    integer not null default 1 check (version >= 1),
    title      text    not null check (length(title) between 1 and 200),
    category   text    not null references categories (slug),
    status     text    not null default 'draft' check (status in ('draft', 'active', 'archived')),
    body       text    not null check (length(body) between 1 and 20000),
    tags       json    not null default '[]' check (json_valid(tags) and json_type(tags) = 'array'),
    -- Whether others may see it in the gallery.
    shared     boolean not null default false check (shared in (false, true)),
    -- The mean of its evaluations, without what is behind the point; triggers keep it.
    score      integer not null default 0 check (score between 0 and 100),
    created_at text    not null default (strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')),
    updated_at text    not null default (strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')),
    deleted_at text
);

create table evaluations (
    id         integer primary key,
    user_id    text    not null check (length(user_id) between 1 and 100),
    prompt_id  integer not null references prompts (id) on delete cascade,
    evaluator  text    not null default 'human' check (evaluator in ('human', 'model', 'rule')),
    score      integer not null check (score between 0 and 100),
    comment    text,
    created_at text    not null default (strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now'))
);

create table test_results (
    id            integer primary key,
    user_id       text    not null check (length(user_id) between 1 and 100),
    prompt_id     integer not null references prompts (id) on delete cascade,
    model         text    not null,
    passed        boolean not null check (passed in (false, true)),
    input_tokens  integer not null check (input_tokens >= 0),
    output_tokens integer not null check (output_tokens >= 0),
    latency_ms    integer not null check (latency_ms >= 0),
    -- Millionths of a dollar, whole, because sums of money should not be of doubles.
    cost_micros   integer not null default 0 check (cost_micros >= 0),
    output        text,
    ran_on        date    not null default (date('now'))
);

create table templates (
    id         integer primary key,
    user_id    text    not null check (length(user_id) between 1 and 100),
    name       text    not null unique check (length(name) between 1 and 100),
    category   text    not null references categories (slug),
    body       text    not null check (length(body) between 1 and 20000),
    variables  json    not null default '[]' check (json_valid(variables) and json_type(variables) = 'array'),
    created_at text    not null default (strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now')),
    deleted_at text
);

-- What lists are read along, each within the rows of one caller; each index ends in the key, which breaks ties, so that a
-- page begins where the last one ended. Deleted prompts are in none of them. Those that begin with a reference are for what
-- refers: the versions of a prompt, and what goes with it.
create index prompts_by_user on prompts (user_id, id) where deleted_at is null;
create index prompts_by_user_and_score on prompts (user_id, score, id) where deleted_at is null;
create index prompts_by_user_and_category on prompts (user_id, category, id) where deleted_at is null;
create index prompts_by_user_and_status on prompts (user_id, status, id) where deleted_at is null;
create index prompts_by_user_and_parent on prompts (user_id, parent_id, id) where deleted_at is null;
create index prompts_by_parent on prompts (parent_id, id);
create index prompts_to_show on prompts (category, score, id) where shared and status = 'active' and deleted_at is null;
create index evaluations_by_user on evaluations (user_id, id);
create index evaluations_by_user_and_score on evaluations (user_id, score, id);
create index evaluations_by_user_and_prompt on evaluations (user_id, prompt_id, id);
create index evaluations_by_prompt_and_score on evaluations (prompt_id, score);
create index test_results_by_user on test_results (user_id, id);
create index test_results_by_user_and_prompt on test_results (user_id, prompt_id, id);
create index test_results_by_prompt on test_results (prompt_id);
-- What the statistics add up, so that they read no row.
create index test_results_in_sums on test_results (user_id, ran_on, passed, prompt_id, cost_micros, input_tokens, output_tokens, latency_ms);
create index templates_by_name on templates (name, id) where deleted_at is null;
create index templates_by_category on templates (category, id) where deleted_at is null;
create index templates_by_category_and_name on templates (category, name, id) where deleted_at is null;
create index templates_by_user on templates (user_id, id) where deleted_at is null;

-- Whoever changes a prompt changes its time. The columns are named so that the trigger does not set itself off.
create trigger prompts_are_dated after update of title, category, status, body, tags, shared, deleted_at on prompts
begin
    update prompts set updated_at = strftime('%Y-%m-%dT%H:%M:%S+00:00', 'now') where id = new.id;
end;

create trigger evaluations_come after insert on evaluations
begin
    update prompts set score = (select sum(score) / count(*) from evaluations where prompt_id = new.prompt_id)
    where id = new.prompt_id;
end;

create trigger evaluations_change after update of score, prompt_id on evaluations
begin
    update prompts set score = (select coalesce(sum(score) / count(*), 0) from evaluations where prompt_id = prompts.id)
    where id in (old.prompt_id, new.prompt_id);
end;

create trigger evaluations_go after delete on evaluations
begin
    update prompts set score = (select coalesce(sum(score) / count(*), 0) from evaluations where prompt_id = old.prompt_id)
    where id = old.prompt_id;
end;

insert into categories (slug, name) values
    ('analysis', 'Analysis'), ('chat', 'Conversation'), ('code', 'Code'), ('extract', 'Extraction'),
    ('marketing', 'Marketing'), ('planning', 'Planning'), ('support', 'Support'), ('summary', 'Summaries'),
    ('teaching', 'Teaching 教育'), ('translate', 'Translation 翻訳'), ('vision', 'Images'), ('writing', 'Writing');
