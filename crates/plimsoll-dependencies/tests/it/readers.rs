//! What each reader makes of a small lock file of its tool.

use crate::show::{bytes, fixture};
use insta::assert_snapshot;

#[test]
fn cargo_names_every_package_with_its_lines_and_what_it_asks_for() {
    assert_snapshot!(fixture("cargo/v4/Cargo.lock"));
}

#[test]
fn cargo_of_format_1_has_its_checksums_at_the_end() {
    assert_snapshot!(fixture("cargo/v1/Cargo.lock"));
}

#[test]
fn npm_finds_what_a_package_gets_as_node_does() {
    assert_snapshot!("npm_3", fixture("npm/v3/package-lock.json"));
    assert_snapshot!("npm_2", fixture("npm/v2/package-lock.json"));
}

#[test]
fn npm_of_version_1_has_packages_within_each_other() {
    assert_snapshot!("npm_1", fixture("npm/v1/package-lock.json"));
}

#[test]
fn npm_workspaces_are_the_projects_own_and_nested_versions_win() {
    let text = br#"{"name": "shop", "lockfileVersion": 3, "packages": {
        "": {"name": "shop", "version": "1.0.0", "workspaces": ["packages/*"], "dependencies": {"a": "1"}},
        "node_modules/a": {"version": "1.0.0", "dependencies": {"b": "2", "gone": "1"}},
        "node_modules/a/node_modules/b": {"version": "2.0.0"},
        "node_modules/b": {"version": "1.0.0", "dev": true},
        "node_modules/@shop/cart": {"resolved": "packages/cart", "link": true},
        "packages/cart": {"name": "@shop/cart", "version": "0.1.0", "dependencies": {"b": "1"}},
        "node_modules/f": {"version": "1.2.3", "resolved": "git+ssh://git@example.com/f.git#0123", "optional": true}
    }}"#;
    assert_snapshot!(bytes("package-lock.json", text));
}

#[test]
fn pnpm_of_all_versions_names_the_same_packages() {
    assert_snapshot!("pnpm_5", fixture("pnpm/v7/pnpm-lock.yaml"));
    assert_snapshot!("pnpm_6", fixture("pnpm/v8/pnpm-lock.yaml"));
    assert_snapshot!("pnpm_9", fixture("pnpm/v9/pnpm-lock.yaml"));
}

#[test]
fn yarn_has_a_notation_of_its_own_and_later_yaml() {
    assert_snapshot!("yarn_classic", fixture("yarn/classic/yarn.lock"));
    assert_snapshot!("yarn_berry", fixture("yarn/berry/yarn.lock"));
}

#[test]
fn python_tools_say_different_amounts_of_scope_and_edges() {
    assert_snapshot!("poetry", fixture("python/poetry/poetry.lock"));
    assert_snapshot!("uv", fixture("python/uv/uv.lock"));
    assert_snapshot!("pdm", fixture("python/pdm/pdm.lock"));
    assert_snapshot!("pipenv", fixture("python/pipenv/Pipfile.lock"));
    assert_snapshot!("pip_compile", fixture("python/pip-compile/requirements.txt"));
    assert_snapshot!("pylock", fixture("python/uv/pylock.toml"));
}

#[test]
fn requirements_that_are_not_pinned_or_elsewhere_make_the_list_incomplete() {
    let check = |text: &str, expect: &str| {
        let shown = bytes("requirements.txt", text.as_bytes());
        let (_, rest) = shown.split_once('\n').unwrap();
        assert_eq!(rest.trim_end(), expect, "{text}");
    };
    check("a==1.0 ; python_version < '3'  # a note", "complete\npkg:pypi/a@1.0 1 unknown");
    let unpinned = "incomplete: `a` is not pinned, and what it asks for is not known\npkg:pypi/a 1 unknown";
    for text in ["a", "a>=1", "a==1.*", "a>=1,==1.5", "A[x] ~= 2"] {
        check(text, unpinned);
    }
    check("-r base.txt", "incomplete: `-r base.txt` is not followed");
    check("a @ git+https://example.com/a@v1", "complete\npkg:pypi/a 1 unknown git https://example.com/a@v1");
    check("--index-url https://example.com/simple\n", "complete");
}

#[test]
fn go_replaces_and_states_when_it_does_not_list_everything() {
    assert_snapshot!("go", fixture("go/tidy/go.mod"));
    let text = b"module \"example.com/shop\"\ngo 1.16\nrequire example.com/a v1.0.0 // indirect\n\
        replace (\n example.com/a => ../a\n example.com/b v1.0.0 => example.com/c v1.1.0\n)\nrequire example.com/b v1.0.0";
    assert_snapshot!("go_replaced", bytes("go.mod", text));
}

#[test]
fn java_has_a_lock_file_or_only_what_the_project_asks_for() {
    assert_snapshot!("gradle", fixture("java/gradle.lockfile"));
    assert_snapshot!("maven", fixture("java/pom.xml"));
}

#[test]
fn ruby_and_php_name_sources_and_licences() {
    assert_snapshot!("bundler", fixture("ruby/Gemfile.lock"));
    assert_snapshot!("composer", fixture("php/composer.lock"));
}

#[test]
fn dotnet_has_three_files() {
    assert_snapshot!("nuget_lock", fixture("dotnet/packages.lock.json"));
    assert_snapshot!("nuget_assets", fixture("dotnet/project.assets.json"));
    assert_snapshot!("dotnet_deps", fixture("dotnet/shop.deps.json"));
}
