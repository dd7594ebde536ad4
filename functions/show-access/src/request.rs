//! What is asked for: by a widget of a dashboard, or directly.
//!
//! Whoever may edit a dashboard or invoke the function chooses all of it, so
//! everything is read with its bounds, and nothing is ever believed.

use domain::{id::PipelineArn, text::flat};
use jiff::tz::Offset;
use runtime::lambda::Invocation;
use serde_json::{Value, json};

/// The member under which the page's own links say where they lead.
///
/// CloudWatch puts the content of an action beside the widget's parameters, and
/// what the action says has to win.
const GO: &str = "go";

/// The longest filter, in characters.
const LONGEST_FILTER: usize = 100;

/// How wide a widget is that does not say it, in pixels.
const WIDTH: u64 = 1_200;

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    /// Pipelines, with their last runs and who has access.
    Pipelines,
    /// Pipelines by accounts.
    Access,
    /// What is open, what is wrong, and what is in force.
    Now,
    /// One pipeline, with all that is known.
    Pipeline(PipelineArn),
}

impl View {
    /// The word for it in a request.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Pipelines => "pipelines",
            Self::Access => "access",
            Self::Now => "now",
            Self::Pipeline(_) => "pipeline",
        }
    }
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Html,
    Json,
    Csv,
    Markdown,
}

impl Format {
    /// How many rows one answer has, if the request does not say, and at most.
    fn rows(self, view: &View) -> (usize, usize) {
        match (self, view) {
            // Each of these costs calls for its runs.
            (_, View::Pipelines) => (15, 50),
            // A browser is slow with larger tables.
            (Self::Html, _) => (50, 100),
            _ => (100, 500),
        }
    }
}

/// The colours that the console shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) view: View,
    pub(crate) format: Format,
    /// Counted from 1.
    pub(crate) page: usize,
    pub(crate) rows: usize,
    /// What the names on a row contain; empty for anything.
    pub(crate) filter: String,
    pub(crate) theme: Theme,
    /// Of the widget, in pixels.
    pub(crate) width: u64,
    /// Of the times that are shown.
    pub(crate) offset: Offset,
    /// The function's own ARN, which links invoke again.
    pub(crate) endpoint: String,
}

/// What an invocation asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// What the widget's parameters are.
    Documentation,
    /// A page.
    Page(Box<Request>),
    /// A page that there is not, and why; it is answered as this one would be.
    Mistake(Box<Request>, String),
}

/// Reads what is asked for.
pub(crate) fn read(payload: &Value, invocation: &Invocation) -> Asked {
    // Samples of AWS ask for the member's truth, or for its presence.
    if payload
        .get("describe")
        .is_some_and(|it| *it != json!(false))
    {
        return Asked::Documentation;
    }
    let event = Event(payload);
    let mut mistakes = Vec::new();
    let view = event.view().unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        View::Pipelines
    });
    let format = event.format().unwrap_or_else(|mistake| {
        mistakes.push(mistake);
        Format::Html
    });
    let (usual, most) = format.rows(&view);
    let context = &payload["widgetContext"];
    let request = Box::new(Request {
        page: event.number("page").unwrap_or(1).max(1),
        rows: event.number("rows").unwrap_or(usual).clamp(1, most),
        view,
        format,
        filter: event.filter(),
        theme: match context["theme"].as_str() {
            Some("dark") => Theme::Dark,
            _ => Theme::Light,
        },
        width: context["width"].as_u64().unwrap_or(WIDTH),
        offset: offset(&context["timezone"]),
        endpoint: invocation.function_arn.clone(),
    });
    if mistakes.is_empty() {
        Asked::Page(request)
    } else {
        Asked::Mistake(request, mistakes.join("; "))
    }
}

/// An event of a widget, or of whoever invokes the function directly.
struct Event<'e>(&'e Value);

impl Event<'_> {
    /// A value of the link that was followed, or else of the widget's parameters.
    ///
    /// Those are at the top level and in `params`; which of them an action call
    /// has is not documented.
    fn value(&self, name: &str) -> Option<&Value> {
        let go = &self.0[GO];
        if go.is_object() {
            return go.get(name);
        }
        let params = &self.0["widgetContext"]["params"];
        self.0.get(name).or_else(|| params.get(name))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// A number, also one that was written as a text.
    fn number(&self, name: &str) -> Option<usize> {
        let value = self.value(name)?;
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        number.and_then(|number| usize::try_from(number).ok())
    }

    fn view(&self) -> Result<View, String> {
        match self.text("view").unwrap_or("pipelines") {
            "pipelines" => Ok(View::Pipelines),
            "access" => Ok(View::Access),
            "now" => Ok(View::Now),
            "pipeline" => {
                let arn = self.text("pipeline").unwrap_or_default().parse();
                let arn = arn.map(View::Pipeline);
                arn.map_err(|_| "pipeline is the ARN of a pipeline".to_owned())
            }
            _ => Err("view is pipelines, access, now or pipeline".to_owned()),
        }
    }

    fn format(&self) -> Result<Format, String> {
        match self.text("format").unwrap_or("html") {
            "html" => Ok(Format::Html),
            "json" => Ok(Format::Json),
            "csv" => Ok(Format::Csv),
            "markdown" => Ok(Format::Markdown),
            _ => Err("format is html, json, csv or markdown".to_owned()),
        }
    }

    /// The filter: of the form, if the link is the one that sends it.
    fn filter(&self) -> String {
        let typed = &self.0["widgetContext"]["forms"]["all"]["filter"];
        let sends = self.value("form") == Some(&Value::Bool(true));
        let filter = match typed.as_str().filter(|_| sends) {
            Some(typed) => typed,
            None => self.text("filter").unwrap_or_default(),
        };
        flat(filter, LONGEST_FILTER)
    }
}

/// The offset of a time zone such as `{"offsetISO": "+02:00"}`; UTC if there is none.
fn offset(timezone: &Value) -> Offset {
    let read = |text: &str| {
        let (is_west, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (false, rest),
            ("-", rest) => (true, rest),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
        let seconds = i32::try_from(minutes.checked_mul(60)?).ok()?;
        let east = Offset::from_seconds(seconds).ok()?;
        Some(if is_west { east.negate() } else { east })
    };
    let text = timezone["offsetISO"].as_str();
    text.and_then(read).unwrap_or(Offset::UTC)
}

impl Request {
    /// What a link to another page says.
    pub(crate) fn go(&self, view: &View, page: usize) -> Value {
        let mut go = json!({ "view": view.as_str(), "page": page, "filter": self.filter });
        if *view == self.view {
            go["rows"] = json!(self.rows);
        }
        if let View::Pipeline(arn) = view {
            go["pipeline"] = json!(arn);
        }
        json!({ GO: go })
    }

    /// What the link says that sends the form of the filter.
    pub(crate) fn submit(&self) -> Value {
        json!({ GO: { "view": self.view.as_str(), "rows": self.rows, "form": true } })
    }

    /// Whether there is no room for a table.
    pub(crate) fn is_narrow(&self) -> bool {
        self.width < 700
    }
}
