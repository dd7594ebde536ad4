//! A picture of bars.

use std::fmt::Write;

const WIDTH: f64 = 900.0;
const LABELS: f64 = 330.0;
const LINE: f64 = 26.0;

/// Bars, one below the other, each with its name before it and what is told behind it.
pub(crate) fn bars(title: &str, bars: &[(String, f64, String)]) -> String {
    let longest = bars
        .iter()
        .map(|bar| bar.1)
        .fold(f64::MIN_POSITIVE, f64::max);
    let unit = (WIDTH - LABELS - 190.0) / longest;
    let mut rows = String::new();
    let mut y = 48.0;
    for (name, value, told) in bars {
        let (length, text) = (value * unit, y + 14.0);
        let _ = write!(
            rows,
            "  <text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{}</text>\n  \
             <rect x=\"{LABELS}\" y=\"{y}\" width=\"{length:.1}\" height=\"18\"/>\n  \
             <text x=\"{:.1}\" y=\"{text}\">{}</text>\n",
            LABELS - 8.0,
            escaped(name),
            LABELS + length + 8.0,
            escaped(told),
        );
        y += LINE;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n  \
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n  \
         <text x=\"16\" y=\"26\" font-size=\"16\">{}</text>\n  \
         <g fill=\"#1f2937\">\n{}  </g>\n</svg>\n",
        escaped(title),
        rows.replace("<rect ", "<rect fill=\"#2563eb\" "),
        height = y + 12.0,
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_is_the_one_of_the_largest_value() {
        let bar = |name: &str, value| (name.to_owned(), value, format!("{value}"));
        let picture = bars("a < b", &[bar("one", 1.0), bar("four", 4.0)]);
        assert!(picture.contains("a &lt; b"), "{picture}");
        assert!(picture.contains("width=\"95.0\""), "{picture}");
        assert!(picture.contains("width=\"380.0\""), "{picture}");
    }
}
