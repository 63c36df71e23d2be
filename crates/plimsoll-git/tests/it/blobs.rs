//! Every blob of a history: which are looked at, by which path and commit, how much of each, and what is told of a
//! repository that is not whole.

use plimsoll_engine::ports::Source as _;
use plimsoll_git::{Blob, GitSource, History, Pushed};
use plimsoll_model::{Code, CommitId};
use plimsoll_testkit::GitFixture;
use std::{fs, path::Path, sync::Mutex};

/// What `look` finds: blobs that hold the word.
fn word(blob: Blob<'_, String>) -> Option<String> {
    let text = String::from_utf8_lossy(blob.content);
    text.lines().find(|line| line.contains("SECRET")).map(str::to_owned)
}

fn history(repository: &GitFixture) -> History<String> {
    GitSource::open(&repository.path()).unwrap().history(&word).unwrap()
}

/// Commit, path and found line of each hit.
fn hits(history: &History<String>) -> Vec<(Option<CommitId>, &str, &str)> {
    let hits = history.hits.iter();
    hits.map(|hit| (hit.commit.clone(), hit.path.as_str(), hit.found.as_str())).collect()
}

/// A file that was changed forty times, with the word in the versions from 11 to 19.
fn long(repository: &GitFixture) -> Vec<CommitId> {
    let filler = |seed: u32| -> String {
        (0..400_u32)
            .map(|line| format!("{seed} line {line} {}\n", line.wrapping_mul(2_654_435_761)))
            .collect()
    };
    let commit = |version: u32| {
        let secret = if (11..20).contains(&version) { "key = SECRET\n" } else { "" };
        repository.write("src/app.conf", format!("version {version}\n{}{secret}{}", filler(1), filler(2)));
        repository.write("other", version.to_string());
        repository.commit(&format!("version {version}"))
    };
    (0..40).map(commit).collect()
}

#[test]
fn a_word_that_left_the_tip_is_found_with_the_commit_that_brought_it() {
    let repository = GitFixture::new();
    let commits = long(&repository);
    let check = |how: &str| {
        let found = history(&repository);
        assert_eq!(found.problems, [], "{how}");
        assert_eq!((found.commits, found.blobs), (40, 80), "{how}");
        assert_eq!(found.hits.len(), 9, "{how}");
        let first = (Some(commits[11].clone()), "src/app.conf", "key = SECRET");
        assert_eq!(hits(&found)[0], first, "{how}");
    };
    check("loose");
    repository.git(&["repack", "-adq", "--depth=50", "--window=50"]);
    check("one pack");
    repository.write("src/more.conf", "SECRET too\n");
    let last = repository.commit("one more");
    repository.git(&["repack", "-dq"]);
    let found = history(&repository);
    assert_eq!(hits(&found)[9], (Some(last), "src/more.conf", "SECRET too"));
}

#[test]
fn of_a_delta_only_the_changed_parts_are_to_be_looked_at() {
    let repository = GitFixture::new();
    long(&repository);
    repository.git(&["repack", "-adq", "--depth=50", "--window=50"]);
    let looked = Mutex::new((0, 0));
    let look = |blob: Blob<'_, ()>| {
        let mut looked = looked.lock().unwrap();
        looked.0 += blob.content.len();
        looked.1 += match blob.base {
            Some(base) => base.changes.iter().map(|change| change.part.len()).sum::<usize>(),
            None => blob.content.len(),
        };
        None::<()>
    };
    let found = GitSource::open(&repository.path()).unwrap().history(&look).unwrap();
    let (whole, fresh) = *looked.lock().unwrap();
    assert_eq!(found.bytes as usize, whole);
    assert!(fresh * 10 < whole, "{fresh} of {whole} bytes");
}

#[test]
fn a_delta_comes_with_what_was_found_in_its_base_and_with_what_it_kept_of_it() {
    let repository = GitFixture::new();
    long(&repository);
    repository.git(&["repack", "-adq", "--depth=50", "--window=50"]);
    let deltas = Mutex::new(0);
    let look = |blob: Blob<'_, Vec<u8>>| {
        for change in blob.base.iter().flat_map(|base| base.changes) {
            let base = blob.base.as_ref().expect("it has changes");
            assert_eq!(base.found.map(Vec::as_slice), Some(base.content));
            let kept = base.content[change.next..].iter().zip(&blob.content[change.part.end..]);
            assert!(kept.take_while(|(one, other)| one == other).count() > 100, "{change:?}");
            *deltas.lock().unwrap() += 1;
        }
        Some(blob.content.to_vec())
    };
    GitSource::open(&repository.path()).unwrap().history(&look).unwrap();
    assert!(*deltas.lock().unwrap() > 30);
}

#[test]
fn branches_tags_and_tags_of_blobs_are_all_reached() {
    let repository = GitFixture::new();
    repository.write("a", "nothing");
    repository.commit("one");
    repository.branch("side");
    repository.write("b", "SECRET on a branch");
    let side = repository.commit("side");
    repository.checkout("main");
    repository.git(&["checkout", "-q", "--detach"]);
    repository.write("c", "SECRET under a tag");
    let tagged = repository.commit("tagged");
    repository.annotated_tag("v1");
    repository.checkout("main");
    let blob = repository.object("blob", "SECRET alone");
    repository.git(&["tag", "blob", &blob]);
    for packed in [false, true] {
        if packed {
            repository.git(&["gc", "-q"]);
        }
        let found = history(&repository);
        let mut expected = vec![
            (Some(side.clone()), "b", "SECRET on a branch"),
            (Some(tagged.clone()), "c", "SECRET under a tag"),
            (None, "", "SECRET alone"),
        ];
        expected.sort();
        let mut actual = hits(&found);
        actual.sort();
        assert_eq!((actual, found.problems.len()), (expected, 0), "packed: {packed}");
    }
}

#[test]
fn between_two_commits_only_what_is_new_is_looked_at() {
    let repository = GitFixture::new();
    repository.write("old", "SECRET of old");
    let old = repository.commit("old");
    repository.write("new", "SECRET of new");
    let new = repository.commit("new");
    let source = GitSource::open(&repository.path()).unwrap();
    let found = source.history_between(&old, &new, &word).unwrap();
    assert_eq!(hits(&found), [(Some(new.clone()), "new", "SECRET of new")]);
    assert_eq!((found.commits, found.blobs), (1, 1));
    let none = source.history_between(&new, &new, &word).unwrap();
    assert_eq!((none.commits, none.blobs, none.problems.len()), (0, 0, 0));
}

#[test]
fn equal_histories_give_equal_answers_in_any_packing() {
    let repository = GitFixture::new();
    long(&repository);
    let loose = history(&repository);
    repository.git(&["repack", "-adq"]);
    assert_eq!(history(&repository), loose);
    repository.git(&["repack", "-adfq", "--depth=1"]);
    assert_eq!(history(&repository), loose);
    // Deltas named by the id of their base.
    repository.git(&["-c", "repack.useDeltaBaseOffset=false", "repack", "-adfq"]);
    assert_eq!(history(&repository), loose);
}

fn pack(repository: &GitFixture) -> std::path::PathBuf {
    let packs = fs::read_dir(repository.path().join(".git/objects/pack")).unwrap();
    packs.map(|pack| pack.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "pack")).unwrap()
}

#[test]
fn no_damage_of_a_pack_goes_untold() {
    let repository = GitFixture::new();
    long(&repository);
    repository.git(&["repack", "-adq"]);
    let (whole, pack) = (history(&repository), pack(&repository));
    let mut permissions = fs::metadata(&pack).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a test damages its own file")]
    permissions.set_readonly(false);
    fs::set_permissions(&pack, permissions).unwrap();
    let bytes = fs::read(&pack).unwrap();
    for at in (12..bytes.len() - 20).step_by(bytes.len() / 20) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x5a;
        fs::write(&pack, &damaged).unwrap();
        let found = history(&repository);
        assert!(!found.problems.is_empty() || found == whole, "byte {at} of {}", bytes.len());
    }
    fs::write(&pack, &bytes[..bytes.len() / 2]).unwrap();
    assert!(!history(&repository).problems.is_empty());
}

#[test]
fn a_missing_object_is_told_with_its_place() {
    let repository = GitFixture::new();
    repository.write("dir/gone", "this will be gone");
    repository.write("kept", "SECRET");
    repository.commit("one");
    let id = repository.git(&["rev-parse", "HEAD:dir/gone"]);
    let object = repository.path().join(".git/objects").join(&id[..2]).join(&id[2..]);
    fs::remove_file(&object).unwrap();
    let found = history(&repository);
    assert_eq!(found.problems, [("dir/gone".to_owned(), format!("its object {id} is missing"))]);
    assert_eq!(found.hits.len(), 1);
    fs::create_dir_all(object.parent().unwrap()).unwrap();
    fs::write(&object, "damaged").unwrap();
    assert!(history(&repository).problems.iter().any(|(path, _)| path == "dir/gone"));
}

#[test]
fn a_missing_commit_or_tree_is_told_too() {
    for revision in ["HEAD~1", "HEAD~1^{tree}", "HEAD"] {
        let repository = GitFixture::new();
        repository.write("a", "1");
        repository.commit("one");
        repository.write("a", "2");
        repository.commit("two");
        let id = repository.git(&["rev-parse", revision]);
        fs::remove_file(repository.path().join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
        assert!(!history(&repository).problems.is_empty(), "{revision}");
    }
}

#[test]
fn a_blob_that_is_too_large_is_a_problem() {
    let repository = GitFixture::new();
    repository.write("large", vec![b'x'; 33 << 20]);
    repository.write("small", "SECRET");
    repository.commit("one");
    repository.git(&["repack", "-adq"]);
    let found = history(&repository);
    let said = "it has 34603008 bytes; more than 33554432 are not read";
    assert_eq!(found.problems, [("large".to_owned(), said.to_owned())]);
    assert_eq!(found.hits.len(), 1);
}

#[test]
fn a_shallow_clone_is_refused() {
    let repository = GitFixture::new();
    repository.write("a", "1");
    repository.commit("one");
    repository.write("a", "2");
    repository.commit("two");
    let clone = repository.home().join("clone");
    let url = format!("file://{}", repository.path().display());
    repository.git(&["clone", "-q", "--depth=1", &url, clone.to_str().unwrap()]);
    let error = GitSource::open(&clone).err().unwrap();
    assert!(
        matches!(error, plimsoll_engine::ports::SourceError::Refused(reason) if reason.code == Code::SrcShallow)
    );
}

#[test]
fn a_sha256_history_is_read_as_well() {
    let repository = GitFixture::with_init(&["--object-format=sha256"]);
    let commits = long(&repository);
    repository.git(&["repack", "-adq"]);
    assert_eq!(history(&repository).hits[0].commit.as_ref(), Some(&commits[11]));
}

#[test]
fn a_history_without_commits_is_empty() {
    let found = history(&GitFixture::new());
    assert_eq!((found.commits, found.blobs, found.problems.len()), (0, 0, 0));
}

/// The objects of `new`, in a directory of their own as a push brings them.
fn quarantine(repository: &GitFixture, old: &str, new: &str) -> std::path::PathBuf {
    let directory = repository.home().join("quarantine");
    fs::create_dir_all(directory.join("pack")).unwrap();
    let pack = directory.join("pack/pack");
    let command = format!(
        "printf '%s\\n' {new} ^{old} | git pack-objects -q --revs --delta-base-offset {}",
        pack.display()
    );
    let status = repository.command(&repository.path());
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &command])
        .current_dir(repository.path())
        .envs(status.get_envs().filter_map(|(k, v)| Some((k, v?))));
    assert!(shell.status().unwrap().success());
    directory
}

#[test]
fn of_a_push_only_what_the_repository_does_not_have_is_looked_at() {
    let server = GitFixture::new();
    server.write("dir/file", "SECRET of old\n");
    let old = server.commit("old");
    let client = GitFixture::new();
    client.git(&["pull", "-q", server.path().to_str().unwrap(), "main"]);
    client.write("dir/file", "SECRET of old\nSECRET of new\n");
    let new = client.commit("new");
    let directory = quarantine(&client, old.as_str(), new.as_str());
    let pushed = Pushed::new(&directory, &server.path().join(".git/objects"));
    let found = pushed.history(&new, &word).unwrap();
    assert_eq!(hits(&found), [(Some(new.clone()), "dir/file", "SECRET of old")]);
    assert_eq!((found.commits, found.blobs, found.problems.len()), (1, 1, 0));
    let before = pushed.before(&new, &"dir/file".parse().unwrap()).unwrap();
    assert_eq!(before, [b"SECRET of old\n".to_vec()]);
    assert_eq!(pushed.before(&new, &"elsewhere".parse().unwrap()).unwrap(), Vec::<Vec<u8>>::new());
    // What is there already is not looked at again.
    let again = Pushed::new(&directory, &client.path().join(".git/objects")).history(&new, &word).unwrap();
    assert_eq!((again.commits, again.blobs), (0, 0));
    assert!(
        Path::new(&directory).exists() && GitSource::open(&server.path()).unwrap().resolve("main").is_ok()
    );
}
