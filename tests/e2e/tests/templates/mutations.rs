//! Takes single things away from templates, as a slip of the hand would.

/// A template from which something is missing.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    /// What is missing, as a path through the template.
    pub(crate) name: String,
    /// What is left.
    pub(crate) template: String,
}

/// One line of a template that begins a node, and the way to it.
struct Place {
    line: usize,
    path: Vec<String>,
}

/// Every template that lacks one permission, condition, rule, field or value
/// of a pattern, target or environment variable of this one.
///
/// Works on the text, so that what is left is what somebody would deploy.
pub(crate) fn all(template: &str) -> Vec<Mutation> {
    let lines: Vec<&str> = template.lines().collect();
    let mut mutations = Vec::new();
    for place in places(&lines) {
        let path: Vec<&str> = place.path.iter().map(String::as_str).collect();
        if is_whole(&lines, &path, place.line) {
            mutations.push(without_block(&lines, &place));
        }
        if has_flow_items(&path) {
            mutations.extend(without_items(&lines, &place));
        }
    }
    mutations
}

/// Whether a node is one of those that are taken away as a whole.
fn is_whole(lines: &[&str], path: &[&str], line: usize) -> bool {
    match path {
        ["Resources", _] => {
            let kind = lines.get(line + 1).map_or("", |next| next.trim());
            kind == "Type: AWS::Events::Rule"
        }
        [.., "Variables", _] => true,
        [.., "Targets" | "Statement" | "Action" | "Resource", item] => item.starts_with('-'),
        [.., "Condition"] | [.., "Condition", _] => path.contains(&"Statement"),
        [.., last] => path.contains(&"EventPattern") && *last != "EventPattern",
        [] => false,
    }
}

/// Whether the values that a line lists in brackets are taken away one by one.
fn has_flow_items(path: &[&str]) -> bool {
    path.contains(&"EventPattern") || matches!(path, [.., "Action"])
}

fn places(lines: &[&str]) -> Vec<Place> {
    let mut places = Vec::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    for (line, text) in lines.iter().enumerate() {
        let mut indent = indent(text);
        let mut rest = text.trim_start();
        if rest.is_empty() || rest.starts_with('#') {
            continue;
        }
        open.retain(|(column, _)| *column < indent);
        if let Some(item) = rest.strip_prefix("- ") {
            open.push((indent, label(item)));
            places.push(place(line, &open));
            indent += 2;
            rest = item;
        }
        if let Some((key, _)) = rest.split_once(':').filter(|(key, _)| is_key(key)) {
            open.push((indent, key.trim_matches('"').to_owned()));
            // The first key of an item stands on the item's own line.
            if !text.trim_start().starts_with("- ") {
                places.push(place(line, &open));
            }
        }
    }
    places
}

/// What an item of a list is called: by its id, or by its only line.
fn label(item: &str) -> String {
    let known = ["Sid: ", "Id: ", "PolicyName: "];
    let id = known.iter().find_map(|key| item.strip_prefix(key));
    format!("-{}", id.unwrap_or(item))
}

fn place(line: usize, open: &[(usize, String)]) -> Place {
    let path = open.iter().map(|(_, name)| name.clone()).collect();
    Place { line, path }
}

fn is_key(text: &str) -> bool {
    !text.starts_with(['!', '{', '[', '>']) && !text.contains(' ')
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Takes a node away, and its parent too if that would be left empty.
fn without_block(lines: &[&str], place: &Place) -> Mutation {
    let end = block_end(lines, place.line);
    let mut start = place.line;
    let parent = lines[..start]
        .iter()
        .rposition(|line| indent(line) < indent(lines[start]));
    if let Some(parent) = parent
        && parent + 1 == start
        && block_end(lines, parent) == end
        && !lines[parent].trim_start().starts_with("- ")
    {
        start = parent;
    }
    let kept = lines[..start].iter().chain(&lines[end..]);
    Mutation {
        name: place.path.join("/"),
        template: joined(kept),
    }
}

fn block_end(lines: &[&str], start: usize) -> usize {
    let inside = |line: &&str| line.trim().is_empty() || indent(line) > indent(lines[start]);
    let length = lines[start + 1..]
        .iter()
        .take_while(|line| inside(line))
        .count();
    start + 1 + length
}

/// The templates that lack one of the values which a line lists in brackets.
fn without_items(lines: &[&str], place: &Place) -> Vec<Mutation> {
    let text = lines[place.line];
    let Some((before, rest)) = text.split_once(": [") else {
        return Vec::new();
    };
    let items: Vec<&str> = rest.trim_end_matches(']').split(", ").collect();
    let several = (0..items.len()).filter(|_| items.len() > 1);
    several
        .map(|missing| {
            let mut left = items.clone();
            let taken = left.remove(missing);
            let line = format!("{before}: [{}]", left.join(", "));
            let kept = lines.iter().enumerate();
            let kept = kept.map(|(at, old)| if at == place.line { line.as_str() } else { old });
            Mutation {
                name: format!("{}/{taken}", place.path.join("/")),
                template: joined(kept.collect::<Vec<_>>().iter()),
            }
        })
        .collect()
}

fn joined<'a>(lines: impl Iterator<Item = &'a &'a str>) -> String {
    lines.fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}
