//! What README says must be so.

use super::{root, text};

/// Words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    // Fenced blocks hold commands and drawings, not references.
    text.split("```").step_by(2).flat_map(|part| part.split('`').skip(1).step_by(2))
}

/// Whether a quoted word names a file or folder of this house.
fn names_a_path(word: &str) -> bool {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let first = word.split('/').next().unwrap_or_default();
    let kinds = ["rs", "sh", "toml", "md", "ftl", "json", "jpg", "png"];
    plain
        && (["client", "crypto", "media", "signaling", "tests", "scripts", ".ci"].contains(&first)
            && word.contains('/')
            || word.rsplit_once('.').is_some_and(|(_, kind)| kinds.contains(&kind)))
}

#[test]
fn files_named_in_readme_exist() {
    let readme = text("README.md");
    let mut found = 0;
    for word in quoted(&readme) {
        let path = word.split("::").next().unwrap();
        if names_a_path(path) {
            found += 1;
            assert!(root().join(path).exists(), "README names {path}, which is not there");
        }
    }
    assert!(found > 20, "README names only {found} files");
}

#[test]
fn tests_named_in_readme_exist() {
    let readme = text("README.md");
    for word in quoted(&readme).filter(|word| word.contains(".rs::")) {
        let (path, test) = word.split_once("::").unwrap();
        assert!(text(path).contains(&format!("fn {test}(")), "README names {test} in {path}, which is not there");
    }
}

#[test]
fn pictures_shown_in_readme_exist() {
    let readme = text("README.md");
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        let local = !link.contains("://") && !link.starts_with('#');
        assert!(!local || root().join(link).exists(), "README links {link}, which is not there");
    }
}
