//! A study as a chart.

use std::path::Path;

use sudal::meta::tune::{Study, Trial, TrialStatus};
use sudal::report::{Axis, Chart, Point, ReportError, Series, Style};

/// Draws the study beside its file, where there is a point to draw.
pub(super) fn draw(study: &Study, out: &Path) -> Result<(), ReportError> {
    let chart = history(study);
    if chart.series.is_empty() {
        return Ok(());
    }
    chart.save(out)
}

/// What each trial reached and the best so far, over their numbers.
fn history(study: &Study) -> Chart {
    let at = |trial: &Trial, value: f64| Point::at(trial.number as f64, value * 100.0);
    let series = |name: &str, points, style| Series {
        name: name.to_owned(),
        points,
        style,
        color: None,
    };
    let of = |outcome| {
        let trials = study.trials().iter().filter(|t| t.outcome == outcome);
        trials.filter_map(|t| Some(at(t, t.value?))).collect()
    };
    let best = study.trials().iter().zip(study.best_so_far());
    let best = best.filter_map(|(t, best)| Some(at(t, best?))).collect();
    let all = [
        series("best so far", best, Style::Bare),
        series("finished", of(TrialStatus::Finished), Style::Marks),
        series("stopped early", of(TrialStatus::Pruned), Style::Marks),
        series("failed", of(TrialStatus::Failed), Style::Marks),
    ];
    // Each keeps its colour when another is empty.
    let drawn = all.into_iter().enumerate().map(|(i, s)| Series {
        color: Some(i),
        ..s
    });
    let about = |name: &str| study.setup().about.get(name).map_or("", String::as_str);
    Chart {
        title: format!("Tuning {} on {}", about("method"), about("data")),
        x: Axis::linear("trial"),
        y: Axis::linear("validation accuracy, %"),
        series: drawn.filter(|s| !s.points.is_empty()).collect(),
    }
}
