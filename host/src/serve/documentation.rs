//! What other programs can ask stands on the page about it.

use serde_json::{Map, Value};

use super::command::Command;
use super::decision::tests::decision;
use super::{Call, csv, metrics::Metrics};

const PAGE: &str = include_str!("../../docs/http.md");

#[test]
fn every_route_is_documented() {
    let routes = [
        include_str!("routes/mod.rs"),
        include_str!("routes/session.rs"),
    ];
    let routes: Vec<_> = routes
        .iter()
        .flat_map(|file| file.split(".route(").skip(1))
        .map(|rest| rest.split('"').nth(1).unwrap())
        // The page's own.
        .filter(|route| !route.starts_with("/assets") && *route != "/token")
        // They follow below.
        .filter(|route| !route.ends_with("/{command}"))
        .map(|route| route.replace("{device}", "0").replace("{id}", "17"))
        .map(|route| route.replace("{class}", "3").replace("{key}", "17"))
        .collect();
    assert!(routes.len() > 15, "{routes:?}");
    for route in routes {
        let told = [
            format!("`{route}`"),
            format!("GET {route}`"),
            format!("GET {route}?"),
        ];
        assert!(
            told.iter().any(|told| PAGE.contains(told)),
            "{route} is not documented"
        );
    }
}

#[test]
fn every_command_is_documented() {
    let unknown = Command::read("?", Map::new()).unwrap_err().to_string();
    let names: Vec<_> = unknown.split('`').skip(3).step_by(2).collect();
    assert!(
        names.len() > 15 && names.contains(&"enroll-anyway"),
        "{names:?}"
    );
    for name in names {
        let path = format!("`/devices/0/{name}`");
        assert!(PAGE.contains(&path), "{name} is not documented");
    }
}

#[test]
fn every_column_and_metric_is_documented() {
    let columns = csv::HEADER.trim().trim_start_matches('\u{feff}').split(',');
    for column in columns {
        assert!(
            PAGE.contains(&format!("`{column}`")),
            "{column} is not documented"
        );
    }
    for (name, _) in metrics() {
        assert!(
            PAGE.contains(&format!("`{name}`")),
            "{name} is not documented"
        );
    }
}

#[test]
fn the_dashboard_shows_every_metric_by_its_name_and_labels() {
    let dashboard: Value = serde_json::from_str(include_str!("../../docs/grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let asked: Vec<&str> = targets
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    let known = metrics();
    for (name, _) in &known {
        assert!(
            asked.iter().any(|asked| asked.contains(name)),
            "{name} is not shown"
        );
    }
    let word = |c: char| c.is_alphanumeric() || c == '_';
    for asked in asked {
        for (at, _) in asked.match_indices("sudal_") {
            let name = asked[at..].split(|c| !word(c)).next().unwrap();
            let metric = name.trim_end_matches("_bucket");
            let labels = known.iter().find(|(known, _)| known == metric);
            let (_, labels) = labels.unwrap_or_else(|| panic!("there is no {name}"));
            let matched = asked[at + name.len()..].strip_prefix('{').unwrap();
            for label in matched.split('}').next().unwrap().split(',') {
                let label = label.split(['=', '!']).next().unwrap();
                // Prometheus adds the instance.
                assert!(
                    label == "instance" || labels.contains(label),
                    "{name} has no {label}"
                );
            }
        }
    }
}

/// The server's metrics as Prometheus calls them, each with a line that has its labels.
fn metrics() -> Vec<(String, String)> {
    let metrics = Metrics::new();
    metrics.frame("press");
    metrics.error("press");
    metrics.up("press", true);
    metrics.decision(&decision(Call::Good, None));
    let text = metrics.text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let all: Vec<_> = types
        .map(|metric| {
            let (name, kind) = metric.split_once(' ').unwrap();
            let name = match kind {
                "counter" => format!("{name}_total"),
                _ => name.to_owned(),
            };
            let line = text.lines().find(|line| line.starts_with(&name));
            (name.clone(), line.unwrap_or_default().to_owned())
        })
        .collect();
    assert!(all.len() > 8, "{all:?}");
    all
}
