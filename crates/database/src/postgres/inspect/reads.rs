//! What a statement reads, writes and calls.

use super::Inspector;
use super::plan;
use super::probe::Probe;
use super::volatile::{Called, passing_times};
use crate::error::DatabaseError;
use crate::inspect::{Reads, add};

/// Relations with all that are one with them: a partition, and what it is a part of.
const RELATIONS: &str = "
    with recursive family(oid, of) as (
        select oid, oid from unnest($1::oid[]) as asked(oid)
        union
        select case when i.inhparent = f.oid then i.inhrelid else i.inhparent end, f.of
        from family f join pg_inherits i on f.oid in (i.inhparent, i.inhrelid)
    )
    select distinct f.of, c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence = 't',
           n.nspname = current_schema() and not exists (
               select from pg_depend d
               where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
    from family f join pg_class c on c.oid = f.oid join pg_namespace n on n.oid = c.relnamespace
    order by 4";

/// All tables that hold rows of their own.
const TABLES: &str = "
    select c.relname::text from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
      and c.relname not like '\\_kasoku\\_%'";

pub(super) fn reads(inspector: &Inspector, sql: &str) -> Result<Reads, DatabaseError> {
    let prepared = inspector.prepare(sql)?;
    let Some(probe) = Probe::of(inspector, sql, &prepared)? else {
        return plan::touched(inspector, sql, prepared.params().len());
    };
    let called = Called::of(inspector, &probe.functions)?;
    let mut reads = Reads { functions: called.names.into_iter().collect(), ..Reads::default() };
    let mut volatile = called.volatile;
    volatile.extend(probe.words.iter().map(|word| (*word).to_owned()));
    volatile.extend(passing_times(sql));
    let relations: Vec<u32> = probe.relations.iter().copied().collect();
    for row in inspector.query(RELATIONS, &[&relations])? {
        let (asked, oid): (u32, u32) = (row.get(0), row.get(1));
        let (schema, name, kind): (&str, &str, &str) = (row.get(2), row.get(3), row.get(4));
        let (temporary, here): (bool, bool) = (row.get(5), row.get(6));
        match kind {
            "v" if temporary && name == "kasoku_probe" => {}
            "v" if here => {
                add(&mut reads.views, name);
            }
            "v" if !matches!(schema, "pg_catalog" | "information_schema") => {
                add(&mut reads.views, &format!("{schema}.{name}"));
            }
            "r" | "p" if here => {
                reads.add_read(name, "");
                if asked == oid {
                    let columns = probe.columns.iter().filter(|(of, _)| *of == oid);
                    columns.for_each(|(_, column)| reads.add_read(name, column));
                }
            }
            // Indexes and sequences of partitions; composite types.
            "i" | "I" | "S" | "c" | "t" => {}
            // A stored view changes when it is refreshed; rows that lie elsewhere change unseen.
            "m" if here => {
                volatile.insert(name.to_owned());
            }
            _ => {
                volatile.insert(format!("{schema}.{name}"));
            }
        }
    }
    if called.reads_anything {
        for row in inspector.query(TABLES, &[])? {
            reads.add_read(row.get(0), "");
        }
    }
    reads.sort();
    reads.volatile = volatile.into_iter().collect();
    Ok(reads)
}

pub(super) fn reads_only(inspector: &Inspector, sql: &str) -> Result<bool, DatabaseError> {
    let prepared = inspector.prepare(sql)?;
    Ok(Probe::of(inspector, sql, &prepared)?.is_some_and(|probe| !probe.locks))
}
