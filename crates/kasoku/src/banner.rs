//! What is served where, and what to try next.

use kasoku_config::{EngineSettings, Plan, SourcePlan};
use kasoku_server::Addresses;

/// Prints it for people.
pub(crate) fn print(plan: &Plan, addresses: &Addresses) {
    let scheme = if plan.server.listen.tls.is_some() { "https" } else { "http" };
    let base = format!("{scheme}://{}", addresses.public);
    println!("Kasoku {} serves {} at {base}", env!("CARGO_PKG_VERSION"), plan.name);
    let width = plan.routes.iter().map(|route| route.name.pattern.len()).max().unwrap_or(0);
    for route in &plan.routes {
        println!("  {:width$}  {}", route.name.pattern, described(&route.source));
    }
    if let Some(EngineSettings::Postgres(settings)) = plan.database.as_ref().map(|database| &database.engine)
        && !settings.replicas.is_empty()
    {
        let places: Vec<String> =
            settings.replicas.iter().map(|url| settings.elsewhere(url).place()).collect();
        println!("Reads: from {} while recent enough", places.join(", "));
    }
    if let Some(admin) = addresses.admin {
        println!("Admin: http://{admin} (health, metrics, purge)");
    }
    if let Some(example) = example(plan) {
        println!("Try:   curl -i '{base}{example}'");
    }
    println!("Stop with Ctrl-C.");
}

fn described(source: &SourcePlan) -> String {
    match source {
        SourcePlan::Table(rules) => {
            let write = rules.write;
            let kinds = [
                (write.insert, "insert"),
                (write.update, "update"),
                (write.upsert, "upsert"),
                (write.delete, "delete"),
            ];
            let writes: Vec<&str> = kinds.into_iter().filter(|(may, _)| *may).map(|(_, name)| name).collect();
            let writes = if writes.is_empty() { "read-only".to_owned() } else { writes.join(" ") };
            format!("table {}, {writes}", rules.table)
        }
        SourcePlan::Query(rules) if rules.one => "query, one row".to_owned(),
        SourcePlan::Query(_) => "query".to_owned(),
        SourcePlan::Files(rules) => {
            format!("files of {}", rules.folder.file_name().unwrap_or_default().to_string_lossy())
        }
        SourcePlan::Batch(rules) => format!("batch of writes to {}", rules.routes.join(", ")),
        SourcePlan::Origin(rules) => {
            let servers: Vec<String> = rules.client.servers.iter().map(ToString::to_string).collect();
            format!("origin {}", servers.join(", "))
        }
    }
}

/// A request that works: the first route without parameters, data first.
fn example(plan: &Plan) -> Option<String> {
    let plain = || plan.routes.iter().filter(|route| !route.name.pattern.contains('{'));
    let table = plain().find_map(|route| match &route.source {
        SourcePlan::Table(_) => Some(format!("{}?limit=3", route.name.pattern)),
        _ => None,
    });
    table.or_else(|| {
        plain()
            .find(|route| !matches!(route.source, SourcePlan::Batch(_)))
            .map(|route| route.name.pattern.to_string())
    })
}
