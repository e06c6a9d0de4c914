//! The lines of the tables, with the figures that were published for them.

use sudal::meta::Learner;
use sudal::meta::scratch::Scratch;
use sudal::meta::transfer::Transfer;

/// The ways and shots of the published tables.
pub(super) const TASKS: [(usize, usize); 4] = [(5, 1), (5, 5), (20, 1), (20, 5)];

/// Accuracies in the order of [`TASKS`], in percent.
type Published = [f64; 4];

const KOCH_2015: Published = [97.3, 98.4, 88.1, 97.0];
const SNELL_2017: Published = [98.8, 99.7, 96.0, 98.9];
const FINN_2017: Published = [98.7, 99.9, 95.8, 98.9];
const NICHOL_2018: Published = [97.7, 99.5, 89.4, 97.1];
/// What the best published networks of this size reach (MAML++).
const ANTONIOU_2019: Published = [99.47, 99.93, 97.65, 99.33];

/// A line of the first table.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// File in the models' folder; none for a method that learned nothing before.
    pub(super) file: Option<&'static str>,
    /// A method other than the file's own.
    pub(super) learner: Option<fn() -> Learner>,
    pub(super) published: Option<Published>,
}

impl Row {
    const fn of(name: &'static str, file: &'static str) -> Self {
        Self {
            name,
            file: Some(file),
            learner: None,
            published: None,
        }
    }

    const fn beside(self, published: Published) -> Self {
        Self {
            published: Some(published),
            ..self
        }
    }
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "from scratch",
        file: None,
        learner: Some(|| Learner::Scratch(Scratch::default())),
        published: None,
    },
    Row::of("transfer (frozen)", "omniglot-transfer.ckpt"),
    Row {
        name: "transfer (fine-tuned)",
        file: Some("omniglot-transfer.ckpt"),
        learner: Some(|| {
            Learner::Transfer(Transfer::FineTuned {
                steps: 10,
                rate: 1e-3,
            })
        }),
        published: None,
    },
    Row::of("siamese (contrastive)", "omniglot-siamese.ckpt").beside(KOCH_2015),
    Row::of("siamese (weighted L1)", "omniglot-siamese-l1.ckpt").beside(KOCH_2015),
    Row::of("prototypical", "omniglot.onnx").beside(SNELL_2017),
    Row::of("prototypical (int8)", "omniglot.sudal").beside(SNELL_2017),
    Row::of("prototypical 32x32", "omniglot-32.onnx").beside(ANTONIOU_2019),
    Row::of("prototypical 32x32 (int8)", "omniglot-32.sudal").beside(ANTONIOU_2019),
    Row::of("memory-augmented", "omniglot-mann.ckpt"),
    Row::of("MAML", "omniglot-maml.ckpt").beside(FINN_2017),
    Row::of("MAML 32x32", "omniglot-maml-32.ckpt").beside(FINN_2017),
    Row::of("first-order MAML", "omniglot-first-order-maml.ckpt"),
    Row::of("MAML++ 32x32", "omniglot-maml-plus-plus.ckpt").beside(ANTONIOU_2019),
    Row::of("ANIL", "omniglot-anil.ckpt"),
    Row::of("Reptile", "omniglot-reptile.ckpt").beside(NICHOL_2018),
    Row::of("meta-transfer", "omniglot-meta-transfer.ckpt"),
];

/// A line of the second table: an error in percent.
pub(super) const ALPHABETS: &[(&str, &str)] = &[
    ("prototypical", "omniglot-background.onnx"),
    ("prototypical (int8)", "omniglot-background.sudal"),
    ("siamese (weighted L1)", "omniglot-background-siamese.ckpt"),
];

/// Published errors of the second table, in percent.
pub(super) const PUBLISHED_ERRORS: &[(&str, f64)] = &[
    ("people (Lake et al. 2015)", 4.5),
    ("Bayesian program learning (Lake et al. 2015)", 3.3),
    ("siamese (Koch et al. 2015)", 8.0),
    ("prototypical (Lake et al. 2019)", 13.7),
];
