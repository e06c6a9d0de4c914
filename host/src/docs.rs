//! The pages of `host/docs` for those who use the program, in the order in which one needs them:
//! [`guide`], [`decisions`], [`inspection`], [`station`], [`page`], [`settings`], [`camera`], [`access`], [`plc`], [`boards`], [`fleet`], [`training`],
//! [`methods`], [`benchmarks`], [`http`], [`json`], [`questions`], [`licences`],
//! [`contributing`], [`changelog`]. Those of the firmware are in [`sudal_firmware::docs`].

/// A module for each page. Where links lead stands first, as the first definition of a name counts: the
/// pages' own definitions are of files. Only rustdoc reads the pages: a word in one rebuilds nothing.
macro_rules! pages {
    ($($name:ident $file:literal)*) => {
        $(#[cfg_attr(doc, doc = "
[access]: crate::docs::access
[benchmarks]: crate::docs::benchmarks
[boards]: crate::docs::boards
[budget]: sudal_firmware::docs::budget
[camera]: crate::docs::camera
[changelog]: crate::docs::changelog
[commissioning]: crate::docs::benchmarks#commissioning
[contributing]: crate::docs::contributing
[decisions]: crate::docs::decisions
[fleet]: crate::docs::fleet
[guide]: crate::docs::guide
[http]: crate::docs::http
[image]: sudal_firmware::docs::image_format
[inspected]: crate::docs::benchmarks#inspection-of-products
[inspection]: crate::docs::inspection
[json]: crate::docs::json
[licences]: crate::docs::licences
[methods]: crate::docs::methods
[open]: crate::docs::benchmarks#open-set-decisions
[page]: crate::docs::page
[plc]: crate::docs::plc
[porting]: sudal_firmware::docs::porting
[protocol]: sudal_firmware::docs::protocol
[questions]: crate::docs::questions
[settings]: crate::docs::settings
[station]: crate::docs::station
[surfaces]: crate::docs::benchmarks#real-surfaces
[threats]: sudal_firmware::docs::threats
[colours]: crate::docs::training#colours
[training]: crate::docs::training
")]
        #[cfg_attr(doc, doc = include_str!($file))]
        #[cfg_attr(not(doc), doc = "A page.")]
        pub mod $name {})*
    };
}

pages! {
    access "../docs/access.md"
    benchmarks "../docs/benchmarks.md"
    boards "../docs/boards.md"
    camera "../docs/camera.md"
    changelog "../docs/changelog.md"
    contributing "../docs/contributing.md"
    decisions "../docs/decisions.md"
    fleet "../docs/fleet.md"
    guide "../docs/guide.md"
    http "../docs/http.md"
    inspection "../docs/inspection.md"
    json "../docs/json.md"
    licences "../docs/licences.md"
    methods "../docs/methods.md"
    page "../docs/page.md"
    plc "../docs/plc.md"
    questions "../docs/questions.md"
    settings "../docs/settings.md"
    station "../docs/station.md"
    training "../docs/training.md"
}
