//! What was measured, as a table, as JSON and as a picture; ratios first.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Serialize;

use crate::{Outcome, growth::Grown, svg};

/// A figure of several runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Figure {
    pub(crate) runs: usize,
    pub(crate) median: f64,
    /// The first and the third quartile.
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Figure {
    /// Nothing, if there was no run.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.collect();
        figures.sort_by(f64::total_cmp);
        let at = |part: usize| {
            figures
                .get((figures.len().checked_sub(1)?) * part / 4)
                .copied()
        };
        Some(Self {
            runs: figures.len(),
            median: at(2)?,
            low: at(1)?,
            high: at(3)?,
        })
    }
}

/// A row of the table of cold starts: times in milliseconds, memory in megabytes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) calls: BTreeMap<String, usize>,
    pub(crate) sequence: usize,
    pub(crate) connections: Option<Figure>,
    pub(crate) cpu: Option<Figure>,
    pub(crate) init: Option<Figure>,
    pub(crate) handler: Option<Figure>,
    pub(crate) wall: Option<Figure>,
    pub(crate) peak: Option<Figure>,
    pub(crate) faults: Option<Figure>,
    /// Wall time of the handler with the share of 128 MB.
    pub(crate) limited: Option<Figure>,
    /// The binary, and its archive, in bytes.
    pub(crate) archive: Option<(usize, usize)>,
    pub(crate) problem: Option<String>,
}

/// Writes the results of cold starts.
pub(crate) fn cold(out: &Path, names: &str, rows: &[Row], lacks: &[String]) -> Outcome<()> {
    let ratios = ratios(rows);
    println!("\n{names}");
    println!("\nCPU to the first response, of share-pipeline's first share:");
    for (text, ratio) in &ratios {
        println!("  {ratio:>6.2} x  {text}");
    }
    println!(
        "\n| row | calls | in sequence | TLS connections | CPU ms (quartiles) | init | handler | wall ms | peak MB | faults | handler at 128 MB, ms | binary, archive MB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        println!("{}", line(row));
    }
    for row in rows {
        if let Some(problem) = &row.problem {
            println!("\n{} did not run: {problem}", row.name);
        }
    }
    for lack in lacks {
        println!("not measured: {lack}");
    }
    let bars = rows.iter().filter_map(|row| {
        let cpu = row.cpu?.median;
        let peak = row.peak.map_or(0.0, |peak| peak.median);
        Some((row.name.clone(), cpu, format!("{cpu:.1} ms, {peak:.1} MB")))
    });
    let picture = svg::bars(
        "CPU time of a cold start, to the first response",
        &bars.collect::<Vec<_>>(),
    );
    let results = serde_json::json!({
        "names": names, "ratios": ratios, "rows": rows, "lacks": lacks,
    });
    write(out, "cold", &results, &picture)
}

/// How many times as much others take as the first row does.
fn ratios(rows: &[Row]) -> Vec<(String, f64)> {
    let cpu = |row: &Row| row.cpu.map(|cpu| cpu.median);
    let Some((first, own)) = rows.first().and_then(|row| Some((row, cpu(row)?))) else {
        return Vec::new();
    };
    let (before, peers): (Vec<_>, Vec<_>) = rows[1..]
        .iter()
        .filter(|row| {
            !row.name.contains(": ")
                || row.name.ends_with(&first.name)
                || row.name.starts_with("floor")
        })
        .partition(|row| row.name.starts_with("before"));
    let rows = peers.into_iter().chain(before);
    rows.filter_map(|row| Some((row.name.clone(), cpu(row)? / own)))
        .collect()
}

fn line(row: &Row) -> String {
    let plain = |figure: Option<Figure>, digits: usize| {
        figure.map_or_else(|| "-".to_owned(), |it| format!("{:.digits$}", it.median))
    };
    let cpu = row.cpu.map_or_else(
        || "-".to_owned(),
        |it| format!("{:.1} ({:.1}-{:.1})", it.median, it.low, it.high),
    );
    let calls: usize = row.calls.values().sum();
    let archive = row.archive.map_or_else(
        || "-".to_owned(),
        |(binary, archive)| format!("{}, {}", megabytes(binary), megabytes(archive)),
    );
    let columns = [
        row.name.clone(),
        calls.to_string(),
        row.sequence.to_string(),
        plain(row.connections, 0),
        cpu,
        plain(row.init, 1),
        plain(row.handler, 1),
        plain(row.wall, 0),
        plain(row.peak, 1),
        plain(row.faults, 0),
        plain(row.limited, 0),
        archive,
    ];
    format!("| {} |", columns.join(" | "))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "binaries are no larger than gigabytes"
)]
fn megabytes(bytes: usize) -> String {
    format!("{:.2}", bytes as f64 / 1e6)
}

/// Writes the results of growth.
pub(crate) fn growth(out: &Path, conditions: &str, rows: &[Grown]) -> Outcome<()> {
    println!("\n{conditions}");
    println!(
        "\n| (P, R, O, C) | function | invocations | calls | minimum | calls / minimum | in sequence | peak MB | CPU ms | longest invocation, s |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for row in rows {
        let minimum = row.minimum.map_or("-".to_owned(), |it| it.to_string());
        let ratio = row.ratio().map_or("-".to_owned(), |it| format!("{it:.2}"));
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.1} | {:.0} | {:.1} |",
            row.size,
            row.function,
            row.invocations,
            row.calls,
            minimum,
            ratio,
            row.sequence,
            row.peak,
            row.cpu,
            row.longest,
        );
    }
    for row in rows {
        println!("{} {}: {:?}", row.size, row.function, row.by_operation);
    }
    let bars = rows.iter().map(|row| {
        let of = row.minimum.map_or(String::new(), |it| format!(" of {it}"));
        let label = format!("{:.1} s, {} calls{of}", row.longest, row.calls);
        (format!("{} {}", row.size, row.function), row.longest, label)
    });
    let picture = svg::bars(
        "The longest invocation, with nothing to do but where it is said",
        &bars.collect::<Vec<_>>(),
    );
    let results = serde_json::json!({ "conditions": conditions, "rows": rows });
    write(out, "growth", &results, &picture)
}

fn write(out: &Path, name: &str, results: &serde_json::Value, picture: &str) -> Outcome<()> {
    fs::create_dir_all(out)?;
    let json = out.join(format!("{name}.json"));
    let svg = out.join(format!("{name}.svg"));
    fs::write(&json, serde_json::to_string_pretty(results)? + "\n")?;
    fs::write(&svg, picture)?;
    println!("\n{}\n{}", json.display(), svg.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_run_in_the_middle_and_the_quartiles() {
        let figure = Figure::of([5.0, 1.0, 4.0, 2.0, 3.0].into_iter()).unwrap();
        assert_eq!((figure.low, figure.median, figure.high), (2.0, 3.0, 4.0));
        assert_eq!(Figure::of(std::iter::empty()), None);
    }
}
