//! The page of show-access in a browser, and what was told, beside the API of the sandbox.
//!
//! A dashboard of CloudWatch would show the page in its own frame and follow its
//! links by invoking the function; here a short script does that.

use futures::future::BoxFuture;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sandbox::{
    http::{Pages, Visit},
    services::lambda,
};
use serde_json::{Value, json};

use super::{SharedRoster, roster::Mailbox};
use crate::estate::REGION;

/// How many of its last messages are shown of a mailbox.
const SHOWN: usize = 20;

/// Where a link leads, and what goes with it.
const SCRIPT: &str = include_str!("page.js");

/// What a console has beside the page's own style: its colours, its buttons, and its texts.
const LIGHT: &str = "html{color-scheme:light}body{background:#fff;color:#16191f}";
const DARK: &str = "html{color-scheme:dark}body{background:#0f1b2a;color:#e9ebed}";
const SHAPES: &str = "
body{font-family:sans-serif;font-size:13px}
cwdb-action{display:none}
a:not(:hover){text-decoration:none}
.btn{color:inherit;border:1px solid;border-radius:3px;padding:1px 8px}
section{border-top:1px solid #8d99a8;margin-top:16px}
h2{font-size:15px;margin:16px 0 0}
h3{font-size:13px;margin:10px 0 0;overflow-wrap:anywhere}
pre{margin:2px 0;white-space:pre-wrap;overflow-wrap:anywhere}
";

/// The pages for browsers.
pub(super) fn pages(roster: SharedRoster) -> Pages {
    Pages::new(move |visit| -> BoxFuture<'static, String> {
        let roster = roster.lock();
        let roster = roster.map(|it| (it.hub.clone(), it.mailboxes()));
        let (hub, mailboxes) = roster.unwrap_or_default();
        Box::pin(answer(visit, hub, mailboxes))
    })
}

async fn answer(visit: Visit, hub: String, mailboxes: Vec<Mailbox>) -> String {
    let asked = Asked::of(&visit.query);
    let page = shown(&visit, &hub, asked.payload()).await;
    let mailboxes = told(&visit, &mailboxes);
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { "pipeshare" }
                style { (PreEscaped(asked.style())) }
            }
            body {
                main { (page) }
                section { (mailboxes) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    whole.into_string()
}

/// What the address says.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    go: Option<Value>,
    filter: String,
    dark: bool,
    width: u64,
}

impl Asked {
    fn of(query: &str) -> Self {
        let mut asked = Self {
            width: 1_200,
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "go" => asked.go = serde_json::from_str(&value).ok().filter(Value::is_object),
                "filter" => asked.filter = value.into_owned(),
                "theme" => asked.dark = value == "dark",
                "width" => asked.width = value.parse().unwrap_or(asked.width),
                _ => {}
            }
        }
        asked
    }

    /// What CloudWatch would invoke the function with.
    fn payload(&self) -> Value {
        let theme = if self.dark { "dark" } else { "light" };
        let mut payload = self.go.clone().unwrap_or_else(|| json!({}));
        payload["widgetContext"] = json!({
            "theme": theme,
            "width": self.width,
            "forms": { "all": { "filter": self.filter } },
        });
        payload
    }

    fn style(&self) -> String {
        let colours = if self.dark { DARK } else { LIGHT };
        format!("{colours}{SHAPES}")
    }
}

/// The page as the function answers.
async fn shown(visit: &Visit, hub: &str, payload: Value) -> Markup {
    let function = "pipeshare-show-access";
    let waiting = lambda::invoke(&mut visit.world(), hub, REGION, function, payload);
    let problem = match waiting {
        Ok(waiting) => match waiting.await.map(|ended| ended.outcome) {
            Ok(Ok(Value::String(page))) => return PreEscaped(page),
            Ok(Ok(other)) => other.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the sandbox ends".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    html! { p { "The function shows nothing: " (problem) } }
}

/// What each account was told, the newest first.
fn told(visit: &Visit, mailboxes: &[Mailbox]) -> Markup {
    let world = visit.world();
    let published = &world.sns().published;
    html! {
        @for Mailbox { who, account, topic } in mailboxes {
            @let arn = format!("arn:aws:sns:{REGION}:{account}:{topic}");
            h2 { "What " (who) " was told" }
            @for message in published.iter().rev().filter(|it| it.topic_arn == arn).take(SHOWN) {
                h3 {
                    (message.time.strftime("%F %T").to_string()) " UTC: "
                    (message.subject.as_deref().unwrap_or("without a subject"))
                }
                pre { (message.message) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_what_a_dashboard_would_ask_for() {
        let query = "go=%7B%22go%22%3A%7B%22view%22%3A%22now%22%7D%7D&theme=dark&filter=churn&width=400&x=1";
        let payload = Asked::of(query).payload();
        assert_eq!(payload["go"]["view"], "now");
        let context = &payload["widgetContext"];
        assert_eq!(context["theme"], "dark");
        assert_eq!(context["width"], 400);
        assert_eq!(context["forms"]["all"]["filter"], "churn");
        let payload = Asked::of("go=nonsense&width=wide").payload();
        assert_eq!(payload["widgetContext"]["width"], 1_200);
        assert!(payload.get("go").is_none(), "{payload}");
        assert_eq!(
            Asked::of("go=7").payload()["widgetContext"]["theme"],
            "light"
        );
    }
}
