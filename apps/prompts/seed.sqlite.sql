-- Makes the prompts numbered :first to :last, with ten test results and two evaluations each, and a template with every
-- 250th. The same number always makes the same rows, here and in `seed.postgres.sql`: each choice is taken from
-- the upper bits of a multiplicative hash. Four prompts in a row are the versions of one; a family has one owner and one
-- category.

with recursive
    numbers (n) as (
        select :first
        union all
        select n + 1 from numbers where n < :last
    ),
    hashed as (
        select n, (n - 1) % 4 as turn,
               (n * 2654435761) % 4294967296 / 65536 as own,
               ((n - 1) / 4 * 2246822519 + 374761393) % 4294967296 / 65536 as a,
               ((n - 1) / 4 * 3266489917 + 668265263) % 4294967296 / 65536 as b,
               ((n - 1) / 4 * 1540483477 + 1013904223) % 4294967296 / 65536 as c
        from numbers
    ),
    words as (
        select
            '["ada","akira","amara","bruno","chiyo","dmitri","elena","farid","greta","hana","ines","joon",
                "kofi","lena","mateo","noor","oskar","priya","ren","sofia"]' as first_names,
            '["aoyama","berg","costa","diallo","evans","fischer","garcia","haddad","ito","moreau"]' as last_names,
            '["analysis","chat","code","extract","marketing","planning","support","summary","teaching",
                "translate","vision","writing"]' as slugs,
            '["a careful analyst","a patient companion","a senior engineer","a precise archivist",
                "an honest copywriter","a calm project lead","a friendly support agent",
                "an editor with little time","a teacher of beginners","a translator who knows both cultures",
                "a curator who describes what is there","a novelist’s first reader"]' as roles,
            '["Read the input twice before you answer.",
                "Work through the input step by step, and keep the steps to yourself.",
                "Answer only from the input; say so when it does not hold the answer.",
                "Begin with the result, then give the reason in one sentence.",
                "Name what is missing before you guess."]' as tasks,
            '["Write in plain words.","Use at most 120 words.",
                "Answer as JSON with the members `answer` and `confidence`.",
                "Use a table if there are more than three facts.","Keep the tone of the input.",
                "Write for somebody who reads it on a phone."]' as styles,
            '["Never invent a number.","Quote the line that you rely on.","Leave names as they are spelt.",
                "If two answers are possible, give both.","Do not apologise.",
                "End with one question that would help."]' as rules,
            '["First version.","Shorter, after the first round of tests.",
                "Examples added; the order of the parts was confusing.","Stricter about sources."]' as revisions,
            '["draft","prod","json","short","long","team","jp","safety","eval","fast"]' as tags,
            '["input","document","question","message"]' as variables,
            '[["Compare quarterly figures","Find the outlier","Explain a trend","Weigh two options"],
            ["Small talk at the desk","Listen first","Interview a founder","Practise a hard talk"],
            ["Review a pull request","Write the missing test","Explain a stack trace","Rename for clarity"],
            ["Fields of an invoice","Dates and places","Names in a contract","Tables from a report"],
            ["Launch note","Subject lines","A landing page","Ask for a review"],
            ["Break down a goal","Plan a week","Risks before a release","Agenda for an hour"],
            ["Answer a refund request","Calm an angry letter","Route a ticket","Explain an outage"],
            ["Five lines of a paper","Minutes of a meeting","Thread to decision","Book in a page"],
            ["Fractions with bread 分数","A quiz on rivers","Correct an essay","Why the sky is blue"],
            ["Keigo for a letter 敬語","Menu to English","Idioms, not words","Subtitles that fit"],
            ["Alt text for a photo","Read a chart","Sort receipts","What changed between two images"],
            ["Opening paragraph","A kinder refusal","Dialogue of two","Haiku of the day 俳句"]]' as titles
    )
insert into prompts (id, user_id, parent_id, version, title, category, status, body, tags, shared, score,
    created_at, updated_at)
select
    n,
    json_extract(first_names, '$[' || (a % 20) || ']') || '-' || json_extract(last_names, '$[' || (b % 10) || ']'),
    case when turn = 0 then null else n - 1 end,
    turn + 1,
    json_extract(titles, '$[' || (c % 12) || '][' || (b / 7 % 4) || ']'),
    json_extract(slugs, '$[' || (c % 12) || ']'),
    case when turn = 3 then case when a / 16 % 10 < 8 then 'active' else 'draft' end else 'archived' end,
    'You are ' || json_extract(roles, '$[' || (c % 12) || ']') || '. ' || json_extract(tasks, '$[' || ((a + turn) % 5) || ']')
        || ' ' || json_extract(styles, '$[' || ((b + turn) % 6) || ']')
        || ' ' || json_extract(rules, '$[' || ((own + turn) % 6) || ']')
        || char(10) || char(10) || '{{' || json_extract(variables, '$[' || (b % 4) || ']') || '}}'
        || char(10) || char(10) || '-- ' || json_extract(revisions, '$[' || (turn) || ']'),
    '["' || json_extract(tags, '$[' || (b / 16 % 5) || ']') || '","' || json_extract(tags, '$[' || (5 + c / 16 % 5) || ']') || '"]',
    turn = 3 and a / 16 % 10 < 8 and c / 32 % 3 = 0,
    -- The mean of its two evaluations, below.
    ((40 + (n * 2 * 2654435761 + 97) % 4294967296 / 1024 % 61)
        + (40 + ((n * 2 - 1) * 2654435761 + 97) % 4294967296 / 1024 % 61)) / 2,
    strftime('%Y-%m-%dT%H:%M:%S+00:00', '2024-01-01',
        '+' || (a % 500 + turn * 9) || ' days', '+' || ((own * 7 + c) % 86400) || ' seconds'),
    strftime('%Y-%m-%dT%H:%M:%S+00:00', '2024-01-01',
        '+' || (a % 500 + turn * 9 + own % 30) || ' days', '+' || ((own * 7 + c) % 86400) || ' seconds')
from hashed, words
order by n;

with recursive
    numbers (n) as (
        select :first
        union all
        select n + 1 from numbers where n < :last
    ),
    turns (k) as (values (1), (2)),
    hashed as (
        select n, k, n * 2 - 2 + k as id,
               ((n * 2 - 2 + k) * 2654435761 + 97) % 4294967296 / 65536 as own,
               ((n * 2 - 2 + k) * 2654435761 + 97) % 4294967296 / 1024 as points,
               ((n - 1) / 4 * 2246822519 + 374761393) % 4294967296 / 65536 as a,
               ((n - 1) / 4 * 3266489917 + 668265263) % 4294967296 / 65536 as b
        from numbers cross join turns
    ),
    words as (
        select
            '["ada","akira","amara","bruno","chiyo","dmitri","elena","farid","greta","hana","ines","joon",
                "kofi","lena","mateo","noor","oskar","priya","ren","sofia"]' as first_names,
            '["aoyama","berg","costa","diallo","evans","fischer","garcia","haddad","ito","moreau"]' as last_names,
            '["human","model","rule"]' as evaluators,
            '["Clear and short.","Does what it says, mostly.","Too long for a phone.",
                "Misses the second question.","The examples help.","Surprisingly good with bad input.",
                "Needs a stricter format.","よくできています。"]' as comments
    )
insert into evaluations (id, user_id, prompt_id, evaluator, score, comment, created_at)
select
    id,
    json_extract(first_names, '$[' || (a % 20) || ']') || '-' || json_extract(last_names, '$[' || (b % 10) || ']'),
    n,
    json_extract(evaluators, '$[' || (own / 64 % 3) || ']'),
    40 + points % 61,
    case when own / 8 % 3 = 0 then null else json_extract(comments, '$[' || (own / 128 % 8) || ']') end,
    strftime('%Y-%m-%dT%H:%M:%S+00:00', '2025-01-01',
        '+' || (own % 300) || ' days', '+' || (own % 86400) || ' seconds')
from hashed, words
order by id;

with recursive
    numbers (n) as (
        select :first
        union all
        select n + 1 from numbers where n < :last
    ),
    turns (k) as (values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)),
    hashed as (
        select n, k, n * 10 - 10 + k as id,
               ((n * 10 - 10 + k) * 2654435761 + 131) % 4294967296 / 65536 as own,
               ((n * 10 - 10 + k) * 2246822519 + 977) % 4294967296 / 65536 as other,
               ((n - 1) / 4 * 2246822519 + 374761393) % 4294967296 / 65536 as a,
               ((n - 1) / 4 * 3266489917 + 668265263) % 4294967296 / 65536 as b
        from numbers cross join turns
    ),
    words as (
        select
            '["ada","akira","amara","bruno","chiyo","dmitri","elena","farid","greta","hana","ines","joon",
                "kofi","lena","mateo","noor","oskar","priya","ren","sofia"]' as first_names,
            '["aoyama","berg","costa","diallo","evans","fischer","garcia","haddad","ito","moreau"]' as last_names,
            '["atlas-large","atlas-small","borealis-2","cirrus-mini","delta-pro","ember-1"]' as models,
            '["As asked, in three sentences.","JSON as described, valid.",
                "Right, but twice as long as allowed.","The table has a column too many.",
                "Both answers, with the line that each relies on.",
                "It guessed a number that the input does not hold.",
                "Kept the tone; one name was spelt differently.","Good. ほぼ完璧。"]' as outputs
    )
insert into test_results (id, user_id, prompt_id, model, passed, input_tokens, output_tokens, latency_ms, cost_micros,
    output, ran_on)
select
    id,
    json_extract(first_names, '$[' || (a % 20) || ']') || '-' || json_extract(last_names, '$[' || (b % 10) || ']'),
    n,
    json_extract(models, '$[' || (own % 6) || ']'),
    other % 10 < 8,
    80 + own % 900,
    20 + other % 600,
    180 + own % 1000 * (other % 7 + 1) / 2,
    ((80 + own % 900) * 3 + (20 + other % 600) * 12) * (own % 6 + 1) / 10,
    json_extract(outputs, '$[' || (other / 32 % 8) || ']'),
    date('2025-01-01', '+' || (other / 4 % 365) || ' days')
from hashed, words
order by id;

with recursive
    numbers (n) as (
        select :first
        union all
        select n + 1 from numbers where n < :last
    ),
    hashed as (
        select n, n / 250 as id,
               (n / 250 * 2246822519 + 374761393) % 4294967296 / 65536 as a,
               (n / 250 * 3266489917 + 668265263) % 4294967296 / 65536 as b,
               (n / 250 * 1540483477 + 1013904223) % 4294967296 / 65536 as c
        from numbers where n % 250 = 0
    ),
    words as (
        select
            '["ada","akira","amara","bruno","chiyo","dmitri","elena","farid","greta","hana","ines","joon",
                "kofi","lena","mateo","noor","oskar","priya","ren","sofia"]' as first_names,
            '["aoyama","berg","costa","diallo","evans","fischer","garcia","haddad","ito","moreau"]' as last_names,
            '["analysis","chat","code","extract","marketing","planning","support","summary","teaching",
                "translate","vision","writing"]' as slugs,
            '[["Compare quarterly figures","Find the outlier","Explain a trend","Weigh two options"],
            ["Small talk at the desk","Listen first","Interview a founder","Practise a hard talk"],
            ["Review a pull request","Write the missing test","Explain a stack trace","Rename for clarity"],
            ["Fields of an invoice","Dates and places","Names in a contract","Tables from a report"],
            ["Launch note","Subject lines","A landing page","Ask for a review"],
            ["Break down a goal","Plan a week","Risks before a release","Agenda for an hour"],
            ["Answer a refund request","Calm an angry letter","Route a ticket","Explain an outage"],
            ["Five lines of a paper","Minutes of a meeting","Thread to decision","Book in a page"],
            ["Fractions with bread 分数","A quiz on rivers","Correct an essay","Why the sky is blue"],
            ["Keigo for a letter 敬語","Menu to English","Idioms, not words","Subtitles that fit"],
            ["Alt text for a photo","Read a chart","Sort receipts","What changed between two images"],
            ["Opening paragraph","A kinder refusal","Dialogue of two","Haiku of the day 俳句"]]' as titles
    )
insert into templates (id, user_id, name, category, body, variables, created_at)
select
    id,
    json_extract(first_names, '$[' || (a % 20) || ']') || '-' || json_extract(last_names, '$[' || (b % 10) || ']'),
    json_extract(titles, '$[' || (c % 12) || '][' || (b / 7 % 4) || ']') || ' #' || id,
    json_extract(slugs, '$[' || (c % 12) || ']'),
    'Context: {{input}}' || char(10) || 'Answer in the tone of {{tone}}.',
    '["input","tone"]',
    strftime('%Y-%m-%dT%H:%M:%S+00:00', '2024-01-01',
        '+' || (a % 500) || ' days', '+' || ((a * 7 + c) % 86400) || ' seconds')
from hashed, words
order by id;
