//! The functions that the hub's template declares: the list of all that is built, deployed and tested.

/// The template of the hub.
pub const HUB_TEMPLATE: &str = include_str!("../../../infra/hub/template.yaml");

/// The names of their binaries; deployed they are `pipeshare-NAME`.
#[must_use]
pub fn all() -> Vec<&'static str> {
    declared("FunctionName: ").collect()
}

/// Those that read a queue of their own, which has their name.
#[must_use]
pub fn queued() -> Vec<&'static str> {
    let queues: Vec<_> = declared("QueueName: ").collect();
    let mut functions = all();
    functions.retain(|name| queues.contains(name));
    functions
}

/// The names that the template gives under a property, without their prefix.
fn declared(property: &'static str) -> impl Iterator<Item = &'static str> {
    HUB_TEMPLATE.lines().filter_map(move |line| {
        let name = line.trim_start().strip_prefix(property)?;
        name.strip_prefix("pipeshare-")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_of_the_hub_is_the_list_of_functions() {
        assert!(all().contains(&"share-pipeline"), "{:?}", all());
        assert!(all().contains(&"codepipeline-hook"), "{:?}", all());
    }

    #[test]
    fn only_functions_with_a_queue_are_queued() {
        assert!(queued().contains(&"share-pipeline"), "{:?}", queued());
        assert!(!queued().contains(&"codepipeline-hook"), "{:?}", queued());
        assert!(!queued().contains(&"undelivered"), "{:?}", queued());
    }
}
