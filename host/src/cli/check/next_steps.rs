//! From pictures that are no classes to be told apart to the commands that are for them.

use std::path::Path;

use sudal::data::mvtec::Product;

use super::super::output::Output;

/// A command, and what it is for.
type Step = (String, &'static str);

/// Where good and flawed parts of products lie side by side there are no classes to be told apart.
pub(super) fn to_inspection(
    folder: &Path,
    products: &[Product],
    output: &Output,
) -> anyhow::Result<()> {
    let mut text = String::from(
        "these are good and flawed parts in MVTec's layout: no classes to be taught, but products to be inspected\n",
    );
    for product in products {
        let flawed = product.test.iter().filter(|s| s.defect.is_some()).count();
        text.push_str(&format!(
            "  {}: {} good parts to show, {} good and {flawed} flawed to try\n",
            product.name,
            product.train.len(),
            product.test.len() - flawed
        ));
    }
    let mut steps = vec![(
        format!("sudal inspect surfaces --data {}", folder.display()),
        "how small a flaw is found, from how many good parts",
    )];
    steps.extend(to_inspect(&good(folder, products)));
    let names = products.iter().map(|product| product.name.as_str());
    report(text, "products", names.collect(), &steps, output)
}

/// Where the good parts of the first product lie.
fn good(folder: &Path, products: &[Product]) -> String {
    let product = products.first().map_or("", |product| &product.name);
    let places = ["train/good".to_owned(), format!("{product}/train/good")];
    let there = places.iter().map(|place| folder.join(place));
    there.into_iter().find(|place| place.is_dir()).map_or_else(
        || "train/good".to_owned(),
        |place| place.display().to_string(),
    )
}

/// One class alone is told apart from nothing.
pub(super) fn one_class(folder: &Path, name: &str, output: &Output) -> anyhow::Result<()> {
    let text = format!(
        "there is one class, {name}: put the pictures of each class in a folder of its own, side by side, to check \
         whether they are told apart. If these are good parts, and flaws are to be found:\n"
    );
    let steps = to_inspect(&folder.display().to_string());
    report(text, "classes", vec![name], &steps, output)
}

/// From good parts to an inspection that holds.
fn to_inspect(good: &str) -> Vec<Step> {
    vec![
        (
            "sudal flash surfaces".to_owned(),
            "a model that finds flaws",
        ),
        (
            format!("sudal good {good}"),
            "show the board good parts: it finds flaws by itself",
        ),
        (
            "sudal classify PART.png --heatmap heat.png".to_owned(),
            "is it flawed, and where?",
        ),
        (
            "sudal commission MORE-GOOD-PARTS".to_owned(),
            "have the rate of false alarms hold",
        ),
    ]
}

fn report(
    mut text: String,
    what: &str,
    names: Vec<&str>,
    steps: &[Step],
    output: &Output,
) -> anyhow::Result<()> {
    let widest = steps.iter().map(|(command, _)| command.chars().count());
    let widest = widest.max().unwrap_or(0);
    for (command, what) in steps {
        text.push_str(&format!("  {command:widest$}  {what}\n"));
    }
    let commands: Vec<_> = steps.iter().map(|(command, _)| command).collect();
    let result = serde_json::json!({ "inspection": true, what: names, "advice": commands });
    output.result(&result, text)
}
