//! Where the API's description is served.

use super::App;

const ROUTE: &str = "[[route]]\npath = \"/static/{*rest}\"\nfiles = \"static\"\n[[route]]\npath = \"/a.json\"\norigin = \"http://127.0.0.1:1\"\n";

#[test]
fn the_description_has_a_path_of_its_own_or_none() {
    let app = App::new();
    let load = |path: &str| app.load(&format!("[server]\nopenapi = \"{path}\"\n{ROUTE}"));
    assert_eq!(app.load(ROUTE).unwrap().plan.openapi, None);
    for path in ["/openapi.json", "/v1/api", "/static/openapi.json"] {
        assert_eq!(load(path).unwrap().plan.openapi.as_deref(), Some(path));
    }
    for (path, says) in [
        ("openapi.json", "expected a plain path"),
        ("/", "expected a plain path"),
        ("", "expected a plain path"),
        ("/{name}.json", "expected a plain path"),
        ("/api?v=1", "expected a plain path"),
        ("/health", "is served already"),
        ("/a.json", "is served already"),
    ] {
        let found = load(path).err().unwrap_or_else(|| panic!("{path} is taken")).render(false);
        assert!(found.contains(says) && found.contains("kasoku.toml:2"), "{path}: {found}");
    }
}
