-- Products with categories, prices, stock and dates. `strict` makes SQLite hold to the types.

create table categories (
    slug  text primary key,
    name  text not null,
    about text not null
) strict, without rowid;

create table items (
    id         integer primary key,
    title      text    not null check (length(title) between 1 and 200),
    category   text    not null references categories (slug),
    -- Euros. Good for showing and comparing; whoever adds them up for an invoice should hold cents in an integer.
    price      real    not null check (price >= 0),
    stock      integer not null default 0 check (stock >= 0),
    maker      text,
    released   text    not null default (date('now')),
    updated_at text    not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    deleted_at text
) strict;

-- Every sort of `/v1/items` has an index to walk along, alone and within a category; each ends in the key, which
-- breaks ties between equal values, so that a page begins where the last one ended. Sorting by `id` alone needs none
-- beyond the primary key. A range of one column sorted by another is found by index and sorted then.
-- Deleted rows are in none of them.
create index items_by_category on items (category, id) where deleted_at is null;
create index items_by_price on items (price, id) where deleted_at is null;
create index items_by_release on items (released, id) where deleted_at is null;
create index items_by_category_and_release on items (category, released, id) where deleted_at is null;
-- `deleted_at` is always null in here, and yet of use: with it `/v1/stats/categories` reads the index alone.
create index items_by_category_and_price on items (category, price, id, deleted_at) where deleted_at is null;

-- Whoever changes a row changes its time. The columns are named so that the trigger does not set itself off. The answer
-- to a write shows the row as the write left it, which is before this; every read afterwards shows the new time.
create trigger items_are_dated after update of title, category, price, stock, maker, released, deleted_at on items
begin
    update items set updated_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') where id = new.id;
end;

insert into categories (slug, name, about) values
    ('audio',      'Audio',            'Headphones, speakers and everything between them'),
    ('bags',       'Bags',             'From coin purses to trunks'),
    ('bikes',      'Bikes',            'Frames, wheels and the small parts that go missing'),
    ('books',      'Books',            'Printed, bound and dog-eared'),
    ('cameras',    'Cameras',          'Bodies, lenses, film'),
    ('ceramics',   'Ceramics 陶器',     'Thrown, fired and glazed'),
    ('clocks',     'Clocks',           'Mechanical and otherwise'),
    ('coffee',     'Coffee',           'Grinders, kettles and beans'),
    ('garden',     'Garden 庭',         'Seeds, tools, stones'),
    ('kitchen',    'Kitchen 台所',      'Knives, pots and pans'),
    ('lamps',      'Lamps',            'Desk, floor and ceiling'),
    ('music',      'Music',            'Instruments and strings'),
    ('outdoors',   'Outdoors',         'Tents, stoves, ropes'),
    ('stationery', 'Stationery 文具',   'Pens, paper and ink'),
    ('textiles',   'Textiles',         'Wool, linen, indigo'),
    ('toys',       'Toys',             'For children of all ages');
