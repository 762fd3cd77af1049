//! Configurations that cannot be served, and what is said about them.
use super::App;

const DATABASE: &str = "[database]\nurl = \"sqlite:a.db\"\nschema = \"schema/\"\n";

#[test]
fn all() {
    let app = App::new();
    app.write("bad/001_x.sql", "create table a (id integer primary key);\ncreate tabel b (id);\n");
    app.write("twice/001_x.sql", "create table a (id integer primary key);");
    app.write("twice/1_y.sql", "create table b (id integer primary key);");
    app.write("cert.pem", "hello");
    let items =
        |more: &str| format!("{DATABASE}\n[[route]]\npath = \"/v1/items\"\ntable = \"items\"\n{more}");
    let query = |more: &str| format!("{DATABASE}\n[[route]]\npath = \"/q/{{category}}\"\n{more}");
    let files = |more: &str| format!("{more}\n[[route]]\npath = \"/\"\nfiles = \"static\"\n");
    let cases: Vec<(&str, String)> = vec![
        ("syntax", files("[server\nlisten = \"x\"")),
        ("syntax2", files("[server]\nlisten = \"x")),
        ("dup key", files("[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"")),
        ("unknown key", files("[server]\nlisen = \"127.0.0.1:1\"")),
        ("unknown section", files("[sever]\nlisten = \"127.0.0.1:1\"")),
        ("elsewhere", files("[server]\nmemory = \"1MiB\"")),
        ("wrong type", files("[server]\nlisten = 8080\nthreads = \"four\"\ndrain = 30")),
        ("units", files("[server]\ndrain = \"30\"\n[cache]\nmemory = \"12 parsecs\"")),
        ("range", files("[log]\naccess = 1.5\n[server]\nthreads = 0")),
        ("enum", files("[log]\nformat = \"jsn\"\nlevel = \"verbose\"")),
        ("nothing", String::new()),
        ("no path", "[[route]]\nfiles = \"static\"".into()),
        ("misspelt path", "[[route]]\npaht = \"/\"\nfiles = \"static\"".into()),
        ("addresses", files("[server]\nlisten = \"localhost:80\"\nadmin = \":9090\"")),
        ("port", files("[server]\nlisten = \"127.0.0.1:99999\"\nadmin = \"127.0.0.1\"")),
        ("same", files("[server]\nlisten = \"127.0.0.1:80\"\nadmin = \"127.0.0.1:80\"")),
        ("admin open", files("[server]\nadmin = \"0.0.0.0:9090\"")),
        ("admin true", files("[server]\nadmin = true")),
        ("tls", files("[server.tls]\ncertificate = \"cert.pem\"\nkey = \"none.pem\"")),
        ("short secret", files("[server]\nsecret = \"tooshort\"\n[admin]\ntoken = \"env:NOT_SET\"")),
        ("postgres", items("").replace("sqlite:a.db", "postgres://me:hunter22@host/db")),
        ("bare url", items("").replace("sqlite:a.db", "a.db")),
        ("no schema folder", items("").replace("schema/", "schemas/")),
        ("bad sql", items("").replace("schema/", "bad")),
        ("twice sql", items("").replace("schema/", "twice")),
        ("no db", "[[route]]\npath = \"/a\"\ntable = \"items\"".into()),
        ("no such table", items("").replace("\"items\"", "\"itmes\"")),
        ("columns", items("select = [\"id\", \"tilte\"]\nfilter = [\"prise\", \"price\", \"price\"]\norder = [\"-idd\", \"price desc\", \"price\", \"-price\"]\nplain = [\"title\"]\nsoft_delete = \"title\"")),
        ("page", items("page = { default = 200, most = 100 }\ncount = \"exakt\"\nwrite = [\"insrt\"]")),
        ("page2", items("page = { default = 200, most = 100 }\ncount = { default = \"none\", alowed = [] }")),
        ("write", items("select = [\"id\"]\nwrite = [\"insert\"]\nenvelope = \"next_cursor\"")),
        ("keyless", items("").replace("\"items\"", "\"notes\"")),
        ("view", items("write = [\"insert\"]").replace("\"items\"", "\"cheap\"")),
        ("two sources", items("query = \"select 1\"")),
        ("no source", format!("{DATABASE}[[route]]\npath = \"/a\"\ndeadline = \"1s\"")),
        ("later", items("origin = \"http://x\"\nobjective = { p95 = \"1s\" }")),
        ("later2", "[[route]]\npath = \"/\"\npage = \"x.html\"\n".into()),
        ("foreign", query("query = \"select 1 as a where :category = ''\"\nselect = [\"a\"]\n")),
        ("sql", query("query = \"select catgory from items where category = :category\"")),
        ("sql2", query("query = \"\"\"\nselect category\nfrom itmes\nwhere category = :category\"\"\"")),
        ("sql write", query("query = \"delete from items where category = :category\"")),
        ("sql params", query("query = \"select id from items where price > :price\"\nparams = { prise = \"real\" }")),
        ("sql default", query("query = \"select id from items where price > :price and category = :category\"\nparams = { price = { type = \"integer\", default = \"x\" }, category = { default = \"x\" } }")),
        ("sql ?", query("query = \"select id from items where price > ? and category = :category\"")),
        ("volatile", query("query = \"select random() as x where :category = ''\"")),
        ("twice col", query("query = \"select id, id from items where category = :category\"")),
        ("cache", items("cache = { fresh = \"10s\", client = \"1m\", stale_while_revalidate = \"1m\", stale_if_error = \"5s\" }")),
        ("cache0", items("cache = { fresh = \"0s\", body = \"1GiB\" }")),
        ("cache true", items("cache = true")),
        ("cache str", items("cache = \"rfc9111\"")),
        ("dup", items("[[route]]\npath = \"/v1/items\"\nfiles = \"static\"\n")),
        ("dup key2", items("[[route]]\npath = \"/v1/items/{id}\"\nquery = \"select :id as id\"\n")),
        ("conflict", format!("{DATABASE}[[route]]\npath = \"/a/{{x}}\"\nquery = \"select :x as x\"\n[[route]]\npath = \"/a/{{y}}\"\nquery = \"select :y as x\"\n")),
        ("paths", ["a", "/a/", "/a/{x", "/a/{x}-{y}", "/a/{*x}/b", "/a?x", "/a//b", "/ü", "/{x}/{x}", "/{}", "/health"].map(|path| format!("[[route]]\npath = \"{path}\"\nquery = \"select 1\"\n")).concat() + DATABASE),
        ("files path", "[[route]]\npath = \"/{x}\"\nfiles = \"static\"\n[[route]]\npath = \"/b\"\nfiles = { folder = \"statc\" }\n[[route]]\npath = \"/c\"\nfiles = { folder = \"static\", fallback = \"app.html\", index = \"../x\" }\ncache = { fresh = \"1s\" }".into()),
        ("body", files("[server.limits]\nbody = \"2GiB\"\nheader_timeout = \"0s\"\nheader_bytes = \"1GiB\"")),
        ("seed", format!("{DATABASE}seed = {{ table = \"itms\", file = \"static/index.html\", rows = 10 }}\n[[route]]\npath = \"/\"\nfiles = \"static\"")),
        ("read only", items("").replace("schema = \"schema/\"", "read_only = true")),
        ("interp", files("[server]\nlisten = \"${HOST}:80\"\n[log]\nlevel = \"${LEVEL\"\n[cache]\nmemory = \"${a b}\"")),
        ("bignum", files("[server]\nthreads = 99999999999999999999999\ndrain = nan\n[log]\naccess = nan")),
    ];
    let mut out = String::new();
    for (name, text) in cases {
        out.push_str(&format!("=== {name}\n{}", app.findings(&text)));
    }
    std::fs::write("/tmp/wrong_out.txt", out).unwrap();
}
