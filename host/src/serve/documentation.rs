//! What other programs can ask stands on the page about it.

use serde_json::Map;

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
    let metrics = Metrics::new();
    metrics.frame("press");
    metrics.error("press");
    metrics.up("press", true);
    metrics.decision(&decision(Call::Good, None));
    let text = metrics.text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let metrics: Vec<_> = types.collect();
    assert!(metrics.len() > 8, "{metrics:?}");
    for metric in metrics {
        let (name, kind) = metric.split_once(' ').unwrap();
        let name = if kind == "counter" {
            format!("{name}_total")
        } else {
            name.to_owned()
        };
        assert!(
            PAGE.contains(&format!("`{name}`")),
            "{name} is not documented"
        );
    }
}
