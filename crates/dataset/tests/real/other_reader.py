"""Reads a file by Python's own library and prints, as JSON, what it sees: the other opinion in tests/real_data.rs.

    python3 other_reader.py csv|json|sqlite FILE

Prints rows, columns, per column the number of empty values, of "NA", and of characters, and a sample: every
1000th row, and the first rows that hold quotes, line breaks or characters beyond ASCII.
"""

import csv
import json
import sqlite3
import sys

SAMPLE_EVERY = 1000
SPECIAL_MOST = 3000


def rows_of_csv(path):
    csv.field_size_limit(1 << 30)
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.reader(file)


def rows_of_json(path):
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    yield columns
    for row in rows:
        yield [row.get(column) for column in columns]


def is_special(value):
    return isinstance(value, str) and ('"' in value or "\n" in value or not value.isascii())


def seen(rows):
    columns = next(rows)
    empty, na, characters = ([0] * len(columns) for _ in range(3))
    sample, special, count = [], 0, 0
    for row in rows:
        for place, value in enumerate(row):
            empty[place] += value is None or value == ""
            na[place] += value == "NA"
            characters[place] += len(value) if isinstance(value, str) else 0
        wanted = count % SAMPLE_EVERY == 0
        if not wanted and special < SPECIAL_MOST and any(map(is_special, row)):
            wanted, special = True, special + 1
        if wanted:
            sample.append([count, row])
        count += 1
    return {"rows": count, "columns": columns, "empty": empty, "na": na, "characters": characters, "sample": sample}


def seen_in_database(path):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    names = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name"
    tables = []
    for (name,) in database.execute(names).fetchall():
        (rows,) = database.execute(f'select count(*) from "{name}"').fetchone()
        columns = [column[1] for column in database.execute(f'pragma table_info("{name}")')]
        sql = f'select rowid, * from "{name}" where rowid % {SAMPLE_EVERY} = 1 order by rowid limit 100'
        tables.append({"name": name, "rows": rows, "columns": columns, "sample": database.execute(sql).fetchall()})
    return {"tables": tables}


def main():
    kind, path = sys.argv[1:]
    if kind == "sqlite":
        answer = seen_in_database(path)
    else:
        answer = seen({"csv": rows_of_csv, "json": rows_of_json}[kind](path))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
