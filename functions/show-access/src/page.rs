//! The page as HTML: a fragment without scripts, from data alone.
//!
//! CloudWatch removes scripts, handlers, frames and `<use>`, calls the function
//! again for a `<cwdb-action>`, and shows what is left within the console. What
//! else it removes is not published, so nothing depends on more than tables,
//! classes, a `<style>` and inline SVG; whatever a colour, a shape or a tooltip
//! says, a word says, too.

mod access;
mod now;
mod parts;
mod pipeline;
mod pipelines;
mod strip;
mod style;

use maud::{Markup, html};

use crate::{
    request::{Request, View},
    snapshot::Snapshot,
    words,
};

/// The page that is asked for.
pub(crate) fn html(request: &Request, snapshot: &Snapshot) -> String {
    let shown = match &request.view {
        View::Pipelines => pipelines::view(request, snapshot),
        View::Access => access::view(request, snapshot),
        View::Now => now::view(request, snapshot),
        View::Pipeline(arn) => pipeline::view(request, snapshot, arn),
    };
    let footer = html! {
        p.ps-foot {
            @if let Some(now) = snapshot.now {
                "As of " (words::at(now, request.offset)) " (UTC" (request.offset) "). "
            }
            "Times are of this offset. What is shown is what RAM and SageMaker say now; the policy decides what it will be."
        }
    };
    frame(request, &html! { (shown) (footer) })
}

/// The page if there is nothing to show.
pub(crate) fn nothing(request: &Request, why: &str) -> String {
    let shown = html! {
        p.ps-bad { span aria-hidden="true" { "✕ " } "Nothing to show" }
        p { (why) }
    };
    frame(request, &shown)
}

/// What every page has: its style, and the ways to the others.
fn frame(request: &Request, shown: &Markup) -> String {
    let page = html! {
        style { (style::css(request.theme)) }
        div.ps-page {
            (navigation(request))
            (shown)
        }
    };
    page.into_string()
}

fn navigation(request: &Request) -> Markup {
    let views = [
        (View::Pipelines, "Pipelines"),
        (View::Access, "Access"),
        (View::Now, "Now"),
    ];
    html! {
        p.ps-nav {
            @for (view, name) in &views {
                @if *view == request.view {
                    b.ps-here { (name) }
                } @else {
                    (parts::link(request, name, &request.go(view, 1)))
                }
                " "
            }
        }
    }
}

/// What CloudWatch shows for "Get documentation"; it takes the first fenced
/// block for the parameters of a new widget.
pub(crate) fn documentation() -> &'static str {
    "## pipeshare: who can do what, and how the runs go

Shows the pipelines that are shared between accounts, their last runs, and who has access.
It reads only.

Parameter | Values
---|---
**view** | `pipelines` (default), `access`, `now`, or `pipeline`
**pipeline** | of the view `pipeline`: the ARN
**filter** | text in the ARN of a pipeline, or in the name of an account
**rows** | how many rows a page has
**page** | which page, counted from 1
**format** | `html` (default), `json`, `csv`, `markdown`

### Example parameters
``` yaml
view: pipelines
rows: 15
```
"
}
