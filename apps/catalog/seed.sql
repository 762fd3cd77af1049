-- Makes the items numbered :first to :last. The same number always makes the same item: each choice is a
-- multiplicative hash of the number, so that any part can be made again, in any order.
with recursive
    numbers (n) as (
        select :first
        union all
        select n + 1 from numbers where n < :last
    ),
    hashed (n, a, b, c, d) as (
        select n,
               (n * 2654435761) % 4294967296,
               (n * 2246822519 + 374761393) % 4294967296,
               (n * 3266489917 + 668265263) % 4294967296,
               (n * 1540483477 + 1013904223) % 4294967296
        from numbers
    ),
    words (adjectives, materials, makers, slugs, levels, nouns) as (
        select
            '["Quiet","Folding","Northern","Little","Everyday","Bright","Slow","Travelling","Plain","Winter","Early","Hidden","Round","Patient","Salted","Blue Hour","Second","Open","Heavy","Weightless"]',
            '["oak","brass","linen","steel","paper","copper","walnut","wool","glass","bamboo","leather","clay","cedar","silver","canvas","ivory white","indigo","slate"]',
            '["Aoyama & Söhne","Atelier Brûlé","Kanda Works","Lindqvist","O''Hara","Moreau Frères","Nakamura 製作所","Pellegrini","Ørsted & Co","Satō 工房","Tanaka","Verhoeven","Wójcik","Yamamoto 木工"]',
            '["audio","bags","bikes","books","cameras","ceramics","clocks","coffee","garden","kitchen","lamps","music","outdoors","stationery","textiles","toys"]',
            -- What things of a category cost, beside each other.
            '[1.6,0.9,1.1,0.15,2.0,0.5,1.0,0.6,0.35,0.55,0.8,1.4,1.2,0.2,0.45,0.25]',
            '{"audio":["headphones","speaker","turntable","cable"],"bags":["satchel","backpack","purse","trunk"],"bikes":["saddle","bell","wheel","handlebar"],"books":["novel","atlas","notebook of poems","field guide"],"cameras":["rangefinder","lens","tripod","film holder"],"ceramics":["tea bowl","vase","plate","sake cup ぐい呑み"],"clocks":["wall clock","alarm clock","hourglass","pocket watch"],"coffee":["grinder","kettle","dripper","mug"],"garden":["trowel","watering can","lantern","planter"],"kitchen":["knife","donabe 土鍋","cutting board","whisk"],"lamps":["desk lamp","floor lamp","pendant","paper lantern 提灯"],"music":["ukulele","shakuhachi 尺八","metronome","guitar strings"],"outdoors":["tent","stove","rope","canteen"],"stationery":["fountain pen","ink","letter set","ruler"],"textiles":["scarf","blanket","tenugui 手ぬぐい","cushion"],"toys":["kendama けん玉","spinning top","puzzle","marionette"]}'
    )
insert into items (id, title, category, price, stock, maker, released, updated_at)
select
    n,
    json_extract(adjectives, '$[' || (a % 20) || ']') || ' ' || json_extract(materials, '$[' || (b / 7 % 18) || ']') || ' '
        || json_extract(nouns, '$.' || json_extract(slugs, '$[' || (c / 11 % 16) || ']') || '[' || (d / 13 % 4) || ']'),
    json_extract(slugs, '$[' || (c / 11 % 16) || ']'),
    -- The product of three even choices: most things are cheap, a few cost thousands.
    round(1 + (a / 3 % 1000) * (b / 5 % 1000) * (d / 17 % 1000) / 500000.0
        * json_extract(levels, '$[' || (c / 11 % 16) || ']'), 2),
    case when d % 9 = 0 then 0 else b / 19 % 250 end,
    case when c % 5 = 0 then null else json_extract(makers, '$[' || (d / 23 % 14) || ']') end,
    date('2016-01-01', '+' || (a / 29 % 3600) || ' days'),
    -- Last touched within seven weeks of its release.
    strftime('%Y-%m-%dT%H:%M:%fZ', '2016-01-01', '+' || (a / 29 % 3600) || ' days', '+' || (b / 31 % 4233600) || ' seconds')
from hashed, words;
