//! The commands of a block: what a person types, without what is answered.

/// The commands that people type, each with the lines that it goes on over.
pub(crate) fn typed(language: &str, text: &str) -> Vec<String> {
    if language == "bash" {
        return vec![text.to_owned()];
    }
    let mut commands = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("$ ") else {
            continue;
        };
        let mut command = first.to_owned();
        let is_loop = first.starts_with("for ");
        while command.ends_with('\\') || is_loop && !command.ends_with("done") {
            let Some(next) = lines.next() else { break };
            command.push('\n');
            command += next;
        }
        commands.push(command);
    }
    commands
}

/// The calls of the AWS CLI in a command, also those in loops and substitutions, as words.
pub(crate) fn of_aws(command: &str) -> Vec<Vec<String>> {
    let starts = command.match_indices("aws ").filter(|(at, _)| {
        let before = command[..*at].chars().next_back();
        before.is_none_or(|c| c == '(' || c.is_whitespace())
    });
    starts.map(|(at, _)| words(&command[at..])).collect()
}

/// The words of a command, up to where the shell ends it.
///
/// A substitution stands for itself: what it calls is another command.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut depth = 0;
    let mut characters = command.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('$', None | Some('"')) if characters.peek() == Some(&'(') => {
                depth += 1;
                characters.next();
                word.get_or_insert_default().push_str("$(");
            }
            (')', None | Some('"')) if depth > 0 => {
                depth -= 1;
                word.get_or_insert_default().push(')');
            }
            _ if depth > 0 => word.get_or_insert_default().push(c),
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('\\', None) if characters.peek() == Some(&'\n') => {
                characters.next();
                words.extend(word.take());
            }
            ('\n' | ')' | '|' | ';' | '&' | '<' | '>', None) => break,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The value of an option.
pub(crate) fn option<'w>(words: &'w [String], name: &str) -> Option<&'w str> {
    let at = words.iter().position(|word| word == name)?;
    words.get(at + 1).map(String::as_str)
}

/// Options that every operation has.
const OF_ALL: &[&str] = &[
    "--cli-binary-format",
    "--endpoint-url",
    "--output",
    "--query",
    "--region",
];

/// The operations that the documents may use: those that they need, and those that they may add.
///
/// Source: the reference of the AWS CLI.
const OPERATIONS: &[(&str, &[&str], &[&str])] = &[
    (
        "cloudformation deploy",
        &["--template-file", "--stack-name"],
        &["--capabilities", "--parameter-overrides", "--s3-bucket"],
    ),
    ("cloudformation describe-stacks", &[], &["--stack-name"]),
    (
        "cloudformation list-stack-instances",
        &["--stack-set-name"],
        &["--filters", "--call-as"],
    ),
    (
        "cloudformation package",
        &["--template-file", "--s3-bucket"],
        &["--output-template-file"],
    ),
    ("dynamodb delete-item", &["--table-name", "--key"], &[]),
    ("lambda invoke", &["--function-name"], &["--payload"]),
    (
        "logs filter-log-events",
        &["--log-group-name"],
        &["--filter-pattern"],
    ),
    (
        "ram create-resource-share",
        &["--name"],
        &["--principals", "--resource-arns"],
    ),
    ("ram get-resource-share-invitations", &[], &[]),
    ("ram get-resource-shares", &["--resource-owner"], &[]),
    (
        "ram list-resource-share-permissions",
        &["--resource-share-arn"],
        &[],
    ),
    ("ram list-resources", &["--resource-owner"], &[]),
    ("s3 cp", &[], &[]),
    ("sagemaker add-tags", &["--resource-arn", "--tags"], &[]),
    (
        "sagemaker create-pipeline",
        &["--pipeline-name", "--role-arn"],
        &["--pipeline-definition"],
    ),
    ("sagemaker delete-pipeline", &["--pipeline-name"], &[]),
    (
        "sagemaker delete-tags",
        &["--resource-arn", "--tag-keys"],
        &[],
    ),
    ("sagemaker describe-pipeline", &["--pipeline-name"], &[]),
    (
        "sagemaker describe-pipeline-execution",
        &["--pipeline-execution-arn"],
        &[],
    ),
    (
        "sagemaker list-pipeline-executions",
        &["--pipeline-name"],
        &[],
    ),
    (
        "sagemaker retry-pipeline-execution",
        &["--pipeline-execution-arn"],
        &[],
    ),
    (
        "sagemaker start-pipeline-execution",
        &["--pipeline-name"],
        &["--pipeline-parameters"],
    ),
    (
        "sagemaker stop-pipeline-execution",
        &["--pipeline-execution-arn"],
        &[],
    ),
    (
        "sns subscribe",
        &["--topic-arn", "--protocol"],
        &["--notification-endpoint", "--attributes"],
    ),
    ("sqs get-queue-url", &["--queue-name"], &[]),
    ("sqs send-message", &["--queue-url", "--message-body"], &[]),
    ("sqs start-message-move-task", &["--source-arn"], &[]),
    ("ssm get-parameter", &["--name"], &["--with-decryption"]),
    (
        "ssm put-parameter",
        &["--name", "--value"],
        &["--type", "--tier", "--overwrite", "--key-id"],
    ),
    (
        "ssm unlabel-parameter-version",
        &["--name", "--parameter-version", "--labels"],
        &[],
    ),
];

/// What is wrong with a call of the AWS CLI, as far as can be said without it.
pub(crate) fn mistakes(words: &[String]) -> Vec<String> {
    let [_, service, operation, rest @ ..] = words else {
        return vec!["there is no service or operation".to_owned()];
    };
    let name = format!("{service} {operation}");
    let Some((_, needed, further)) = OPERATIONS.iter().find(|(known, ..)| *known == name) else {
        return vec![format!(
            "nobody here knows \"aws {name}\"; add it to the list if AWS does"
        )];
    };
    let given = rest.iter().filter(|word| word.starts_with("--"));
    let unknown = given
        .clone()
        .filter(|option| {
            let option = option.as_str();
            !needed.contains(&option) && !further.contains(&option) && !OF_ALL.contains(&option)
        })
        .map(|option| format!("aws {name} has no {option}"));
    let missing = needed
        .iter()
        .filter(|option| !given.clone().any(|word| word == *option))
        .map(|option| format!("aws {name} needs {option}"));
    unknown.chain(missing).collect()
}
