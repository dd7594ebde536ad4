//! Queries of `CloudWatch` Logs Insights, as far as can be said of them without it.
//!
//! Source of all rules: Amazon `CloudWatch` Logs user guide, "`CloudWatch` Logs
//! Insights language query syntax" and the pages of its commands and functions.

use std::{collections::BTreeMap, iter};

use regex_lite::Regex;

/// The commands of the language.
const COMMANDS: [&str; 13] = [
    "dedup", "diff", "display", "fields", "filter", "limit", "parse", "pattern", "sort", "SOURCE",
    "stats", "unmask", "unnest",
];

/// The functions that a query may use.
const FUNCTIONS: [&str; 14] = [
    "avg",
    "bin",
    "coalesce",
    "count",
    "countDistinct",
    "earliest",
    "ispresent",
    "jsonParse",
    "latest",
    "max",
    "min",
    "strlen",
    "sum",
    "tolower",
];

/// Words that are no names.
const KEYWORDS: [&str; 10] = [
    "and", "as", "asc", "by", "desc", "in", "into", "like", "not", "or",
];

/// What each unit of `bin` is cut to without a word.
const MOST: [(&str, u32); 3] = [("s", 60), ("m", 60), ("h", 24)];

/// A query.
#[derive(Debug)]
pub struct Query {
    commands: Vec<Vec<Token>>,
}

/// A part of a query that has a meaning of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A name, a function, a keyword or a number.
    Word(String),
    /// A name between backticks.
    Name(String),
    /// A text between quotation marks.
    Text(String),
    /// An expression between slashes.
    Expression(String),
    Sign(char),
}

/// Where the text that begins with this character ends, as a position in what follows.
fn end(rest: &str, mark: char) -> Option<usize> {
    let mut is_escaped = false;
    let end = rest.char_indices().find(|(_, c)| {
        let is_end = *c == mark && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map(|(at, _)| at)
}

/// The tokens of a query.
fn tokens(query: &str) -> Result<Vec<Token>, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "@._".contains(c);
    let mut tokens = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        let behind = &rest[first.len_utf8()..];
        if "\"'`/".contains(first) {
            let end = end(behind, first).ok_or_else(|| format!("{first} is not closed: {rest}"))?;
            let inside = behind[..end].to_owned();
            tokens.push(match first {
                '`' => Token::Name(inside),
                '/' => Token::Expression(inside),
                _ => Token::Text(inside),
            });
            rest = &behind[end + 1..];
        } else if is_part(first) {
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            tokens.push(Token::Sign(first));
            rest = behind;
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

impl Query {
    /// Reads a query, with the log groups that it may begin with.
    ///
    /// # Errors
    ///
    /// If a quotation mark, a backtick or a slash is not closed.
    pub fn read(query: &str) -> Result<Self, String> {
        let tokens = tokens(query)?;
        let commands = tokens.split(|token| *token == Token::Sign('|'));
        let commands = commands.map(<[Token]>::to_vec).collect();
        Ok(Self { commands })
    }

    /// The names of its commands, in order.
    fn names(&self) -> Vec<&str> {
        let first = self.commands.iter().map(|command| match command.first() {
            Some(Token::Word(name)) => name.as_str(),
            _ => "",
        });
        first.collect()
    }

    /// The tokens behind the names of the commands, with the names.
    fn parts(&self) -> impl Iterator<Item = (&str, &[Token])> {
        let names = self.names().into_iter();
        let commands = self.commands.iter();
        let behind = commands.map(|command| command.get(1..).unwrap_or_default());
        names.zip(behind)
    }

    /// The fields of log events that it names, each once and with the way into the event.
    ///
    /// The first item stands for all of a list that is unnested.
    #[must_use]
    pub fn fields(&self) -> Vec<String> {
        let mut scope = Scope::default();
        for (name, tokens) in self.parts() {
            if name != "SOURCE" {
                scope.read(tokens);
            }
        }
        scope.fields.sort();
        scope.fields.dedup();
        scope.fields
    }

    /// The fields that it compares with texts, and these.
    #[must_use]
    pub fn comparisons(&self) -> Vec<(String, Vec<String>)> {
        let fields = self.fields();
        let mut found = Vec::new();
        for (_, tokens) in self.parts() {
            for (at, token) in tokens.iter().enumerate() {
                let (Token::Word(name) | Token::Name(name)) = token else {
                    continue;
                };
                let texts = match tokens.get(at + 1..).unwrap_or_default() {
                    [Token::Sign('='), text, ..] => vec![text],
                    [Token::Word(word), Token::Sign('['), list @ ..] if word == "in" => {
                        let items = list.iter().take_while(|it| **it != Token::Sign(']'));
                        items.collect()
                    }
                    _ => Vec::new(),
                };
                let texts = texts.into_iter().filter_map(|token| match token {
                    Token::Text(text) => Some(text.clone()),
                    _ => None,
                });
                let texts: Vec<_> = texts.collect();
                if !texts.is_empty() && fields.contains(name) {
                    found.push((name.clone(), texts));
                }
            }
        }
        found
    }

    /// The expressions by which it takes things out of messages.
    #[must_use]
    pub fn expressions(&self) -> Vec<&str> {
        let all = self.commands.iter().flatten();
        let expressions = all.filter_map(|token| match token {
            Token::Expression(expression) => Some(expression.as_str()),
            _ => None,
        });
        expressions.collect()
    }

    /// What Logs Insights would refuse, or understand otherwise than it is meant.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut found = self.wrong_words();
        let names = self.names();
        let last = |wanted: &str| names.iter().rposition(|name| *name == wanted);
        let first = |wanted: &str| names.iter().position(|name| *name == wanted);
        for (before, after) in [("sort", "stats"), ("limit", "stats"), ("limit", "sort")] {
            if first(before) < last(after) && first(before).is_some() {
                found.push(format!("{before} stands before {after}"));
            }
        }
        if let Some(at) = first("dedup") {
            let behind = names.iter().skip(at + 1);
            let wrong = behind.filter(|name| **name != "limit");
            found.extend(wrong.map(|name| format!("{name} stands behind dedup")));
        }
        if !names.contains(&"limit") && !names.contains(&"stats") {
            found.push("nothing limits the rows".to_owned());
        }
        found
    }

    /// Commands, functions, units and names that are not written as the language wants them.
    fn wrong_words(&self) -> Vec<String> {
        let names = self.names().into_iter();
        let commands = names.filter(|name| !COMMANDS.contains(name));
        let mut found: Vec<_> = commands.map(|it| format!("no command {it}")).collect();
        for (_, tokens) in self.parts() {
            if tokens.contains(&Token::Sign('-')) {
                found.push("a name with a hyphen stands between backticks".to_owned());
            }
            for (at, token) in tokens.iter().enumerate() {
                let is_call = tokens.get(at + 1) == Some(&Token::Sign('('));
                let Token::Word(word) = token else { continue };
                if is_call && !KEYWORDS.contains(&word.as_str()) {
                    found.extend(wrong_call(word, tokens.get(at + 2)));
                }
            }
        }
        found
    }
}

/// What is wrong with the call of a function.
fn wrong_call(function: &str, argument: Option<&Token>) -> Option<String> {
    if !FUNCTIONS.contains(&function) {
        return Some(format!("no function {function}"));
    }
    let (Some(Token::Word(period)), "bin") = (argument, function) else {
        return None;
    };
    let number = period.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let most = MOST
        .iter()
        .find(|(unit, _)| period[number.len()..] == **unit)?;
    let is_cut = number.parse().is_ok_and(|it: u32| it > most.1);
    is_cut.then(|| format!("bin({period}) is cut to {}{}", most.1, most.0))
}

/// What the names mean at some place of a query.
#[derive(Debug, Default)]
struct Scope {
    fields: Vec<String>,
    /// The query's own names; those of parts of the message with the way there.
    own: BTreeMap<String, Option<String>>,
}

impl Scope {
    /// Takes note of what a command names.
    fn read(&mut self, tokens: &[Token]) {
        let before = iter::once(None).chain(tokens.iter().map(Some));
        for (at, (before, token)) in before.zip(tokens).enumerate() {
            let is = |token: Option<&Token>, word: &str| matches!(token, Some(Token::Word(it)) if it == word);
            match token {
                Token::Expression(expression) => self.own.extend(groups(expression)),
                Token::Name(name) => self.fields.push(name.clone()),
                Token::Word(name) if is(before, "as") => {
                    let is_message = at
                        .checked_sub(5)
                        .is_some_and(|call| is(tokens.get(call), "jsonParse"));
                    let way = is_message.then(String::new);
                    self.own.insert(name.clone(), way);
                }
                Token::Word(name) if is(before, "into") => {
                    let list = at.checked_sub(2).and_then(|at| tokens.get(at));
                    let way = match list {
                        Some(Token::Word(list)) => self.way(list).map(|way| format!("{way}.0")),
                        _ => None,
                    };
                    self.own.insert(name.clone(), way);
                }
                Token::Word(word) => {
                    let is_call = tokens.get(at + 1) == Some(&Token::Sign('('));
                    let is_name = !word.starts_with(|c: char| c == '@' || c.is_ascii_digit());
                    if is_name && !is_call && !KEYWORDS.contains(&word.as_str()) {
                        self.fields.extend(self.way(word));
                    }
                }
                Token::Text(_) | Token::Sign(_) => {}
            }
        }
    }

    /// The way into the event that a name stands for; none if it is computed.
    fn way(&self, name: &str) -> Option<String> {
        let (head, rest) = name.split_once('.').unwrap_or((name, ""));
        match self.own.get(name).or_else(|| self.own.get(head)) {
            None => Some(name.to_owned()),
            Some(None) => None,
            Some(Some(way)) if way.is_empty() => Some(rest.to_owned()),
            Some(Some(way)) => Some(format!("{way}.{rest}")),
        }
    }
}

/// The names that an expression gives to what it finds.
fn groups(expression: &str) -> Vec<(String, Option<String>)> {
    let group = Regex::new(r"\(\?<(\w+)>").expect("the expression is constant");
    let groups = group.captures_iter(expression);
    groups.map(|it| (it[1].to_owned(), None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query::read(text).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn fields_are_those_of_events_wherever_they_are_named() {
        let text = "SOURCE '/a/b' | fields @timestamp, a.b as c, jsonParse(@message) as event\n\
            | filter `detail-type` = \"x | y\" and d in [\"e\", \"f\"] and c = \"g\"\n\
            | parse @message /\"(?<own>[^|\"]+)\"/\n| unnest event.list.inner into item\n\
            | display own, item.name, @message\n| sort @timestamp desc\n| limit 5";
        let query = query(text);
        assert_eq!(query.mistakes(), [""; 0]);
        let fields = ["a.b", "d", "detail-type", "list.inner", "list.inner.0.name"];
        assert_eq!(query.fields(), fields);
        let compared = [("detail-type", vec!["x | y"]), ("d", vec!["e", "f"])];
        let compared = compared.map(|(name, texts)| {
            let texts = texts.into_iter().map(str::to_owned);
            (name.to_owned(), texts.collect())
        });
        assert_eq!(query.comparisons(), compared);
        assert_eq!(query.expressions(), ["\"(?<own>[^|\"]+)\""]);
        let counted = "stats latest(a.b) as b, countDistinct(c) as n by d\n| sort n desc";
        assert_eq!(self::query(counted).fields(), ["a.b", "c", "d"]);
    }

    #[test]
    fn what_logs_insights_would_not_take_is_a_mistake() {
        for (text, mistake) in [
            ("fields a\n| order by a\n| limit 1", "no command order"),
            ("stats median(a) by b", "no function median"),
            ("stats count(*) by bin(300s)", "bin(300s) is cut to 60s"),
            (
                "fields detail-type\n| limit 1",
                "a name with a hyphen stands between backticks",
            ),
            (
                "fields a\n| sort a\n| stats count(*) by a",
                "sort stands before stats",
            ),
            ("fields a\n| limit 1\n| sort a", "limit stands before sort"),
            (
                "fields a\n| dedup a\n| sort a\n| limit 1",
                "sort stands behind dedup",
            ),
            ("fields a\n| sort a", "nothing limits the rows"),
        ] {
            assert_eq!(query(text).mistakes(), [mistake], "{text}");
        }
        assert_eq!(query("stats count(*) by bin(5m)").mistakes(), [""; 0]);
        assert!(Query::read("filter a = \"b").is_err());
    }
}
