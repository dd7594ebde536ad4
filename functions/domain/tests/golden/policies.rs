//! Documents that are not a policy, and what is said of them.

use std::fs;

use domain::policy::Policy;

use super::{beside, expect};

#[test]
fn what_is_said_of_each_document() {
    let mut documents = 0;
    for entry in fs::read_dir(beside("policies")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "yaml") {
            let document = fs::read_to_string(&path).unwrap();
            let refused = Policy::parse(&document).map(|_| ()).unwrap_err();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            expect(&format!("policies/{name}.txt"), &format!("{refused}\n"));
            documents += 1;
        }
    }
    assert!(documents >= 7, "{documents}");
}
