//! The page that shows the table.

use super::*;

const PAGE: &str = include_str!("../../../../../errors.md");

/// A row of the table as a row of the page.
fn line(row: &Row) -> String {
    let quoted = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let service = if row.service == "*" {
        "every"
    } else {
        row.service
    };
    let operations = match row.operations {
        [] => "all".to_owned(),
        operations => quoted(operations),
    };
    let says: Vec<_> = row.says.iter().map(|it| format!("*{it}*")).collect();
    let advice = row.advice.unwrap_or_default();
    let cells = [
        service,
        &quoted(row.codes),
        &operations,
        &says.join(" and "),
        &format!("{:?}", row.meaning),
        advice,
    ];
    let mut line = String::from("|");
    for cell in cells {
        line += " ";
        line += cell;
        line += if cell.is_empty() { "|" } else { " |" };
    }
    line
}

#[test]
fn the_page_about_errors_has_the_rows_of_the_table_and_no_others() {
    let expected: Vec<_> = TABLE.iter().map(line).collect();
    let (_, table) = PAGE
        .split_once("## Codes\n")
        .expect("the page has a table of codes");
    let shown: Vec<_> = table.lines().filter(|line| line.contains("| `")).collect();
    assert_eq!(shown, expected, "it should be\n{}", expected.join("\n"));
}

#[test]
fn a_row_of_the_page_says_what_the_classifier_does() {
    for (row, operation, code) in rows() {
        let service = if row.service == "*" {
            "ram"
        } else {
            row.service
        };
        let failed = Failed {
            service,
            message: &row.says.join(" "),
            ..failed(operation, Some(code), 400)
        };
        let old = Failed {
            new_session: false,
            ..failed
        };
        let expected = match row.meaning {
            Meaning::Permanent | Meaning::Answer => [Class::Permanent; 2],
            Meaning::Pending => [Class::Pending; 2],
            Meaning::Transient => [Class::Transient; 2],
            Meaning::Session => [Class::Permanent, Class::Transient],
        };
        assert_eq!([failed.class(), old.class()], expected, "{row:?}");
    }
}
