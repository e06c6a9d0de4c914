//! Receiver operating characteristics.

use super::{Axis, Chart, Point, Series, Style};
use crate::measure::verification::Roc;

/// Steps that a logarithm of ten, or the whole of the other axis, is drawn in; finer ones do not show.
const STEPS: f64 = 300.0;

/// Receiver operating characteristics with the point of equal errors marked on each.
///
/// False accepts are on a logarithmic axis, since the rates that matter are small; what has none of
/// them is therefore not drawn.
pub fn roc(title: impl Into<String>, curves: &[(String, Roc)]) -> Chart {
    let percent =
        |false_accept: f64, true_accept: f64| Point::at(100.0 * false_accept, 100.0 * true_accept);
    let mut series = Vec::new();
    for (place, (name, roc)) in curves.iter().enumerate() {
        let rates = roc.points().iter().filter(|p| p.false_accept > 0.0);
        let mut points: Vec<Point> = rates
            .map(|p| percent(p.false_accept, p.true_accept))
            .collect();
        points.dedup_by_key(|p| {
            let step = |part: f64| (part * STEPS) as i64;
            (step(p.x.log10()), step(p.y / 100.0))
        });
        let equal = roc.equal_error_rate();
        series.push(Series {
            name: format!("{name}, EER {:.2} %", 100.0 * equal),
            points,
            style: Style::Bare,
            color: Some(place),
        });
        if equal > 0.0 {
            series.push(Series {
                points: vec![percent(equal, 1.0 - equal)],
                style: Style::Rims,
                color: Some(place),
                ..Series::default()
            });
        }
    }
    Chart {
        title: title.into(),
        x: Axis::logarithmic("false accept rate, % of pairs of different classes"),
        y: Axis::linear("true accept rate, % of pairs of one class"),
        series,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_errors_are_marked_on_the_curve() {
        let curve = Roc::of(&[0.9, 0.8, 0.7, 0.4], &[0.6, 0.3, 0.2, 0.1]).unwrap();
        let chart = roc("pairs", &[("siamese".into(), curve)]);
        let [line, mark] = &chart.series[..] else {
            panic!("{} series", chart.series.len());
        };
        assert_eq!(line.name, "siamese, EER 25.00 %");
        assert_eq!(
            line.points.iter().map(|p| (p.x, p.y)).collect::<Vec<_>>(),
            [
                (25.0, 75.0),
                (25.0, 100.0),
                (50.0, 100.0),
                (75.0, 100.0),
                (100.0, 100.0)
            ]
        );
        assert_eq!((mark.points[0].x, mark.points[0].y), (25.0, 75.0));
        assert!(chart.svg().unwrap().contains("EER 25.00 %"));
    }

    #[test]
    fn many_pairs_and_perfect_ones_are_drawn() {
        let same: Vec<f32> = (0..20_000).map(|i| (i as f32).sin() + 0.7).collect();
        let different: Vec<f32> = (0..20_000).map(|i| (i as f32 * 1.7).sin()).collect();
        let many = Roc::of(&same, &different).unwrap();
        let perfect = Roc::of(&[2.0, 3.0], &[0.0, 1.0]).unwrap();
        let chart = roc(
            "pairs",
            &[("many".into(), many), ("perfect".into(), perfect)],
        );
        // At most as many as the steps of both axes together, over less than five powers of ten.
        let drawn = chart.series[0].points.len();
        assert!((200..1800).contains(&drawn), "{drawn}");
        assert_eq!(chart.series[2].name, "perfect, EER 0.00 %");
        chart.figure().unwrap();
    }
}
