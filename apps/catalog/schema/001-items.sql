-- Products with categories, prices, stock and dates.

create table categories (
    slug  text primary key,
    name  text not null,
    about text not null
) strict, without rowid;

create table items (
    id         integer primary key,
    title      text    not null check (length(title) between 1 and 200),
    category   text    not null references categories (slug),
    price      real    not null check (price >= 0),
    stock      integer not null default 0 check (stock >= 0),
    maker      text,
    released   text    not null default (date('now')),
    updated_at text    not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    deleted_at text
) strict;

-- One index for each way in which `/v1/items` can be filtered and sorted. Deleted rows are in none of them.
create index items_by_price on items (price, id) where deleted_at is null;
create index items_by_category on items (category, id) where deleted_at is null;
create index items_by_category_and_price on items (category, price, id) where deleted_at is null;
create index items_by_release on items (released, id) where deleted_at is null;
create index items_by_category_and_release on items (category, released, id) where deleted_at is null;

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
