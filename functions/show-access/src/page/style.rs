//! Colours and sizes, each with our prefix: whether one widget's styles reach
//! another is not documented.

use maud::{Markup, PreEscaped};

use crate::request::Theme;

/// What does not depend on the theme.
const SHAPES: &str = "
.ps-page{font-size:13px;line-height:1.45;font-family:inherit}
.ps-page p{margin:4px 0}
.ps-page h3{font-size:15px;margin:12px 0 4px}
.ps-table{border-collapse:collapse;width:100%}
.ps-table th,.ps-table td{text-align:left;vertical-align:top;padding:4px 8px;border-bottom:1px solid #8d99a8}
.ps-card{border-bottom:1px solid #8d99a8;padding:6px 0}
.ps-list{list-style:none;margin:0;padding:0}
.ps-list div{padding-left:16px}
.ps-name{font-weight:bold;overflow-wrap:anywhere}
.ps-long{overflow-wrap:anywhere}
.ps-strip{vertical-align:middle}
.ps-foot,.ps-small{font-size:12px}
.ps-table .ps-small{font-weight:normal}
.ps-nav{margin-bottom:8px}
.ps-nav a,.ps-nav b{margin-right:12px}
.ps-here{text-decoration:underline}
.ps-command{margin:6px 0;white-space:pre-wrap;overflow-wrap:anywhere;padding:6px;border:1px solid #8d99a8}
";

/// The colours of a theme: text, links, success, failure, warning, information, neutral.
const COLOURS: [(&str, &str, &str); 7] = [
    ("ps-page", "#16191f", "#e9ebed"),
    ("ps-link", "#0972d3", "#539fe5"),
    ("ps-ok", "#037f0c", "#29ad32"),
    ("ps-bad", "#d91515", "#ff5d64"),
    ("ps-warn", "#8d6605", "#e0ca57"),
    ("ps-info", "#0972d3", "#539fe5"),
    ("ps-mute", "#5f6b7a", "#8d99a8"),
];

/// The style of the page.
///
/// The widget says which theme it is; should it be wrong, the console's own
/// class for the dark one wins.
pub(super) fn css(theme: Theme) -> Markup {
    let colours = COLOURS.map(|(class, light, dark)| {
        let colour = match theme {
            Theme::Light => light,
            Theme::Dark => dark,
        };
        format!(".{class}{{color:{colour}}}\n.cwdb-theme-dark .{class}{{color:{dark}}}\n")
    });
    // Nothing in it comes from outside.
    PreEscaped(format!("{SHAPES}{}", colours.concat()))
}
