//! What was counted, in the `OpenMetrics` text format.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;

use super::cells::{Durations, Histogram, REASONS, RouteCells, STATUSES, VERDICTS};
use super::statements::StatementCells;
use super::{Counts, Gauge, Reasons};
use crate::server::Traffic;

type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

const NO_EXEMPLAR: Option<&Exemplar<Labels<'static, 0>, f64>> = None;

/// Writes all metrics.
pub(super) fn encode(counts: &Arc<Counts>, traffic: &Traffic, gauges: Vec<Gauge>) -> String {
    let mut registry = Registry::with_prefix("kasoku");
    let in_flight = traffic.requests();
    registry.register_collector(Box::new(Reading { counts: Arc::clone(counts), in_flight, gauges }));
    let mut buffer = String::new();
    text::encode(&mut buffer, &registry).expect("a string takes all that is written");
    buffer
}

/// One reading.
struct Reading {
    counts: Arc<Counts>,
    in_flight: usize,
    gauges: Vec<Gauge>,
}

impl Collector for Reading {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        self.requests(encoder)?;
        self.caching(encoder)?;
        self.protection(encoder)?;
        self.database(encoder)?;
        self.process(encoder)
    }
}

impl Reading {
    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = describe(
            encoder,
            "http_requests",
            "Requests answered, by route and status",
            MetricType::Counter,
        )?;
        self.each_route(|route, cells| {
            for (status, count) in STATUSES.iter().zip(cells.statuses()).filter(|(_, count)| *count > 0) {
                let status = if *status == 0 { "other".to_owned() } else { status.to_string() };
                total(&mut family, &[("route", route), ("status", &status)], count)?;
            }
            Ok(())
        })?;
        let help = "From the end of a request's head to the answer's head";
        let mut family = describe(encoder, "http_request_duration_seconds", help, MetricType::Histogram)?;
        self.each_route(|route, cells| {
            histogram(&mut family.encode_family(&[("route", route)])?, &cells.latency())
        })?;
        let help = "Bytes of answers' bodies, where known beforehand";
        let mut family = describe(encoder, "http_response_body_bytes", help, MetricType::Counter)?;
        self.each_route(|route, cells| total(&mut family, &[("route", route)], cells.body_bytes()))?;
        gauge(encoder, "http_requests_in_flight", "Requests being answered", self.in_flight as f64)
    }

    fn caching(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests by what the cache had to say";
        let mut family = describe(encoder, "cache_requests", help, MetricType::Counter)?;
        self.each_route(|route, cells| {
            for (verdict, count) in VERDICTS.iter().zip(cells.verdicts()).filter(|(_, count)| *count > 0) {
                total(&mut family, &[("route", route), ("verdict", verdict)], count)?;
            }
            Ok(())
        })?;
        let help = "Requests by what decided how the cache took part, beyond its verdict";
        let mut family = describe(encoder, "cache_reasons", help, MetricType::Counter)?;
        self.each_route(|route, cells| {
            for (reason, count) in REASONS.iter().zip(cells.reasons()).filter(|(_, count)| *count > 0) {
                total(&mut family, &[("route", route), ("reason", reason)], count)?;
            }
            Ok(())
        })?;
        let help = "Fills that were answered and not stored, as a change had overtaken them";
        let mut family = describe(encoder, "cache_fenced", help, MetricType::Counter)?;
        self.each_route(|route, cells| total(&mut family, &[("route", route)], cells.fenced.load(Relaxed)))?;
        let help = "Stored answers that were read anew and compared";
        let mut family = describe(encoder, "cache_audited", help, MetricType::Counter)?;
        self.each_route(|route, cells| {
            let [well, wrong] = [&cells.audited_well, &cells.audited_wrong].map(|cell| cell.load(Relaxed));
            total(&mut family, &[("route", route), ("consistent", "true")], well)?;
            total(&mut family, &[("route", route), ("consistent", "false")], wrong)
        })
    }

    fn protection(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let mut family =
            describe(encoder, "shed", "Requests refused to protect the server", MetricType::Counter)?;
        self.each_route(|route, cells| {
            let [queue, wait] = [&cells.shed_queue, &cells.shed_wait].map(|cell| cell.load(Relaxed));
            total(&mut family, &[("route", route), ("reason", "queue-full")], queue)?;
            total(&mut family, &[("route", route), ("reason", "waited-too-long")], wait)
        })?;
        let mut family =
            describe(encoder, "panics", "Requests that met a defect of the server", MetricType::Counter)?;
        self.each_route(|route, cells| total(&mut family, &[("route", route)], cells.panics.load(Relaxed)))?;
        let [opened, closed] =
            [&self.counts.connections_opened, &self.counts.connections_closed].map(|cell| cell.load(Relaxed));
        single(encoder, "connections_opened", "Connections accepted", opened)?;
        single(encoder, "connections_closed", "Connections ended", closed)?;
        gauge(encoder, "connections", "Connections that are open", opened.saturating_sub(closed) as f64)?;
        let [out, back] = [&self.counts.origin_servers_out, &self.counts.origin_servers_back]
            .map(|cell| cell.load(Relaxed));
        single(
            encoder,
            "origin_servers_out",
            "Times that a server of an origin could not be connected to any more",
            out,
        )?;
        single(
            encoder,
            "origin_servers_back",
            "Times that a server of an origin could be connected to again",
            back,
        )?;
        reasons(
            encoder,
            "connections_refused",
            "Connections refused or cut",
            &self.counts.connections_refused,
        )
    }

    fn database(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        self.statements(encoder)?;
        let commits = Histogram::read(std::iter::once(&self.counts.commits));
        let help = "Commits, the sync to the disk included";
        let mut family = describe(encoder, "database_commit_duration_seconds", help, MetricType::Histogram)?;
        histogram(&mut family, &commits)?;
        let writes = self.counts.committed_writes.load(Relaxed);
        single(encoder, "database_committed_writes", "Writes that were committed", writes)?;
        reasons(
            encoder,
            "database_failures",
            "What the database could not do",
            &self.counts.database_failures,
        )
    }

    fn statements(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        type Cell = fn(&StatementCells) -> u64;
        let families: [(&str, &str, Cell); 3] = [
            ("database_statements", "Statements run, by name", StatementCells::count),
            ("database_statement_rows", "Rows read or written, by name", |cells| cells.rows.load(Relaxed)),
            (
                "database_statements_slow",
                "Statements that took longer than `database.slow`, by name",
                |cells| cells.slow.load(Relaxed),
            ),
        ];
        let statements = &self.counts.statements;
        for (name, help, cell) in families {
            let mut family = describe(encoder, name, help, MetricType::Counter)?;
            statements
                .each(|statement, cells| total(&mut family, &[("statement", statement)], cell(cells)))?;
        }
        let help = "How long statements took, by name";
        let mut family =
            describe(encoder, "database_statement_duration_seconds", help, MetricType::Histogram)?;
        statements.each(|statement, cells| {
            histogram(&mut family.encode_family(&[("statement", statement)])?, &cells.durations())
        })
    }

    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let counts = &self.counts;
        single(encoder, "reloads", "Configurations put in force", counts.reloads.load(Relaxed))?;
        single(encoder, "reloads_refused", "Configurations refused", counts.reloads_refused.load(Relaxed))?;
        let generation = counts.generation.load(Relaxed) as f64;
        gauge(encoder, "configuration_generation", "The configuration in force, counted from 1", generation)?;
        let mut build = describe(encoder, "build", "What was built", MetricType::Info)?;
        build.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        for family in self.gauges.chunk_by(|one, next| one.name == next.name) {
            let Some(Gauge { name, help, is_total, .. }) = family.first() else { continue };
            let kind = if *is_total { MetricType::Counter } else { MetricType::Gauge };
            let mut encoder = describe(encoder, name, help, kind)?;
            for one in family {
                match (&one.of, is_total) {
                    (Some((label, of)), true) => total_f64(&mut encoder, &[(label, of)], one.value)?,
                    (Some((label, of)), false) => {
                        encoder.encode_family(&[(*label, &**of)])?.encode_gauge(&one.value)?;
                    }
                    (None, true) => encoder.encode_counter(&one.value, NO_EXEMPLAR)?,
                    (None, false) => encoder.encode_gauge(&one.value)?,
                }
            }
        }
        Ok(())
    }

    /// Calls back with the name and the cells of each route, and of what is no route's.
    fn each_route(&self, mut each: impl FnMut(&str, &RouteCells) -> fmt::Result) -> fmt::Result {
        for cells in self.counts.routes.load().iter().filter(|cells| !cells.pattern.is_empty()) {
            each(&cells.pattern, cells)?;
        }
        each("none", &self.counts.elsewhere)
    }
}

fn describe<'a>(
    encoder: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
    kind: MetricType,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    encoder.encode_descriptor(name, help, None, kind)
}

fn total<const N: usize>(family: &mut MetricEncoder<'_>, labels: &Labels<'_, N>, count: u64) -> fmt::Result {
    family.encode_family(labels)?.encode_counter(&count, NO_EXEMPLAR)
}

fn total_f64<const N: usize>(
    encoder: &mut MetricEncoder<'_>,
    labels: &Labels<'_, N>,
    value: f64,
) -> fmt::Result {
    encoder.encode_family(labels)?.encode_counter(&value, NO_EXEMPLAR)
}

fn single(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, count: u64) -> fmt::Result {
    describe(encoder, name, help, MetricType::Counter)?.encode_counter(&count, NO_EXEMPLAR)
}

fn histogram(family: &mut MetricEncoder<'_>, read: &Durations) -> fmt::Result {
    family.encode_histogram::<Labels<'_, 0>>(read.sum_s, read.count, &read.buckets, None)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> fmt::Result {
    describe(encoder, name, help, MetricType::Gauge)?.encode_gauge(&value)
}

fn reasons(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, reasons: &Reasons) -> fmt::Result {
    let mut family = describe(encoder, name, help, MetricType::Counter)?;
    for (reason, count) in &*reasons.0.lock() {
        total(&mut family, &[("reason", reason)], *count)?;
    }
    Ok(())
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading")
    }
}
