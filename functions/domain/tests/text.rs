//! What others wrote, beside our own words.

use domain::text::{Untrusted, flat, name, quoted, quoted_of_stranger};
use proptest::{collection::vec, prelude::*, sample::select, test_runner::RngSeed};
use serde_json::json;

#[test]
fn whatever_breaks_a_line_or_cannot_be_seen_is_replaced() {
    assert_eq!(
        flat("one\r\n\ttwo\u{85}three\u{2028}four\u{2029}five", 99),
        "one two three four five"
    );
    assert_eq!(
        flat("\u{0}a\u{1b}[31mred\u{7f}b\u{9b}c ", 99),
        "a [31mred b c"
    );
    for hidden in [
        '\u{202a}',
        '\u{202b}',
        '\u{202c}',
        '\u{202d}',
        '\u{202e}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{200e}',
        '\u{200f}',
        '\u{61c}',
        '\u{200b}',
        '\u{2060}',
        '\u{feff}',
        '\u{e0001}',
        '\u{e0041}',
        '\u{e007f}',
        '\u{fff9}',
        '\u{180e}',
        '\u{e000}',
    ] {
        let text = format!("fdp{hidden}{hidden}exe");
        assert_eq!(flat(&text, 99), "fdp\u{fffd}exe", "{hidden:?}");
    }
    for joins in ['\u{200c}', '\u{200d}', '\u{ad}', '\u{fe0f}', '\u{e0101}'] {
        assert_eq!(flat(&format!("pay{joins}pal"), 99), "paypal", "{joins:?}");
    }
    assert_eq!(
        flat("a\u{3164}\u{2800}b", 99),
        "a b",
        "blank letters are spaces"
    );
}

#[test]
fn languages_and_emoji_stay_what_they_are() {
    for text in [
        "naïve Größe",
        "cafe\u{301}",
        "学習に失敗",
        "हिन्दी",
        "שלום",
        "🚀 done",
        "\\ \"x\" 'y'",
    ] {
        assert_eq!(flat(text, 99), text);
    }
}

#[test]
fn a_text_is_cut_with_an_ellipsis_and_not_between_a_letter_and_its_marks() {
    assert_eq!(flat("abcdef", 6), "abcdef");
    assert_eq!(flat("abcdefg", 6), "abcde…");
    assert_eq!(flat("abcd efg", 6), "abcd…");
    assert_eq!(flat("abe\u{301}\u{323}xyz", 5), "ab…");
    assert_eq!(flat("🚀🚀🚀", 2), "🚀…");
    assert_eq!(flat("abc", 1), "…");
    assert_eq!(flat("abc", 0), "");
    let zalgo = format!("e{}", "\u{301}".repeat(500));
    assert_eq!(
        flat(&zalgo, 99).chars().count(),
        5,
        "marks paint over no other line"
    );
}

#[test]
fn a_quoted_text_ends_where_its_quotation_marks_are_and_links_nowhere() {
    assert_eq!(
        quoted("he said \"no\"\nReason: none", 99),
        "\"he said 'no' Reason: none\""
    );
    assert_eq!(
        quoted(
            "sign in at https://evil.example/x or WWW.evil.example, mailto:a@b.example",
            99
        ),
        "\"sign in at https[:]//evil.example/x or WWW[.]evil.example, mailto[:]a@b.example\""
    );
    assert_eq!(
        quoted("no file s3://bucket/train.py", 99),
        "\"no file s3://bucket/train.py\""
    );
    assert_eq!(quoted("hs3://evil.example", 99), "\"hs3[:]//evil.example\"");
    assert_eq!(
        quoted("ht\u{200d}tps:/\u{200d}/evil.example", 99),
        "\"https[:]//evil.example\""
    );
    assert_eq!(
        quoted_of_stranger("Your session expired: evil.example/login v1.2", 99),
        "\"Your session expired: evil[.]example/login v1.2\""
    );
    assert_eq!(
        quoted_of_stranger("s3://evil.example", 99),
        "\"s3[:]//evil[.]example\""
    );
    assert_eq!(name("Train-2_b", 64), "Train-2_b");
    assert_eq!(name("Train: all is well", 64), "\"Train: all is well\"");
    assert_eq!(name("", 64), "\"\"");
}

#[test]
fn a_text_of_somebody_outside_is_harmless_wherever_it_is_shown_or_sent() {
    let text = Untrusted::from("bad\nConsole: https://evil.example");
    assert_eq!(text.to_string(), "\"bad Console: https[:]//evil.example\"");
    assert_eq!(json!(text), "bad Console: https://evil.example");
    assert_eq!(text.raw(), "bad\nConsole: https://evil.example");
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        select(vec![
            "\n",
            "\r",
            "\u{2028}",
            "\u{202e}",
            "\u{200d}",
            "\u{301}",
            "\"",
            "'",
            "://",
            "www.",
            "…",
            "e",
            " ",
            "\u{fffd}",
            "\u{e0041}",
            "🚀",
            "s3",
            "https",
        ])
        .prop_map(str::to_owned),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_becomes_one_short_line_that_stays_as_it_is(text in hostile(), max in 0_usize..60) {
        let line = flat(&text, max);
        prop_assert!(line.chars().count() <= max);
        prop_assert_eq!(line.trim(), &line);
        let unseen = |c: char| c.is_control() || c.is_whitespace() && c != ' '
            || "\u{202e}\u{2066}\u{200b}\u{200d}\u{feff}\u{e0041}".contains(c);
        prop_assert!(!line.contains(unseen), "{:?}", line);
        prop_assert_eq!(flat(&line, max), line);
    }

    #[test]
    fn any_quoted_text_has_two_quotation_marks_and_no_link(text in hostile(), max in 0_usize..60) {
        for quoted in [quoted(&text, max), quoted_of_stranger(&text, max)] {
            prop_assert!(quoted.chars().count() <= max + 2);
            prop_assert_eq!(quoted.matches('"').count(), 2);
            prop_assert!(quoted.starts_with('"') && quoted.ends_with('"'));
            prop_assert!(!quoted.replace("s3://", "").contains("://"), "{}", quoted);
        }
    }
}
