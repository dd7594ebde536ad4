//! Pages of lists.

use crate::world::ApiError;

/// The position that a page starts at, if its token is nothing but that.
pub(crate) fn position(
    token: Option<&str>,
    refuse: impl FnOnce() -> ApiError,
) -> Result<usize, ApiError> {
    token.map_or(Ok(0), |token| token.parse().map_err(|_| refuse()))
}

/// The items of a page, and the position of the next one if there is one.
pub(crate) fn cut<T>(
    items: impl IntoIterator<Item = T>,
    start: usize,
    size: usize,
) -> (Vec<T>, Option<usize>) {
    let mut items = items.into_iter().skip(start);
    let page = items.by_ref().take(size).collect();
    let next = items.next().map(|_| start.saturating_add(size));
    (page, next)
}
