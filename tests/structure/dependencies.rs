//! What is linked with what, under which licence, and from where: from `cargo metadata` and `deny.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use super::{root, text};

static METADATA: LazyLock<Value> = LazyLock::new(|| {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
});

const OURS: [&str; 5] = ["client", "crypto", "media", "signaling", "tests"];

fn packages() -> &'static [Value] {
    METADATA["packages"].as_array().unwrap()
}

fn is_ours(package: &Value) -> bool {
    package["source"].is_null()
}

/// Id of one of our packages.
fn id_of(name: &str) -> &'static str {
    let package = packages().iter().find(|package| is_ours(package) && package["name"] == name);
    package.unwrap()["id"].as_str().unwrap()
}

/// Names of everything that is linked into `name`, itself included; development dependencies do not count.
fn linked(name: &str) -> BTreeSet<&'static str> {
    let names: BTreeMap<_, _> =
        packages().iter().map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap())).collect();
    let nodes: BTreeMap<_, _> = METADATA["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node["deps"].as_array().unwrap()))
        .collect();
    let (mut seen, mut open) = (BTreeSet::new(), vec![id_of(name)]);
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        for dependency in nodes[id] {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                open.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    seen.into_iter().map(|id| names[id]).collect()
}

#[test]
fn the_arrows_between_the_crates_are_those_of_the_plan() {
    let arrows = |name: &str| -> Vec<&str> {
        let linked = linked(name);
        OURS.into_iter().filter(|other| *other != name && linked.contains(other)).collect()
    };
    assert_eq!(arrows("crypto"), [""; 0]);
    assert_eq!(arrows("signaling"), [""; 0]);
    assert_eq!(arrows("media"), ["crypto"]);
    assert_eq!(arrows("client"), ["crypto", "media", "signaling"]);
    assert_eq!(arrows("tests"), [""; 0], "the tools judge from outside");
}

#[test]
fn the_server_does_not_link_the_code_that_could_decrypt() {
    let linked = linked("signaling");
    for name in ["crypto", "openmls", "openmls_traits", "openmls_rust_crypto", "opaque-ke", "sframe", "webrtc"] {
        assert!(!linked.contains(name), "signaling links {name}");
    }
}

#[test]
fn the_crypto_crate_links_no_runtime_and_no_network() {
    let linked = linked("crypto");
    for name in ["tokio", "async-std", "smol", "hyper", "rustls", "webrtc", "socket2", "mio"] {
        assert!(!linked.contains(name), "crypto links {name}");
    }
}

/// Text between `[section]` and the next one in `deny.toml`, without comments.
fn section(name: &str) -> String {
    let file = text("deny.toml");
    let body = file.split_once(&format!("[{name}]\n")).unwrap().1;
    let body = body.split_once("\n[").map_or(body, |(body, _)| body);
    body.lines().map(|line| line.split('#').next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// Quoted words of the list `name = […]`.
fn list(section: &str, name: &str) -> Vec<String> {
    let body = section.split_once(&format!("{name} = [")).unwrap().1.split_once("\n]").unwrap().0;
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression can be satisfied with the allowed licences.
fn allowed(expression: &str, licences: &[String]) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    // All expressions in use put AND around plain alternatives, so AND binds looser here.
    expression.split(" AND ").all(|part| part.split(" OR ").any(|one| licences.iter().any(|known| known == one.trim())))
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let licences = list(&section("licenses"), "allow");
    for package in packages().iter().filter(|package| !is_ours(package)) {
        let expression = package["license"].as_str().unwrap_or("none");
        assert!(allowed(expression, &licences), "{}: {expression}", package["name"]);
    }
}

#[test]
fn our_crates_carry_the_licence_of_the_file() {
    assert!(text("LICENSE").contains("GNU AFFERO GENERAL PUBLIC LICENSE"));
    for package in packages().iter().filter(|package| is_ours(package)) {
        assert_eq!(package["license"], "AGPL-3.0-or-later");
    }
}

#[test]
fn nothing_banned_is_in_the_tree() {
    let bans = section("bans");
    let banned: Vec<_> = bans.split("crate = \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(banned.contains(&"openssl"));
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        assert!(!banned.contains(&name), "{name} is banned");
    }
}

#[test]
fn everything_comes_from_the_public_registry() {
    for package in packages().iter().filter(|package| !is_ours(package)) {
        assert_eq!(package["source"], "registry+https://github.com/rust-lang/crates.io-index", "{}", package["name"]);
    }
}

#[test]
fn an_expression_needs_each_of_its_parts() {
    let licences = ["MIT".to_owned(), "ISC".to_owned()];
    assert!(allowed("GPL-2.0-only OR MIT", &licences));
    assert!(allowed("(MIT OR Apache-2.0) AND ISC", &licences));
    assert!(!allowed("MIT AND GPL-2.0-only", &licences));
    assert!(!allowed("none", &licences));
}
